import { beforeEach, describe, expect, test } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, btcTerms, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
let loser: AccountId;
let friend: AccountId;
let rich: AccountId;

const mark = (ticks: bigint, market: number) => world.markets.setMark(world.ctx, market, ticks);
const pending = () => world.margin.keeper.pendingShortfall(world.ctx, DENOM);
const status = (market: number) => world.markets.terms(world.ctx, market)?.status;
const suspended = () => world.reports("market_suspended").map(({ market }) => market);
const held = (market: number) => world.margin.keeper.positionLots(world.ctx, loser, market);

/** Blocks of `seconds`, each sound. */
function blocks(count: number, seconds = 1): void {
  for (let i = 0; i < count; i++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock(seconds);
  }
}

/** What somebody is worth falls to this, by trades that others gain from. */
function poorer(id: AccountId, quanta: bigint): void {
  const lost = world.equity(id) - quanta;
  world.trade(id, rich, 1n, 1_000n + lost / 1_000n);
  world.trade(rich, id, 1n, 1_000n);
}

/** Long in a large market against somebody rich, and in a thin one against a friend. */
beforeEach(() => {
  world = createInsuredWorld({ marketSettlement: { afterBlocks: 100, atOncePpm: 0n } });
  rich = world.funded(1, 100_000n * UNIT);
  friend = world.funded(2, 60n * UNIT);
});

function pair(collateral: bigint, btcLots: bigint, ethLots: bigint): void {
  loser = world.funded(3, collateral);
  world.trade(loser, rich, btcLots, 1_000n);
  world.trade(loser, friend, ethLots, 1_000n, ETH);
}

describe("a loss in two markets of which one cannot bear its part", () => {
  test("stops that one, and is borne in the other, where its holders have not enough", () => {
    pair(4n * UNIT, 100n, 100n);
    // Six are missing, 30 ticks of each lot; the friend has two left.
    poorer(friend, -3n * UNIT);
    mark(950n, BTC);
    mark(950n, ETH);
    blocks(12);
    expect([held(BTC), held(ETH)]).toEqual([0n, 100n]);
    expect([status(BTC), status(ETH)]).toEqual(["active", "halted"]);
    expect(suspended()).toEqual(["ETH-PERP"]);
    expect(pending()).toBe(3n * UNIT);
    // Five gained and three borne, beside what the friend has lost to it.
    expect(world.equity(rich) - 100_000n * UNIT).toBe((63n + 5n - 3n) * UNIT);
  });

  test("stops that one alone, too, where its part is beyond the band and nearly all of the loss", () => {
    pair(8n * UNIT, 40n, 20n);
    // Two lost in the one, and twelve of twenty in the other: six are missing, of which 0.857 belong to the large market.
    mark(950n, BTC);
    mark(400n, ETH);
    blocks(12);
    expect([held(BTC), held(ETH)]).toEqual([0n, 20n]);
    expect(suspended()).toEqual(["ETH-PERP"]);
    expect(status(BTC)).toBe("active");
  });

  test("bears it with the other, where it is dust", () => {
    pair(4n * UNIT, 100n, 10n);
    poorer(friend, -UNIT / 2n);
    mark(900n, BTC);
    mark(950n, ETH);
    // 6.5 are missing, 0.31 of them in the thin market, where nobody has anything to bear it with: closed there at mark.
    blocks(12);
    expect([held(BTC), held(ETH)]).toEqual([0n, 0n]);
    expect(suspended()).toEqual([]);
    expect(pending()).toBe(0n);
  });

  test("is borne by both where both can, as one", () => {
    pair(4n * UNIT, 100n, 100n);
    mark(950n, BTC);
    mark(950n, ETH);
    blocks(3);
    expect([held(BTC), held(ETH), pending()]).toEqual([0n, 0n, 0n]);
    expect(suspended()).toEqual([]);
  });

  test("stops both where neither can", () => {
    pair(4n * UNIT, 100n, 100n);
    mark(500n, BTC);
    mark(500n, ETH);
    blocks(1);
    expect(suspended()).toEqual(["BTC-PERP", "ETH-PERP"]);
  });
});

describe("a loss in many markets", () => {
  test("that is dust in each ends none, and keeps nothing open", () => {
    const MARKETS = 8;
    world = createInsuredWorld({
      ...{ marketSettlement: { afterBlocks: 100, atOncePpm: 0n }, marketsPerAccountMax: 64 },
      deleverageBandPpm: 0n,
    });
    rich = world.funded(1, 100_000n * UNIT);
    loser = world.funded(3, 4n * UNIT);
    const all = Array.from({ length: MARKETS }, (_, i) => i + 11);
    for (const id of all) {
      world.markets.list(world.ctx, btcTerms({ id, symbol: `M${id}-PERP`, feedId: id }));
      mark(1_000n, id);
      world.trade(loser, rich, 10n, 1_000n, id);
    }
    for (const id of all) mark(900n, id);
    blocks(12);
    // Four missing, half a unit in each market: closed at mark, and in the queue until a fund has it.
    expect(all.map(held)).toEqual(all.map(() => 0n));
    expect(suspended()).toEqual([]);
    expect(pending()).toBe(4n * UNIT);
  });
});
