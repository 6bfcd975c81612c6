import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import {
  QueryLiquidationFlowRequest,
  QueryLiquidationFlowResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { beforeEach, describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import {
  addresses,
  bid,
  block,
  events,
  lots,
  MARK,
  open,
  rest,
  setUp,
  trader,
  UNIT,
  world,
} from "../testing/ladder.ts";
import { BTC, btcTerms, createWorld, DENOM, ETH } from "../testing/world.ts";
import { defaultLadder } from "./terms.ts";

describe("the second key", () => {
  beforeEach(() => {
    setUp({ averageMs: 60_000n });
    open("buy", 10n);
    rest("buy", 46_150n, 100n);
    block(1, MARK);
  });

  it("spares who is short at one price and not at the average of a minute", () => {
    block(1, 46_200n);
    expect(lots(trader)).toBe(10n);
    expect(events("liquidation_due")).toEqual([]);
    block(1, MARK);
    block(600, MARK);
    expect(lots(trader)).toBe(10n);
  });

  it("lets go when the average has followed, and says both", () => {
    block(1, 46_200n);
    block(300, 46_200n);
    expect(lots(trader)).toBe(6n);
    expect(events("liquidation_due")).toMatchObject([
      { reason: "both", equity: "22000000", maintenance: "23100000" },
    ]);
  });

  it("does not wait for the average of a market that has stopped", () => {
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP", feedId: ETH }));
    world.markets.setMark(world.ctx, ETH, MARK);
    const both = world.funded(3, 65n * UNIT);
    const order = { market: ETH, ticks: MARK, lots: 10n };
    const seller = accountId(world.owner(2), 0);
    world.markets.rest(world.ctx, { ...order, account: seller, side: "sell", feeReserve: 0n });
    world.markets.take(world.ctx, { ...order, account: both, side: "buy", feePpm: 0n });
    open("buy", 1n, both);
    rest("buy", 49_990n, 100n);
    block(1, MARK);
    // 25 of 25.6, and its price comes no more.
    world.markets.setMark(world.ctx, ETH, 46_000n, false);
    block(1, MARK);
    expect(lots(both)).toBe(0n);
  });

  it("is not waited for below half of maintenance", () => {
    // 9 of 22.45
    rest("buy", 44_900n, 100n);
    block(1, 44_900n);
    expect(events("liquidation_due")).toMatchObject([{ reason: "fast" }]);
    expect(lots(trader)).toBeLessThan(10n);
  });
});

describe("the throttle", () => {
  /** Orders a tenth from the mark count, and have stood for as long as depth is averaged over. */
  const FLOW = { flowPpm: 250_000n, depthRangePpm: 100_000n };
  const warmUp = (): void => {
    block(1, MARK);
    block(300, MARK);
  };

  it("gives a book a quarter of its depth, shared by shortfall, and the rest in its time", () => {
    setUp(FLOW);
    const other = world.funded(3, 60n * UNIT);
    open("buy", 10n);
    open("buy", 10n, other);
    rest("buy", 45_450n, 8n);
    warmUp();
    block(1, 45_500n);
    // 8 lots of depth: 2 may go, one each.
    expect([lots(trader), lots(other)]).toEqual([9n, 9n]);
    expect(events("liquidation_throttled")).toMatchObject([
      { side: "sell", available_lots: "2", accounts: "2", waiting: "0", depth: "364000000" },
    ]);
    block(1, 45_500n);
    expect([lots(trader), lots(other)]).toEqual([9n, 9n]);
    // Another lot, for one of them.
    block(10, 45_500n);
    expect([lots(trader), lots(other)]).toEqual([8n, 9n]);
    expect(events("liquidation_throttled")).toMatchObject([{ available_lots: "1", waiting: "1" }]);
  });

  it("counts a book that it has just begun to look at by the share of its memory that has passed", () => {
    setUp(FLOW);
    const other = world.funded(3, 60n * UNIT);
    open("buy", 10n);
    open("buy", 10n, other);
    // Whoever shows it at the first look would have it all.
    rest("buy", 45_450n, 1_000n);
    block(1, 45_500n);
    // A clip each.
    expect([lots(trader), lots(other)]).toEqual([9n, 10n]);
    block(60, 45_500n);
    // A quarter of a fifth of a thousand.
    expect(events("liquidation_throttled")).toEqual([]);
    expect(lots(other)).toBeLessThan(10n);
  });

  it("does not count orders shown for a moment", () => {
    setUp(FLOW);
    open("buy", 10n);
    rest("buy", 46_150n, 8n);
    warmUp();
    rest("buy", 46_150n, 1_000n);
    block(1, 46_200n);
    expect(lots(trader)).toBe(8n);
  });

  it("does not hold back an account below zero", () => {
    setUp({ flowPpm: 250_000n });
    world.fund.give(world.ctx, 1_000n * UNIT);
    open("buy", 10n);
    rest("buy", 42_000n, 100n);
    block(1, 42_000n);
    expect(lots(trader)).toBe(0n);
    expect(events("deleverage")).toEqual([]);
  });

  it("keeps others waiting for one window by what an account below zero sells, however much that is", () => {
    setUp({ ...FLOW, depthRangePpm: 200_000n });
    world.fund.give(world.ctx, 1_000n * UNIT);
    const [other, large] = [world.funded(3, 90n * UNIT), world.funded(4, 540n * UNIT)];
    open("buy", 90n, large);
    open("buy", 10n, other);
    rest("buy", 42_800n, 100n);
    warmUp();
    // 45 below zero: all of it is sold, more than three times what a window gives.
    block(1, 43_500n);
    expect([lots(large), lots(other)]).toEqual([0n, 10n]);
    rest("buy", 42_800n, 90n);
    // Now the other is short.
    block(10, 42_900n);
    expect(lots(other)).toBeLessThan(10n);
  });

  it("stops a market whose depth cannot be measured, and no other", () => {
    setUp(FLOW);
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP", feedId: ETH }));
    world.markets.setMark(world.ctx, ETH, MARK);
    const other = world.funded(3, 60n * UNIT);
    const maker = accountId(world.owner(2), 0);
    const order = { market: ETH, ticks: MARK, lots: 10n };
    world.markets.rest(world.ctx, { ...order, account: maker, side: "sell", feeReserve: 0n });
    world.markets.take(world.ctx, { ...order, account: other, side: "buy", feePpm: 0n });
    open("buy", 10n);
    rest("buy", 46_150n, 8n);
    block(1, MARK);
    // Within the second nothing is sampled.
    world.markets.failDepth(ETH);
    world.markets.setMark(world.ctx, ETH, 46_200n);
    block(0, 46_200n);
    expect(lots(trader)).toBe(9n);
    expect(world.markets.quarantined.map(({ market }) => market)).toEqual([ETH]);
  });

  it("lets a clip through however thin the book is", () => {
    setUp({ flowPpm: 250_000n }, { liquidationNotionalMin: "90000000" });
    open("buy", 10n);
    rest("buy", 46_150n, 1n);
    block(1, 46_200n);
    expect(lots(trader)).toBe(9n);
  });
});

describe("the fund", () => {
  const missing = () => world.margin.state.totals.require(world.ctx).pendingShortfall;
  it("is counted on once in a block, however many are closed before it pays", () => {
    setUp({});
    world.fund.give(world.ctx, 20n * UNIT);
    const others = [world.funded(3, 60n * UNIT), world.funded(4, 60n * UNIT)];
    for (const one of [trader, ...others]) open("buy", 10n, one);
    // Ten are missing of each: of the third there is nobody but the other side to pay them.
    rest("buy", 43_000n, 100n);
    block(1, 43_000n);
    expect(missing()).toBe(0n);
    expect(events("liquidation")).toHaveLength(2);
    expect(events("deleverage")).toMatchObject([{ price_ticks: "44000" }]);
  });
});

describe("the penalty of a ladder", () => {
  const penalty = {
    ...{ basePpm: 2_000n, slopePpm: 500_000n, maxPpm: 15_000n },
    ...{ backstopPpm: 300_000n, keeperPpm: 200_000n, keeperMax: "100000" },
  };

  it("is shared with the backstop and, up to a bound, with who bid", () => {
    setUp({ offerWindowMs: 60_000n, penalty });
    open("buy", 10n);
    const keeper = world.funded(3, 1_000n * UNIT);
    world.backstop.account = world.funded(6, 0n + UNIT);
    world.backstop.collects = true;
    bid(3, 5n, 46_200n);
    block(1, 46_200n);
    const [report] = events("liquidation");
    const parts = ["insurance", "backstop", "keeper"].map((one) =>
      BigInt(report?.[`penalty_${one}`] ?? "-1"),
    );
    const whole = BigInt(report?.["penalty"] ?? "0");
    expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(whole);
    expect(report).toMatchObject({ penalty_keeper: "100000", depth: "0", penalty_ppm: "15000" });
    expect(world.fund.balance(world.ctx, DENOM)).toBe(parts[0]);
    expect(world.equity(accountId(world.owner(6), 0))).toBe(UNIT + (parts[1] ?? 0n));
    expect(world.equity(keeper)).toBe(1_000n * UNIT + 100_000n);
    expect(events("liquidation_bid_filled")).toMatchObject([{ reward: "100000" }]);
  });

  it("leaves an account that has almost nothing above zero", () => {
    setUp({ penalty });
    open("buy", 10n);
    // 1 of 441
    rest("buy", 44_100n, 100n);
    block(1, 44_100n);
    expect(events("liquidation")).toMatchObject([{ penalty: "0", penalty_ppm: "0" }]);
    expect(world.equity(trader)).toBeGreaterThanOrEqual(0n);
  });
});

describe("the ladder's records", () => {
  it("go through genesis, and are shown", () => {
    setUp({ ...defaultLadder(), averageMs: 0n });
    open("buy", 10n);
    world.funded(3, 1_000n * UNIT);
    block(1, 46_200n);
    bid(3, 5n, 45_000n);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("margin speaks proto");
    const exported = GenesisState.decode(genesis.export(world.ctx));
    expect(exported.measures).toHaveLength(1);
    expect(exported.liquidationBids).toHaveLength(1);
    expect(exported.liquidationOffers).toHaveLength(1);
    const twin = createWorld();
    const second = twin.margin.module.genesis;
    if (second.kind !== "proto") throw new Error("margin speaks proto");
    second.init(twin.ctx, GenesisState.encode(exported).finish());
    expect(GenesisState.decode(second.export(twin.ctx))).toEqual(exported);
    const route = world.margin.module.queries.find(({ path }) => path.endsWith("LiquidationFlow"));
    const asked = QueryLiquidationFlowRequest.encode({ market: "" }).finish();
    const answer = QueryLiquidationFlowResponse.decode(
      route?.handle(world.ctx, asked) as Uint8Array,
    );
    expect(answer.markets).toMatchObject([{ market: "BTC-PERP", bidDepth: "0" }]);
  });

  it("are empty again once the authority turns it off", () => {
    setUp({ ...defaultLadder(), averageMs: 0n });
    open("buy", 10n);
    world.funded(3, 1_000n * UNIT);
    block(1, 46_200n);
    bid(3, 5n, 40_000n);
    const { params, ladder } = world.margin.state;
    params.set(world.ctx, { ...params.require(world.ctx), ladder: undefined });
    block(1, 46_200n);
    expect([ladder.bids, ladder.offers, ladder.measures].map((map) => map.size(world.ctx))).toEqual(
      [0, 0, 0],
    );
  });

  it("break their invariant when they are wrong", () => {
    setUp(defaultLadder());
    const { bids, measures, offers } = world.margin.state.ladder;
    const owner = addresses.format(world.owner(1));
    const broken = (write: () => void): string | null => {
      const savepoint = world.ctx.state.savepoint();
      write();
      const fault = world.violated();
      world.ctx.state.revert(savepoint);
      return fault;
    };
    const none = { owner, subaccount: 0, market: BTC, lots: 0n };
    expect(
      broken(() =>
        bids.set(world.ctx, [BTC, 1, trader], {
          ...none,
          side: "buy",
          worstTicks: 1n,
          goodTilMs: 1n,
        }),
      ),
    ).toMatch(/^ladder-records/);
    expect(broken(() => offers.set(world.ctx, [trader, BTC], { ...none, sinceNs: 1n }))).toMatch(
      /^ladder-records/,
    );
    open("buy", 1n);
    block(1, MARK);
    const measure = measures.get(world.ctx, BTC);
    if (measure === undefined) throw new Error("the market was not measured");
    expect(broken(() => measures.set(world.ctx, BTC, { ...measure, sold: "-1" }))).toMatch(
      /^ladder-records/,
    );
  });
});
