/** The sides of markets, followed through whatever is written and undone, against a scan of all accounts. KEEL_SIDE_WORLDS asks for more. */
import { describe, expect, it } from "vitest";
import type { WriteContext } from "../../kit/context.ts";
import { shortOfMargin } from "../bounds/branch-bounds.ts";
import { LAST_MODELLED } from "../bounds/testing/random-models.ts";
import { RandomWorld } from "../bounds/testing/random-world.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { compareLeverage } from "./deleverage-math.ts";
import { sideOf } from "./side-books.ts";
import { holdersOf } from "./sides.ts";

const WORLDS = Number(process.env["KEEL_SIDE_WORLDS"] ?? 30);
const BLOCKS = 16;
/** A lot's move is its value's. */
const markets = { risk: () => undefined } as unknown as ModelledMarkets;

const counts = { asked: 0, holders: 0, hedged: 0, stopped: 0 };

function ask(world: RandomWorld, ctx: WriteContext): void {
  const { dice, state } = world;
  const views = world.views();
  const view = views(1 + dice.below(LAST_MODELLED));
  if (view === undefined) return;
  const of = { view, long: dice.oneIn(2), hedgesLast: dice.oneIn(2) };
  const side = sideOf(ctx, { state, markets }, views, of);
  const holders = holdersOf(ctx, { state, markets }, views, of);
  counts.asked += 1;
  counts.holders += holders.length;
  if (state.waterfall.endings.size(ctx) > 0) counts.stopped += 1;
  expect([side.lots, side.accounts]).toEqual([
    holders.reduce((sum, { lots }) => sum + lots, 0n),
    holders.length,
  ]);
  const all = holders.map(({ equity, id, lots }) => ({ id, lots, equity }));
  expect([...side.ranked("all")]).toEqual(all.sort(compareLeverage));
  const open = holders.map(({ equity, id, unhedged: lots }) => ({ id, lots, equity }));
  const unhedged = open.filter(({ lots }) => lots > 0n).sort(compareLeverage);
  if (unhedged.length < holders.length) counts.hedged += 1;
  // As a deleveraging does, sometimes only the first.
  const first = dice.below(unhedged.length + 1);
  const ranked = side.ranked("unhedged")[Symbol.iterator]();
  for (const one of unhedged.slice(0, first)) expect(ranked.next().value).toEqual(one);
}

function stop(world: RandomWorld, ctx: WriteContext): void {
  const { endings } = world.state.waterfall;
  const market = 1 + world.dice.below(LAST_MODELLED);
  if (endings.has(ctx, market)) return endings.delete(ctx, market);
  const nothing = { missing: "0", endedHeight: 0n, sunkLots: "0", sharing: false, loss: "0" };
  const after = new Uint8Array(0);
  endings.set(ctx, market, { market, sinceHeight: 1n, ...nothing, after, claims: [] });
}

function change(world: RandomWorld, ctx: WriteContext): void {
  const { dice } = world;
  for (let i = dice.below(3); i > 0; i--) world.rewrite(ctx, world.any());
  if (dice.oneIn(12)) stop(world, ctx);
  if (dice.oneIn(12)) world.move();
}

function block(world: RandomWorld): void {
  const { ctx, dice, state } = world;
  world.move();
  change(world, ctx);
  shortOfMargin(ctx, state, world.views(), true);
  for (let i = 0; i < 8; i++) {
    ask(world, ctx);
    change(world, ctx);
    if (!dice.oneIn(3)) continue;
    world.dropping(() => {
      change(world, ctx);
      ask(world, ctx);
      if (dice.oneIn(4)) shortOfMargin(ctx, state, world.views(), dice.oneIn(2));
      change(world, ctx);
      ask(world, ctx);
    });
  }
  if (dice.oneIn(2)) shortOfMargin(ctx, state, world.views(), false);
}

describe("the sides of markets", () => {
  it("are what a scan of all accounts finds, through writes, undone writes, looks and moves", () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = new RandomWorld(seed);
      try {
        for (let i = 0; i < BLOCKS; i++) {
          if (world.dice.oneIn(5)) world.dropping(() => block(world));
          block(world);
          ask(world, world.ctx);
          if (world.dice.oneIn(2)) world.ctx.state.clearJournal();
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : ""}`);
      }
    }
    expect(counts.asked).toBeGreaterThan(WORLDS * BLOCKS * 4);
    expect(counts.holders).toBeGreaterThan(counts.asked >> 1);
    expect(counts.hedged).toBeGreaterThan(WORLDS);
    expect(counts.stopped).toBeGreaterThan(WORLDS);
  }, 600_000);
});
