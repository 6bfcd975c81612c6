/** Where cancels wait for a round nothing else takes an order out sooner, and a round takes in no more than was paid for. */
import { MsgTransferSubaccount } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  MarketStatus,
  MatchingMode,
  SelfTradePrevention,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { ownerOf } from "../../kit/account-id.ts";
import { ModuleError } from "../../kit/errors.ts";
import { limitedGas } from "../../kit/gas.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { transferSubaccount } from "../external/transfers.ts";
import { COLLECTED_ORDER_GAS, ROUND_ORDERS_MAX } from "../limits.ts";
import { createTestVenue, SYMBOL, TEST_ADDRESSES, type TestVenue, testMarket } from "../testing.ts";
import { parseOco } from "../waiting/pairs.ts";

function market({ openingMs = 0n, inclusionLists = true, openOrdersMax = 5 } = {}): TestVenue {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, openingMs, inclusionLists };
  return createTestVenue(testMarket({ terms: { ...defaultTerms(), openOrdersMax, auction } }));
}

function end({ ctx, keeper }: TestVenue): void {
  keeper.endRound(ctx);
  keeper.endBlock(ctx);
  ctx.nextBlock(1);
  keeper.beginBlock(ctx);
}

/** The market after a block in which account 1's order `b`, a bid for one, has entered. */
function withBid(terms: Parameters<typeof market>[0] = {}): TestVenue {
  const venue = market(terms);
  venue.place(venue.account(1), "buy 1 @ 59990 id=b");
  end(venue);
  end(venue);
  expect(venue.book()).toBe("59990:1 | ");
  return venue;
}

function cancel({ ctx, keeper, account }: TestVenue): void {
  keeper.cancel(ctx, account(1), { market: SYMBOL, orderId: 0n, clientId: "b" });
}

function shrink({ ctx, keeper, account }: TestVenue): void {
  const none = SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER;
  const change = { price: "", size: "0.5", triggerPrice: "", selfTradePrevention: none };
  keeper.amend(ctx, account(1), { market: SYMBOL, orderId: 0n, clientId: "b", ...change });
}

function transfer({ account, ctx, venue }: TestVenue): void {
  const fromOwner = TEST_ADDRESSES.format(ownerOf(account(1)));
  const ends = { fromOwner, fromSubaccount: 0, toOwner: fromOwner, toSubaccount: 7 };
  transferSubaccount(ctx, venue, MsgTransferSubaccount.fromPartial(ends));
}

function setStatus({ ctx, keeper }: TestVenue, status: MarketStatus): void {
  keeper.updateMarket(ctx, SYMBOL, { status, terms: undefined });
}

/** What a liquidation fills at the book. */
function liquidated({ account, ctx, keeper }: TestVenue): bigint {
  const order = { market: 1, account: account(9), side: "sell", lots: 1000n } as const;
  return keeper.liquidateAtBook(ctx, { ...order, limitTicks: 1n });
}

function codeOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return error.code;
  }
}

describe("a market that stood still", () => {
  for (const openingMs of [0n, 60_000n]) {
    it(`fills nothing that a past round cancelled once it trades again, with an opening of ${openingMs} ms`, () => {
      const venue = withBid({ openingMs });
      cancel(venue);
      venue.keeper.quarantine(venue.ctx, 1, "a fault");
      for (let i = 0; i < 5; i++) end(venue);
      expect(venue.book()).toBe("59990:1 | ");
      setStatus(venue, MarketStatus.MARKET_STATUS_ACTIVE);
      expect(venue.book()).toBe(" | ");
      expect(liquidated(venue)).toBe(0n);
    });
  }

  it("keeps a cancel of a round to come for its round", () => {
    const venue = withBid();
    setStatus(venue, MarketStatus.MARKET_STATUS_HALTED);
    setStatus(venue, MarketStatus.MARKET_STATUS_ACTIVE);
    cancel(venue);
    setStatus(venue, MarketStatus.MARKET_STATUS_HALTED);
    setStatus(venue, MarketStatus.MARKET_STATUS_ACTIVE);
    venue.keeper.endBlock(venue.ctx);
    expect(venue.book()).toBe("59990:1 | ");
    venue.ctx.nextBlock(1);
    venue.keeper.endRound(venue.ctx);
    expect(venue.book()).toBe(" | ");
  });

  it("carries out at its block's end what a round that found it quarantined had cancelled", () => {
    const venue = withBid();
    cancel(venue);
    venue.keeper.quarantine(venue.ctx, 1, "a fault");
    end(venue);
    venue.keeper.endRound(venue.ctx);
    setStatus(venue, MarketStatus.MARKET_STATUS_HALTED);
    venue.keeper.endBlock(venue.ctx);
    expect(venue.book()).toBe(" | ");
  });

  it("carries out all cancels at the end of a block in which it gives no rounds any more, at a stale price too", () => {
    const venue = withBid();
    cancel(venue);
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: false };
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_UNSPECIFIED,
      terms: { ...defaultTerms(), auction },
    });
    venue.setPrice(60_000, false);
    venue.keeper.endRound(venue.ctx);
    venue.keeper.endBlock(venue.ctx);
    expect(venue.book()).toBe(" | ");
  });
});

describe("between a round and its block's liquidations", () => {
  it("no order shrinks where another could not be cancelled", () => {
    const venue = withBid();
    expect(codeOf(() => shrink(venue))).toBe(51);
    expect(liquidated(venue)).toBe(1000n);
    const plain = withBid({ inclusionLists: false });
    expect(codeOf(() => shrink(plain))).toBe(0);
    expect(plain.book()).toBe("59990:0.5 | ");
  });

  it("an order shrinks at once where one is cancelled at once: in a halt", () => {
    const venue = withBid();
    setStatus(venue, MarketStatus.MARKET_STATUS_HALTED);
    shrink(venue);
    expect(venue.book()).toBe("59990:0.5 | ");
  });

  it("no sub-account is given away with its orders, in the book or to come", () => {
    const venue = withBid();
    expect(codeOf(() => transfer(venue))).toBe(54);
    cancel(venue);
    expect(codeOf(() => transfer(venue))).toBe(54);
    end(venue);
    end(venue);
    venue.place(venue.account(1), "buy 1 @ 59990 id=b");
    expect(codeOf(() => transfer(venue))).toBe(54);
    setStatus(venue, MarketStatus.MARKET_STATUS_HALTED);
    transfer(venue);
    expect(venue.eventTypes()).toContain("subaccount_transferred");
  });
});

describe("what a round takes in", () => {
  it("is paid when it is accepted", () => {
    const gas = (inclusionLists: boolean): number => {
      const venue = market({ inclusionLists });
      const account = venue.account(1);
      const order = { ...venue.ctx, gas: limitedGas(1_000_000n) };
      (venue.ctx as { gas: unknown }).gas = order.gas;
      venue.place(account, "buy 1 @ 59990 id=b");
      return Number(order.gas.used);
    };
    const difference = gas(true) - gas(false);
    // The record names its round as well.
    expect(difference).toBeGreaterThanOrEqual(COLLECTED_ORDER_GAS);
    expect(difference).toBeLessThan(COLLECTED_ORDER_GAS + 200);
  });

  it("is of one account no more than its open orders", () => {
    const venue = market();
    const account = venue.account(1);
    for (let n = 0; n < 5; n++) venue.place(account, `sell 1 @ 60000 reduce id=r${n}`);
    expect(codeOf(() => venue.place(account, "sell 1 @ 60000 reduce id=more"))).toBe(18);
  });

  it("grows no more while no auction can be held", () => {
    const venue = market();
    venue.place(venue.account(1), "sell 1 @ 60000 reduce id=a");
    venue.setPrice(60_000, false);
    expect(codeOf(() => venue.place(venue.account(1), "sell 1 @ 60000 reduce id=b"))).toBe(7);
  });

  it("is bounded: the rest waits for the next one, behind what is of an earlier", () => {
    const venue = market();
    const { account, ctx, keeper } = venue;
    const { collected } = venue.venue.state;
    const taken = (): number => {
      keeper.endRound(ctx);
      return ROUND_ORDERS_MAX + 2 - collected.size(ctx);
    };
    venue.place(account(9), "buy 1 @ 59000 id=early");
    venue.place(account(9), "buy 1 @ 59000 id=too");
    ctx.nextBlock(1);
    // Refused when they enter, for there is nothing to reduce, and before the others by their keys.
    venue.place(account(1), "sell 1 @ 60000 reduce id=model");
    const model = collected.get(ctx, [1, account(1), "model"]);
    if (model === undefined) throw new Error("expected an order");
    for (let n = 1; n < ROUND_ORDERS_MAX; n++) {
      const clientId = `r${n}`;
      collected.set(ctx, [1, account(1), clientId], { ...model, clientId });
    }
    ctx.nextBlock(1);
    expect(taken()).toBe(ROUND_ORDERS_MAX);
    expect(venue.book()).toBe("59000:1 59000:1 | ");
    expect(taken()).toBe(ROUND_ORDERS_MAX + 2);
  });

  it("takes in a pair whole, though its bound falls between the two orders", () => {
    const venue = market();
    const { account, ctx, keeper } = venue;
    const { collected } = venue.venue.state;
    // Before the pair by its key, as many as leave room for one order.
    venue.place(account(1), "sell 1 @ 60000 reduce id=model");
    const model = collected.get(ctx, [1, account(1), "model"]);
    if (model === undefined) throw new Error("expected an order");
    for (let n = 2; n < ROUND_ORDERS_MAX; n++) {
      const clientId = `r${n}`;
      collected.set(ctx, [1, account(1), clientId], { ...model, clientId });
    }
    const legs = ["buy 1 @ 59000 id=a", "buy 1 @ 58000 id=b"].map(venue.order);
    const pair = parseOco({ sender: "", owner: "", subaccount: 0, legs });
    keeper.placeOco(ctx, account(2), pair);
    venue.place(account(2), "buy 1 @ 57000 id=c");
    ctx.nextBlock(1);
    keeper.endRound(ctx);
    expect(venue.book()).toBe("59000:1 58000:1 | ");
    expect(collected.size(ctx)).toBe(1);
  });
});

describe("an order that waits from when the market matched continuously", () => {
  it.each(["block=6", "til"])(
    "expires by %s though nothing else is in the market's rounds",
    (bound) => {
      const terms = (matching: MatchingMode, inclusionLists: boolean) => {
        const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, openingMs: 0n };
        return { ...defaultTerms(), auction: { ...auction, matching, inclusionLists } };
      };
      const { MATCHING_MODE_BATCH_AUCTION, MATCHING_MODE_CONTINUOUS } = MatchingMode;
      const venue = createTestVenue(testMarket({ terms: terms(MATCHING_MODE_CONTINUOUS, false) }));
      const { account, ctx, keeper } = venue;
      const until = bound === "til" ? `til=${ctx.header.timeNs / 1_000_000n + 3_000n}` : bound;
      venue.place(account(1), `sell 1 market stop=59000 id=s ${until}`);
      keeper.updateMarket(ctx, SYMBOL, {
        status: 0,
        terms: terms(MATCHING_MODE_BATCH_AUCTION, true),
      });
      const waiting = (): number => venue.venue.waiting.of(ctx, 1).openOrders(account(1));
      for (let block = 0; block < 8; block++) {
        expect(waiting()).toBe(block < (bound === "til" ? 4 : 6) ? 1 : 0);
        end(venue);
      }
      expect(waiting()).toBe(0);
    },
  );
});
