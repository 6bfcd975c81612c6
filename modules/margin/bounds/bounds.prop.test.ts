/** KEEL_BOUNDS_WORLDS and KEEL_BOUNDS_SEED choose how many worlds of twenty accounts, and which; `npm run bounds` takes 500. */
import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import { compareSick } from "../end-block.ts";
import { isLiquidatable, maintenanceHealth } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import { portfolioMarkets, scanPortfolioMarkets } from "../portfolio/held-markets.ts";
import { owingTooMuch, shortOfMargin } from "./branch-bounds.ts";
import { boundsOf, cashBoundsOf } from "./branch-watch.ts";
import { LAST_MODELLED } from "./testing/random-models.ts";
import { ACCOUNTS, type Kind, kindOf, type Moment, RandomWorld } from "./testing/random-world.ts";

const WORLDS = Number(process.env["KEEL_BOUNDS_WORLDS"] ?? 24);
const FIRST = Number(process.env["KEEL_BOUNDS_SEED"] ?? 1);
const BLOCKS = 24;
const MOVES = 3;

interface Counts {
  looks: number;
  scans: number;
  found: number;
  owing: number;
  /** Judged by a scan, and vouched for by a bound. */
  readonly vouched: Record<Kind | "debt", number>;
}

interface Found {
  readonly id: AccountId;
  readonly equity: bigint;
  readonly maintenance: bigint;
}

function everyone(world: RandomWorld, ctx: WriteContext, views: MarketViews, counts: Counts) {
  const found: Found[] = [];
  const bounds = boundsOf(ctx);
  world.state.active.each(ctx, (id) => {
    counts.scans += 1;
    const account = world.state.accounts.get(ctx, id) as Account;
    const health = maintenanceHealth(account, views);
    if (bounds?.sees(id) === false) counts.vouched[kindOf(account)] += 1;
    if (health === null || !isLiquidatable(health)) return;
    found.push({ id, equity: health.equity, maintenance: health.maintenance });
  });
  return found.sort(compareSick);
}

/** Whose cash is further below zero than its assets allow. */
function allOwing(world: RandomWorld, ctx: WriteContext, counts: Counts): readonly AccountId[] {
  const found: AccountId[] = [];
  const bounds = cashBoundsOf(ctx);
  world.state.assets.judged.each(ctx, (id) => {
    const account = world.state.accounts.get(ctx, id) as Account;
    const over = world.slack(account, world.moment, "debt");
    if (bounds?.sees(id) === false) counts.vouched.debt += 1;
    if (over !== null && over < 0n) found.push(id);
  });
  counts.owing += found.length;
  return found;
}

function compare(world: RandomWorld, ctx: WriteContext, first: boolean, counts: Counts): void {
  const views = world.views();
  const byBounds = shortOfMargin(ctx, world.state, views, first)
    .map(({ id, equity, maintenance }) => ({ id, equity, maintenance }))
    .sort(compareSick);
  counts.looks += boundsOf(ctx)?.lastLooks ?? 0;
  counts.found += byBounds.length;
  expect(byBounds).toEqual(everyone(world, ctx, views, counts));
  const owing = owingTooMuch(ctx, world.state, views).map(({ id }) => id);
  expect(owing, "owing").toEqual(allOwing(world, ctx, counts));
  const kept = portfolioMarkets(ctx, world.state);
  const all = scanPortfolioMarkets(ctx, world.state);
  for (let market = 1; market <= LAST_MODELLED; market++)
    expect(kept.has(market), `market ${market}`).toBe(all.has(market));
}

function block(world: RandomWorld, counts: Counts): void {
  const { ctx, dice } = world;
  world.move();
  for (let i = dice.below(3); i > 0; i--) world.rewrite(ctx, world.any());
  compare(world, ctx, true, counts);
  if (!dice.oneIn(3)) return;
  // Liquidations write some, and everybody below is asked for again.
  world.rewrite(ctx, world.any());
  compare(world, ctx, false, counts);
}

function run(seed: number, counts: Counts): void {
  const world = new RandomWorld(seed);
  const { ctx, dice } = world;
  for (let i = 0; i < BLOCKS; i++) {
    if (dice.oneIn(4)) {
      world.dropping(() => {
        block(world, counts);
        if (dice.oneIn(2)) block(world, counts);
      });
    }
    block(world, counts);
    ctx.state.clearJournal();
    // A branch of the present builds its own.
    if (dice.oneIn(10)) compare(world, { ...ctx, state: ctx.state.fork() }, true, counts);
  }
}

/** A few moves, and then a world of accounts for whom the worst of them is just too much. */
function runOnEdge(seed: number, counts: Counts): void {
  const world = new RandomWorld(seed);
  const start = world.moment;
  const later: Moment[] = [];
  for (let i = world.dice.below(MOVES); i >= 0; i--) {
    world.move();
    later.push(world.moment);
  }
  world.moment = start;
  world.putOnEdge(later);
  compare(world, world.ctx, true, counts);
  for (const moment of later) {
    world.moment = moment;
    compare(world, world.ctx, true, counts);
  }
}

function inWorlds(worlds: number, body: (seed: number, counts: Counts) => void): Counts {
  const vouched = { plain: 0, backed: 0, portfolio: 0, debt: 0 };
  const counts: Counts = { looks: 0, scans: 0, found: 0, owing: 0, vouched };
  for (let seed = FIRST; seed < FIRST + worlds; seed++) {
    try {
      body(seed, counts);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : ""}`);
    }
  }
  console.log(
    `${worlds * ACCOUNTS} accounts of seeds ${FIRST} to ${FIRST + worlds - 1}: ${JSON.stringify(counts)}`,
  );
  expect(counts.looks).toBeLessThan(counts.scans);
  for (const times of Object.values(vouched)) expect(times).toBeGreaterThan(worlds);
  return counts;
}

describe("the bounds of accounts", () => {
  it("find exactly whom a full scan finds, in random portfolios on random paths", () => {
    const counts = inWorlds(WORLDS, run);
    expect(counts.found).toBeGreaterThan(WORLDS * ACCOUNTS);
    expect(counts.owing).toBeGreaterThan(WORLDS);
  }, 1_800_000);

  it("find all who fall short by a quantum at the worst point of a short path", () => {
    const counts = inWorlds(WORLDS * 8, runOnEdge);
    expect(counts.found).toBeGreaterThan(WORLDS * 8 * 4);
  }, 1_800_000);
});
