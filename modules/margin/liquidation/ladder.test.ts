import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import {
  type LadderTerms,
  MsgBidLiquidation,
  QueryLiquidationFlowRequest,
  QueryLiquidationFlowResponse,
  QueryLiquidationOffersRequest,
  QueryLiquidationOffersResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { MARGIN_CODES } from "../errors.ts";
import { BTC, btcTerms, createWorld, DENOM, type World } from "../testing/world.ts";
import { BIDS_PER_SIDE_MAX } from "./bids.ts";
import { defaultLadder } from "./terms.ts";

const UNIT = 1_000_000n;
/** One lot at 50,000 ticks is 50 units of notional. */
const MARK = 50_000n;
const addresses = createAddresses("keel");

let world: World;
let trader: AccountId;
let maker: AccountId;

/** Nothing but what is named. */
const BARE: LadderTerms = {
  ...defaultLadder(),
  ...{ averageMs: 0n, flowPpm: 0n, offerWindowMs: 0n, penalty: undefined },
  depthCountedPpm: 1_000_000n,
};

function setUp(terms: Partial<LadderTerms>, params: Parameters<typeof createWorld>[0] = {}): void {
  world = createWorld({ liquidationNotionalMin: "0", ladder: { ...BARE, ...terms }, ...params });
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, MARK);
  trader = world.funded(1, 60n * UNIT);
  maker = world.funded(2, 100_000n * UNIT);
}

function rest(side: "buy" | "sell", ticks: bigint, lots: bigint): void {
  world.markets.rest(world.ctx, { account: maker, market: BTC, side, ticks, lots, feeReserve: 0n });
}

function open(side: "buy" | "sell", lots: bigint, account = trader): void {
  rest(side === "buy" ? "sell" : "buy", MARK, lots);
  const order = { account, market: BTC, side, ticks: MARK, lots, feePpm: 0n };
  expect(world.markets.take(world.ctx, order).filled).toBe(lots);
}

/** A block this many seconds later, at this mark. */
function block(seconds: number, ticks: bigint): void {
  world.ctx.nextBlock(seconds);
  world.markets.setMark(world.ctx, BTC, ticks);
  world.ctx.events.length = 0;
  world.margin.keeper.endBlock(world.ctx);
  expect(world.violated()).toBeNull();
}

function events(type: string): Record<string, string>[] {
  return world.ctx.events
    .filter((event) => event.type === type)
    .map((event) => Object.fromEntries(event.attributes.map(({ key, value }) => [key, value])));
}

const lots = (id: AccountId) => world.margin.keeper.positionLots(world.ctx, id, BTC);

/** Of test owner `number`. */
function bid(
  number: number,
  size: bigint,
  worstTicks: bigint,
  over: Partial<MsgBidLiquidation> = {},
) {
  const route = world.margin.module.messages.find(({ typeUrl }) =>
    typeUrl.endsWith("MsgBidLiquidation"),
  );
  const message = MsgBidLiquidation.fromPartial({
    sender: addresses.format(world.owner(number)),
    ...{ market: "BTC-PERP", side: "buy", lots: size, worstTicks },
    goodTilMs: world.ctx.header.timeNs / 1_000_000n + 300_000n,
    ...over,
  });
  route?.validate(message);
  route?.handle(world.ctx.signedBy(world.owner(number)), message);
}

function code(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return Object.entries(MARGIN_CODES).find(([, value]) => value === error.code)?.[0] ?? "";
  }
  return "taken";
}

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

  it("is not waited for below half of maintenance", () => {
    // 9 of 22.45
    rest("buy", 44_900n, 100n);
    block(1, 44_900n);
    expect(events("liquidation_due")).toMatchObject([{ reason: "fast" }]);
    expect(lots(trader)).toBeLessThan(10n);
  });
});

describe("the throttle", () => {
  it("gives a book a quarter of its depth, shared by shortfall, and the rest in its time", () => {
    setUp({ flowPpm: 250_000n });
    const other = world.funded(3, 60n * UNIT);
    open("buy", 10n);
    open("buy", 10n, other);
    rest("buy", 45_450n, 8n);
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

  it("does not count orders shown for a moment", () => {
    setUp({ flowPpm: 250_000n, depthRangePpm: 100_000n });
    open("buy", 10n);
    rest("buy", 46_150n, 8n);
    block(1, MARK);
    block(60, MARK);
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

  it("lets a clip through however thin the book is", () => {
    setUp({ flowPpm: 250_000n }, { liquidationNotionalMin: "90000000" });
    open("buy", 10n);
    rest("buy", 46_150n, 1n);
    block(1, 46_200n);
    expect(lots(trader)).toBe(9n);
  });
});

describe("the auction", () => {
  beforeEach(() => {
    setUp({ offerWindowMs: 60_000n });
    open("buy", 10n);
    for (const number of [3, 4, 5, 6]) world.funded(number, 10_000n * UNIT);
  });

  it("offers what the book leaves, at a reserve that widens, and sells it at one price", () => {
    bid(3, 5n, 46_150n);
    bid(4, 5n, 46_100n);
    block(1, 46_200n);
    expect(events("liquidation_offer")).toMatchObject([
      {
        side: "sell",
        lots: "4",
        reserve_ticks: "46170",
        worst_ticks: "46016",
        mark_ticks: "46200",
      },
    ]);
    expect(lots(trader)).toBe(10n);
    block(30, 46_200n);
    expect(events("liquidation_auction")).toMatchObject([
      { side: "sell", lots: "4", price_ticks: "46150", mark_ticks: "46200", clips: "1", bids: "1" },
    ]);
    expect(events("liquidation")).toMatchObject([
      { source: "auction", lots: "4", price_ticks: "46150", wanted_lots: "4", penalty: "1846000" },
    ]);
    expect(lots(trader)).toBe(6n);
    expect(lots(accountId(world.owner(3), 0))).toBe(4n);
    expect(events("liquidation_bid_filled")).toMatchObject([{ lots: "4", price_ticks: "46150" }]);
    block(1, 46_200n);
    expect(events("liquidation_offer")).toMatchObject([{ lots: "0" }]);
    expect(world.margin.state.ladder.offers.size(world.ctx)).toBe(0);
  });

  it("sells short positions back the same way, and nobody pays more than the mark for a long one", () => {
    bid(3, 50n, 60_000n);
    block(1, 46_200n);
    expect(events("liquidation_auction")).toMatchObject([{ price_ticks: "46200" }]);
    setUp({ offerWindowMs: 60_000n });
    world.funded(3, 10_000n * UNIT);
    open("sell", 10n);
    bid(3, 50n, 40_000n, { side: "sell" });
    block(1, 53_500n);
    expect(events("liquidation_auction")).toMatchObject([{ side: "buy", price_ticks: "53500" }]);
    expect(lots(trader)).toBeGreaterThan(-10n);
  });

  it("is the same whatever the sequence of bids", () => {
    const outcomes = new Set<string>();
    const wanted = [
      [3, 3n, 46_180n],
      [4, 1n, 46_175n],
      [5, 1n, 46_175n],
      [6, 2n, 46_175n],
    ] as const;
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [1, 3, 0, 2],
    ];
    for (const order of orders) {
      setUp({ offerWindowMs: 60_000n });
      open("buy", 10n);
      for (const number of [3, 4, 5, 6]) world.funded(number, 10_000n * UNIT);
      for (const at of order) {
        const [number, size, worst] = wanted[at] as (typeof wanted)[number];
        bid(number, size, worst);
      }
      block(1, 46_200n);
      outcomes.add([3, 4, 5, 6].map((n) => lots(accountId(world.owner(n), 0))).join());
    }
    // One lot is left for three at the same price: to the largest.
    expect([...outcomes]).toEqual(["3,0,0,1"]);
  });

  it("closes nothing of an account by bids of its own owner", () => {
    world.bank.mint(world.ctx, world.owner(1), 10_000n * UNIT);
    const own = accountId(world.owner(1), 1);
    world.margin.keeper.deposit(world.ctx, world.owner(1), own, 10_000n * UNIT);
    bid(1, 50n, 46_200n, { subaccount: 1 });
    block(1, 46_200n);
    expect(lots(trader)).toBe(10n);
    expect(lots(own)).toBe(0n);
  });

  it("drops bids that their accounts can bear no more, and sells to the others", () => {
    const poor = world.funded(7, 30n * UNIT);
    bid(7, 4n, 46_200n);
    bid(3, 4n, 46_190n);
    // Its margin goes elsewhere meanwhile.
    open("buy", 3n, poor);
    block(1, 46_200n);
    expect(events("liquidation_bid")).toMatchObject([{ reason: "margin", lots: "0" }]);
    expect(lots(accountId(world.owner(3), 0))).toBe(4n);
  });

  it("asks the backstop for a bid of its own", () => {
    world.backstop.account = accountId(world.owner(6), 0);
    world.backstop.lotsMax = 3n;
    world.backstop.bidTicks = 46_190n;
    block(1, 46_200n);
    expect(lots(accountId(world.owner(6), 0))).toBe(3n);
    expect(events("liquidation_bid_filled")).toMatchObject([{ lots: "3", price_ticks: "46190" }]);
  });

  it("leaves everything to the other side when nobody bids", () => {
    block(1, 42_000n);
    expect(events("liquidation_offer")[0]).toMatchObject({ lots: "10" });
    expect(events("deleverage")).toMatchObject([{ lots: "10", price_ticks: "44000" }]);
    expect(lots(trader)).toBe(0n);
    expect(world.margin.state.ladder.offers.size(world.ctx)).toBe(0);
  });

  it("shows offers and bids, and where the reserve stands", () => {
    bid(3, 5n, 46_000n);
    block(1, 46_200n);
    world.ctx.nextBlock(29);
    const route = world.margin.module.queries.find(({ path }) =>
      path.endsWith("LiquidationOffers"),
    );
    const asked = QueryLiquidationOffersRequest.encode({ market: "BTC-PERP" }).finish();
    const answer = QueryLiquidationOffersResponse.decode(
      route?.handle(world.ctx, asked) as Uint8Array,
    );
    expect(answer.offers).toMatchObject([
      { market: "BTC-PERP", side: "buy", markTicks: "46200", offer: { lots: 4n } },
    ]);
    expect(Number(answer.offers[0]?.reserveTicks)).toBeCloseTo(46_092, -1);
    expect(answer.bids).toMatchObject([{ lots: 5n, worstTicks: 46_000n, side: "buy" }]);
  });
});

describe("a bid", () => {
  beforeEach(() => {
    setUp({ offerWindowMs: 60_000n });
    world.funded(3, 100n * UNIT);
  });

  it("is refused without an auction, account, market, time, price or margin", () => {
    expect(code(() => bid(3, 1n, MARK))).toBe("taken");
    expect(code(() => bid(9, 1n, MARK))).toBe("unknownAccount");
    expect(code(() => bid(3, 1n, MARK, { market: "NO-PERP" }))).toBe("unknownMarket");
    expect(code(() => bid(3, 1n, MARK, { goodTilMs: 1n }))).toBe("invalidRequest");
    expect(code(() => bid(3, 1n, 0n))).toBe("invalidRequest");
    expect(code(() => bid(3, 1n, MARK, { side: "both" }))).toBe("invalidRequest");
    expect(code(() => bid(3, 1_000n, MARK))).toBe("insufficientMargin");
    world.markets.setStatus(world.ctx, BTC, "closeOnly");
    expect(code(() => bid(3, 1n, MARK))).toBe("invalidRequest");
    world.markets.setStatus(world.ctx, BTC, "halted");
    expect(code(() => bid(3, 1n, MARK))).toBe("stalePrice");
    setUp({});
    expect(code(() => bid(1, 1n, MARK))).toBe("noLiquidationAuction");
  });

  it("replaces the one before, is taken back by 0 lots, and ends with its time", () => {
    const standing = () => world.margin.state.ladder.bids.size(world.ctx);
    bid(3, 1n, MARK);
    bid(3, 2n, MARK - 1n);
    expect(standing()).toBe(1);
    bid(3, 0n, 0n);
    expect(standing()).toBe(0);
    bid(3, 2n, MARK);
    block(299, MARK);
    expect(standing()).toBe(1);
    block(1, MARK);
    expect(standing()).toBe(0);
    expect(events("liquidation_bid")).toMatchObject([{ reason: "expired" }]);
  });

  it("makes room by the worst one, whoever came first", () => {
    for (let i = 0; i < BIDS_PER_SIDE_MAX; i++) {
      world.funded(100 + i, 100n * UNIT);
      bid(100 + i, 1n, 40_000n + BigInt(i));
    }
    world.funded(300, 100n * UNIT);
    expect(code(() => bid(300, 1n, 40_000n))).toBe("bidsFull");
    expect(code(() => bid(3, 1n, 40_001n))).toBe("taken");
    expect(world.margin.state.ladder.bids.size(world.ctx)).toBe(BIDS_PER_SIDE_MAX);
    expect(code(() => bid(100, 1n, 39_999n))).toBe("bidsFull");
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
