import { beforeEach, describe, expect, test } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
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

describe("a lot of the market that stops, in the account of who bears the other's loss", () => {
  /** Fourteen are missing, 6.36 of them in the large market, where `bearer` is the other side of all; the thin one's part lies beyond the band. */
  function fall(bearer: AccountId): void {
    loser = world.funded(3, 8n * UNIT);
    world.trade(loser, bearer, 100n, 1_000n);
    world.trade(loser, friend, 20n, 1_000n, ETH);
    world.trade(world.funded(6, 10n * UNIT), bearer, 1n, 1_000n, ETH);
    mark(900n, BTC);
    mark(400n, ETH);
  }

  test("does not keep it from bearing", () => {
    fall(rich);
    // The thin market stops with the block that finds the loss, and the large one's part is borne in the next.
    blocks(12);
    expect([held(BTC), held(ETH)]).toEqual([0n, 20n]);
    expect(suspended()).toEqual(["ETH-PERP"]);
  });

  test("bears nothing with what it has gained there", () => {
    const small = world.funded(5, UNIT);
    poorer(small, -3_900_000n);
    fall(small);
    // 0.6 of it are gained in the market that stops.
    expect(world.equity(small)).toBe(6_700_000n);
    blocks(2);
    expect([held(BTC), held(ETH)]).toEqual([100n, 20n]);
  });
});

describe("a fault in one of three markets", () => {
  test.each([false, true])("makes nobody bear more in another: %s", (isFaulty) => {
    const THIN = 3;
    world.markets.list(world.ctx, btcTerms({ id: THIN, symbol: "THIN-PERP", feedId: THIN }));
    mark(1_000n, THIN);
    const second = world.funded(5, 100_000n * UNIT);
    loser = world.funded(3, 8n * UNIT);
    world.trade(loser, rich, 100n, 1_000n);
    world.trade(loser, second, 100n, 1_000n, ETH);
    world.trade(loser, friend, 100n, 1_000n, THIN);
    for (const market of [BTC, ETH, THIN]) mark(950n, market);
    poorer(friend, -8n * UNIT);
    const { accounts } = world.margin.state;
    const set = accounts.set.bind(accounts);
    accounts.set = (ctx, id, record) => {
      const lots = record.positions.find(({ market }) => market === BTC)?.lots ?? 0n;
      if (isFaulty && id === rich && lots !== -100n) throw new Error("fault");
      set(ctx, id, record);
    };
    const before = world.equity(second);
    blocks(4);
    expect([held(BTC), held(ETH), held(THIN)]).toEqual([isFaulty ? 100n : 0n, 0n, 100n]);
    expect(status(BTC)).toBe(isFaulty ? "quarantined" : "active");
    // A third of seven, in whole ticks of a hundred lots.
    expect(before - world.equity(second)).toBe(isFaulty ? 2_400_000n : 2_300_000n);
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

describe("crowds in many markets, beside one that cannot bear its part", () => {
  let all: readonly number[];

  /** Long in so many markets, each against so many, by a lot each, and in a thin one against a friend who has nothing. */
  function crowds(
    params: Parameters<typeof createInsuredWorld>[0],
    of: { readonly markets: number; readonly each: number; readonly missing?: bigint },
  ): void {
    const { each, markets } = of;
    world = createInsuredWorld({
      ...{ marketSettlement: { afterBlocks: 100, atOncePpm: 0n }, marketsPerAccountMax: 64 },
      ...params,
    });
    rich = world.funded(1, 1_000_000n * UNIT);
    friend = world.funded(2, 60n * UNIT);
    all = Array.from({ length: markets }, (_, i) => i + 11);
    const lost = ((BigInt(each * markets) + 5_000n) * UNIT) / 5n;
    // A quarter of all that is lost is missing.
    loser = world.funded(3, lost - (of.missing ?? lost / 4n));
    const parties = Array.from({ length: each }, (_, n) => {
      const owner = new Uint8Array(20).fill(9);
      owner.set([n & 255, n >> 8]);
      const id = accountId(owner, 0);
      world.bank.mint(world.ctx, owner, 100n * UNIT);
      world.margin.keeper.deposit(world.ctx, owner, id, 100n * UNIT);
      return id;
    });
    for (const id of all) {
      world.markets.list(world.ctx, btcTerms({ id, symbol: `M${id}-PERP`, feedId: id }));
      for (const party of parties) world.trade(loser, party, 1n, 1_000n, id);
      mark(800n, id);
    }
    world.trade(loser, friend, 100_000n, 1_000n, ETH);
    mark(990n, ETH);
    poorer(friend, -UNIT);
  }

  test.each([
    { markets: 4, each: 2_600 },
    { markets: 2, each: 4_500 },
    { markets: 1, each: 9_000 },
  ])("are asked for their part at one price, however many blocks it takes: %o", (of) => {
    crowds({}, of);
    blocks(8);
    expect(all.map(held)).toEqual(all.map(() => 0n));
    expect(suspended()).toEqual(["ETH-PERP"]);
    // A quarter of the thousand lost in the thin market.
    expect(world.equity(loser)).toBe(-250n * UNIT);
    const prices = new Set(world.reports("deleverage_round").map((round) => round["price_ticks"]));
    expect(prices.size).toBe(1);
  });

  test("bear no more than belongs to them, where a tick of each lot is more", () => {
    // 3.6 of 5.6 belong to 9,000 lots: four are borne with the first 4,000.
    crowds({}, { markets: 1, each: 9_000, missing: 5_600_000n });
    blocks(2);
    const known = world.margin.state.custody.losses.get(world.ctx, loser);
    expect(known?.losses.map(({ borne }) => borne === "")).toEqual([true, false]);
    const copy = createInsuredWorld();
    const [from, to] = [world.margin.module.genesis, copy.margin.module.genesis];
    if (from.kind !== "proto" || to.kind !== "proto") throw new Error("expected proto genesis");
    to.init(copy.ctx, from.export(world.ctx));
    expect(copy.margin.state.custody.losses.get(copy.ctx, loser)).toEqual(known);
    blocks(6);
    const rounds = world.reports("deleverage_round").map((round) => round["price_ticks"]);
    expect([...new Set(rounds)]).toEqual(["801", "800"]);
    expect([all.map(held), world.equity(loser)]).toEqual([[0n], -1_600_000n]);
    expect(suspended()).toEqual(["ETH-PERP"]);
  });

  test("stop alone when they cannot bear the rest, and not what was closed with them and has borne its part", () => {
    // Six ticks of each lot in the thin market leave twenty to the crowd, of which the first 4,000 bear three ticks each.
    crowds({}, { markets: 1, each: 9_000, missing: 620n * UNIT });
    world.funded(2, 20_000n * UNIT);
    blocks(2);
    expect([all.map(held), held(ETH), pending()]).toEqual([[5_000n], 0n, 8n * UNIT]);
    for (const market of all) mark(400n, market);
    blocks(2);
    expect(suspended()).toEqual(["M11-PERP"]);
    expect(all.map(status)).toEqual(["halted"]);
    expect(world.margin.state.custody.losses.get(world.ctx, loser)?.losses).toMatchObject([
      { market: 11 },
    ]);
  });

  test("do nothing that is undone, where their parts are small and beyond the band", () => {
    const over = { deleverageBandPpm: 20_000n, shortfallFloor: "100000000" };
    crowds(over, { markets: 24, each: 2 });
    // The block that finds it closes what it has turns for at mark; then it is asked whether the thin market can bear its part.
    blocks(1);
    expect(all.filter((market) => held(market) > 0n)).toHaveLength(5);
    const { accounts } = world.margin.state;
    const set = accounts.set.bind(accounts);
    let writes = 0;
    accounts.set = (ctx, id, record) => {
      writes += 1;
      set(ctx, id, record);
    };
    blocks(3);
    expect(suspended()).toEqual([]);
    expect(writes).toBe(0);
  });
});
