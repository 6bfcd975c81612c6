import {
  QueryLiquidationOffersRequest,
  QueryLiquidationOffersResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { beforeEach, describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import {
  bid,
  block,
  code,
  events,
  lots,
  MARK,
  open,
  setUp,
  trader,
  UNIT,
  world,
} from "../testing/ladder.ts";
import { listen } from "../testing/reasons.ts";
import { BTC, btcTerms, ETH } from "../testing/world.ts";
import { BIDS_PER_SIDE_MAX } from "./bids.ts";

/** A bid whose margin leaves once it stands. */
function phantom(number: number, size: bigint, worstTicks: bigint): void {
  const id = world.funded(number, 100n * UNIT);
  bid(number, size, worstTicks);
  world.margin.keeper.withdraw(world.ctx, id, 100n * UNIT);
}

describe("the auction", () => {
  beforeEach(() => {
    setUp({ offerWindowMs: 60_000n });
    open("buy", 10n);
    for (const number of [3, 4, 5, 6]) world.funded(number, 10_000n * UNIT);
  });

  it("offers what the book leaves, at a reserve that widens, and sells it at one price", () => {
    bid(3, 5n, 46_150n);
    bid(4, 5n, 46_100n);
    const { input, result } = listen(world.ctx);
    block(1, 46_200n);
    const offer = "liquidation_offer";
    expect([result(offer, "reserve"), input(offer, "worst"), input(offer, "window")]).toEqual([
      ...["46170", "46016", "60000"],
    ]);
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

  it("pays nobody out of the fund: to whom it sells gets what the account has left, and below zero the mark", () => {
    world.fund.give(world.ctx, 1_000n * UNIT);
    const all = world.fund.balance(world.ctx, "");
    // Of the same person, under another name: 2 units are left of the one, and 5 % of 442 would have been paid to the other.
    bid(3, 10n, 42_300n);
    block(1, 44_200n);
    expect(lots(trader)).toBe(10n);
    expect(events("liquidation_offer")).toMatchObject([{ worst_ticks: "44000" }]);
    bid(3, 10n, 44_019n);
    block(1, 44_200n);
    expect(events("liquidation_auction")).toMatchObject([{ price_ticks: "44019" }]);
    expect(world.fund.balance(world.ctx, "")).toBeGreaterThanOrEqual(all);
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

  it("sells nothing to whom it has to close on the other side", () => {
    world.markets.list(world.ctx, btcTerms({ id: ETH, symbol: "ETH-PERP", feedId: ETH }));
    world.markets.setMark(world.ctx, ETH, MARK);
    const both = world.funded(7, 120n * UNIT);
    open("sell", 10n, both);
    const [side, lotsHeld] = ["sell", 12n] as const;
    const maker = accountId(world.owner(2), 0);
    const order = { market: ETH, ticks: MARK, lots: lotsHeld };
    world.markets.rest(world.ctx, { ...order, account: maker, side, feeReserve: 0n });
    world.markets.take(world.ctx, { ...order, account: both, side: "buy", feePpm: 0n });
    // What it buys as a bidder is not there any more to be bought back for it.
    bid(7, 4n, 46_200n);
    bid(3, 50n, 46_200n, { side: "sell" });
    world.markets.setMark(world.ctx, ETH, 38_000n);
    block(1, 46_200n);
    expect(lots(both)).toBe(0n);
    expect(events("liquidation").map((one) => one["lots"])).toEqual(["10"]);
  });

  it("finds who can bear it behind any number of bids that are not", () => {
    // With the same margin, moved from one to the next.
    for (let number = 100; number < 120; number++) {
      const poor = world.funded(number, 30n * UNIT);
      bid(number, 4n, 46_200n - BigInt(number - 100));
      world.margin.keeper.withdraw(world.ctx, poor, 29n * UNIT);
    }
    bid(3, 4n, 46_175n);
    block(1, 46_200n);
    expect(lots(accountId(world.owner(3), 0))).toBe(4n);
  });

  it("cannot be kept from those who can pay by bids that nothing stands behind any more", () => {
    bid(3, 4n, 46_180n);
    for (let i = 0n; i < 12n; i++) phantom(20 + Number(i), 4n, 46_181n + i);
    block(1, 46_200n);
    expect(lots(accountId(world.owner(3), 0))).toBe(4n);
    expect(world.margin.state.ladder.bids.size(world.ctx)).toBe(0);
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

  it("takes no place of others with next to nothing", () => {
    setUp({ offerWindowMs: 60_000n }, { liquidationNotionalMin: "100000000" });
    world.funded(3, 100n * UNIT);
    expect(code(() => bid(3, 1n, MARK))).toBe("invalidRequest");
    expect(code(() => bid(3, 2n, MARK))).toBe("taken");
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

  it("finds room where nothing stands behind the others", () => {
    for (let i = 0; i < BIDS_PER_SIDE_MAX; i++) phantom(100 + i, 1n, 41_000n);
    expect(code(() => bid(3, 1n, 40_000n))).toBe("taken");
    expect(world.margin.state.ladder.bids.size(world.ctx)).toBe(1);
  });
});
