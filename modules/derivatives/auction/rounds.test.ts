import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { AuctionTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  MarketStatus,
  MatchingMode,
  OrderStatus,
  SelfTradePrevention,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { ModuleError } from "../../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

/** Matched by auction, in rounds; tick 0.5, lot 0.001, mark 60,000. The first block is height 1. */
class Rounds {
  readonly venue: TestVenue;
  constructor(change: Partial<AuctionTerms> = {}) {
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
    const terms = { ...defaultTerms(), auction: { ...auction, ...change } };
    this.venue = createTestVenue(testMarket({ terms }));
  }

  get height(): number {
    return this.venue.ctx.header.height;
  }

  /** As in a transaction that lists named for `round`; absent: none did. */
  in<T>(round: number | undefined, work: () => T): T {
    const { ctx } = this.venue;
    const plain = ctx.header;
    if (round !== undefined) ctx.header = { ...plain, round };
    try {
      return work();
    } finally {
      ctx.header = plain;
    }
  }

  place(n: number, text: string, round?: number) {
    return this.in(round, () => this.venue.place(this.venue.account(n), text));
  }

  cancel(n: number, name: string | bigint, round?: number) {
    const { ctx, keeper } = this.venue;
    const named =
      typeof name === "string" ? { orderId: 0n, clientId: name } : { orderId: name, clientId: "" };
    return this.in(round, () =>
      keeper.cancel(ctx, this.venue.account(n), { market: SYMBOL, ...named }),
    );
  }

  cancelAll(n: number, round?: number, symbol: string = SYMBOL): number {
    const { ctx, keeper } = this.venue;
    return this.in(round, () => keeper.cancelAll(ctx, this.venue.account(n), symbol));
  }

  /**
   * Ends the block and begins the next; fills as "a:2@60000", orders that left as "a user". `overdue`: something listed is missing from the block, and this is
   * what comes of it at the begin of the next one.
   */
  end(overdue?: () => void): string[] {
    const { ctx, keeper } = this.venue;
    ctx.events.length = 0;
    if (overdue === undefined) keeper.endRound(ctx);
    keeper.endBlock(ctx);
    if (overdue !== undefined) {
      this.in(this.height, overdue);
      keeper.endRound(ctx);
    }
    expect(this.venue.violation()).toBeNull();
    const told = ctx.events.splice(0).flatMap(({ type, attributes }) => {
      const value = (key: string) => attributes.find((one) => one.key === key)?.value ?? "";
      const name = value("client_id");
      if (type === "auction_fill") return [`${name}:${value("size")}@${value("price")}`];
      return type === "order_cancelled" ? [`${name} ${value("reason")}`] : [];
    });
    ctx.nextBlock(1);
    keeper.beginBlock(ctx);
    return told;
  }

  position(account: AccountId): bigint {
    return this.venue.clearing.positionLots(this.venue.ctx, account, 1);
  }
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}`;
    throw error;
  }
  return "accepted";
}

describe("a market whose rounds inclusion lists give", () => {
  it("takes what nobody named in the round after its block, and says which it is", () => {
    const market = new Rounds();
    const placed = market.place(1, "sell 1 @ 60000 id=s");
    expect(placed).toMatchObject({ status: OrderStatus.ORDER_STATUS_COLLECTED, round: 2n });
    expect(market.end()).toEqual([]);
    expect(market.venue.book()).toBe(" | ");
    expect(market.place(2, "buy 1 @ 60000 id=b", 2)).toMatchObject({ round: 2n });
    expect(market.end()).toEqual(["s:1@60000", "b:1@60000"]);
  });

  it("makes the same of an order whether it stood in its block unnamed or was left out of it and named for the next", () => {
    const run = (leftOut: boolean) => {
      const market = new Rounds();
      market.place(1, "sell 2 @ 59990 id=s");
      market.place(3, "buy 1 @ 60020 id=front");
      if (!leftOut) market.place(2, "buy 2 @ 60030 id=b");
      const first = market.end();
      if (leftOut) market.place(2, "buy 2 @ 60030 id=b", market.height);
      return [first, market.end(), market.venue.book()];
    };
    expect(run(true)).toEqual(run(false));
    expect(run(true)[1]).toEqual(["s:2@60020.5", "b:2@60020.5"]);
  });

  it("holds no order to a cancel of the block that is not of its round: it stays for its auction and leaves after", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60000 id=s");
    market.end();
    // In the book from round 2 on; its cancel stands in block 2 unnamed, so it is of round 3.
    expect(market.cancel(1, "s")).toEqual({ orderId: 0n, cancelledSize: "0", round: 3n });
    market.place(2, "buy 0.4 @ 60000 id=b", 2);
    expect(market.end()).toEqual(["s:0.4@60000", "b:0.4@60000"]);
    market.place(2, "buy 0.4 @ 60000 id=c", 3);
    expect(market.end()).toEqual(["s user"]);
  });

  it("does what was named for the round before the auction, cancels first", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60000 id=s");
    market.end();
    market.end();
    market.place(2, "buy 1 @ 60000 id=b", 3);
    expect(market.cancel(1, "s", 3)).toMatchObject({ round: 3n });
    expect(market.end()).toEqual(["s user"]);
    expect(market.venue.book()).toBe("60000:1 | ");
    // By id, too; and another's id cancels nothing.
    expect(codeOf(() => market.cancel(1, 2n, 4))).toBe("derivatives 17");
    market.cancel(2, 2n, 4);
    expect(market.end()).toEqual(["b user"]);
  });

  it("cancels all that rests when the round begins, not the orders of the same round", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60100 id=a");
    market.place(1, "buy 1 @ 59900 id=b");
    market.end();
    market.end();
    expect(market.cancelAll(1, 3)).toBe(2);
    market.place(1, "sell 1 @ 60200 id=c", 3);
    market.place(1, "buy 1 @ 59800 id=d");
    expect(market.cancelAll(1, 3)).toBe(2);
    expect(market.end()).toEqual(["a user", "b user"]);
    expect(market.venue.book()).toBe(" | 60200:1");
    // Unnamed: of round 5, when d has entered.
    expect(market.cancelAll(1, undefined, "")).toBe(2);
    expect(market.end()).toEqual([]);
    expect(market.venue.book()).toBe("59800:1 | 60200:1");
    expect(market.end().sort()).toEqual(["c user", "d user"]);
  });

  it("cancels an order before its round, not one of a later round, and amends none", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60000 id=s");
    expect(codeOf(() => market.cancel(1, 7n))).toBe("derivatives 17");
    expect(codeOf(() => market.cancel(1, "x ".repeat(40)))).toBe("derivatives 2");
    expect(market.cancelAll(2)).toBe(0);
    // Named before the order was: not for it.
    market.cancel(1, "s", 1);
    expect(market.end()).toEqual([]);
    market.cancel(1, "s", 2);
    expect(market.end()).toEqual(["s user"]);
    market.place(1, "sell 1 @ 60000 id=t", 3);
    market.end();
    const amendment = {
      price: "60010",
      size: "",
      triggerPrice: "",
      selfTradePrevention: SelfTradePrevention.SELF_TRADE_PREVENTION_CANCEL_MAKER,
    };
    const name = { market: SYMBOL, orderId: 0n, clientId: "t" };
    const { ctx, keeper } = market.venue;
    expect(
      codeOf(() => keeper.amend(ctx, market.venue.account(1), { ...name, ...amendment })),
    ).toBe("derivatives 51");
    expect(codeOf(() => market.place(1, "sell 1 @ 60000 id=t"))).toBe("derivatives 16");
  });

  it("cancels by client id and all what its block has not brought yet", () => {
    const market = new Rounds();
    market.cancelAll(2, 3);
    expect(market.end()).toEqual([]);
    market.cancel(1, "late", 2);
    market.place(1, "sell 1 @ 60000 id=late", 2);
    market.place(2, "sell 1 @ 60000 id=other", 2);
    expect(market.end()).toEqual(["late user"]);
    expect(market.end()).toEqual(["other user"]);
  });

  it("lets immediate orders take part in their own round only", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60000 ioc id=s");
    market.place(2, "buy 1 @ 60000 ioc id=b", 1);
    expect(market.end()).toEqual(["b immediate"]);
    expect(market.end()).toEqual(["s immediate"]);
  });

  it("holds a round whose listed transactions were left out as if nothing had been, at the begin of the next block", () => {
    const run = (leftOut: boolean) => {
      const market = new Rounds();
      const nowMs = Number(market.venue.ctx.header.timeNs / 1_000_000n);
      market.place(1, `sell 1 @ 59000 id=s til=${nowMs + 1500}`, 1);
      market.end();
      market.place(2, "buy 1 @ 61000 id=b");
      market.place(3, "buy 0.5 @ 61000 id=early", 2);
      const listed = () => void market.venue.place(market.venue.account(4), "buy 0.5 @ 61000 id=x");
      if (!leftOut) market.in(2, listed);
      const told = [market.end(leftOut ? listed : undefined)];
      // Another price, another time: those of the next round.
      market.venue.setPrice(60_500);
      market.place(5, "sell 1 @ 59000 id=next", 3);
      told.push(market.end());
      return told;
    };
    expect(run(true)).toEqual(run(false));
    expect(run(true)).toEqual([
      ["s:1@60000", "early:0.5@60000", "x:0.5@60000"],
      ["b:1@60500", "next:1@60500"],
    ]);
  });

  it("takes orders and cancels of the chain itself in the auction that comes first, at once", () => {
    const market = new Rounds();
    const { ctx, keeper } = market.venue;
    const quote = {
      account: market.venue.account(9),
      market: 1,
      side: "sell" as const,
      ticks: 120_000n,
      lots: 1000n,
      postOnly: true,
      reduceOnly: false,
      clientId: "q",
      goodTilMs: 0,
    };
    keeper.placeForProtocol(ctx, quote);
    market.place(2, "buy 1 @ 60000 id=b", 1);
    expect(market.end()).toEqual(["b:1@60000", "q:1@60000"]);
    keeper.placeForProtocol(ctx, quote);
    keeper.cancelForProtocol(ctx, quote);
    expect(market.end()).toEqual([]);
  });

  it("keeps orders and cancels of rounds to come through an export", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60000 id=s");
    market.end();
    market.place(2, "buy 1 @ 60000 id=b");
    market.cancel(1, "s");
    market.venue.keeper.endRound(market.venue.ctx);
    const hooks = market.venue.module.genesis;
    if (hooks?.kind !== "proto") throw new Error("expected a genesis in protobuf");
    const exported = GenesisState.decode(hooks.export(market.venue.ctx));
    expect(exported.collectedOrders).toMatchObject([{ clientId: "b", round: 3n }]);
    expect(exported.collectedCancels).toMatchObject([{ market: 1, round: 3n, clientId: "s" }]);
  });

  it("does all at once where it stands still, and enters everything when lists are given up", () => {
    const market = new Rounds({ openingMs: 0n });
    const { ctx, keeper } = market.venue;
    market.place(1, "sell 1 @ 60000 id=s", 1);
    market.place(1, "sell 1 @ 60010 id=t", 1);
    market.place(2, "buy 1 @ 59000 id=b");
    market.end();
    market.cancel(1, "t");
    keeper.updateMarket(ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_HALTED,
      terms: undefined,
    });
    expect(market.cancel(1, "s")).toEqual({ orderId: 1n, cancelledSize: "1", round: 0n });
    const auction = {
      ...defaultAuctionTerms(),
      matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
      openingMs: 0n,
    };
    keeper.updateMarket(ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: { ...defaultTerms(), auction },
    });
    expect(market.end()).toEqual(["t user"]);
    expect(market.venue.book()).toBe("59000:1 | ");
  });

  it("holds its round before a dead man fires, who leaves nothing behind then", () => {
    const market = new Rounds();
    const { ctx, keeper } = market.venue;
    market.place(1, "sell 1 @ 60000 id=s", 1);
    market.end();
    keeper.setDeadMan(
      ctx,
      market.venue.account(1),
      BigInt(Number(ctx.header.timeNs / 1_000_000n) + 1),
    );
    market.place(2, "buy 0.5 @ 60000 id=b", 3);
    market.place(1, "sell 1 @ 60100 id=t");
    ctx.nextBlock(1);
    expect(market.end().sort()).toEqual(["b:0.5@60000", "s dead_man", "s:0.5@60000", "t dead_man"]);
    expect(market.venue.book()).toBe(" | ");
  });

  it("carries out cancels while its price is stale, and cancels of everything reach what was collected before", () => {
    const market = new Rounds();
    market.place(1, "sell 1 @ 60100 id=s", 1);
    market.end();
    market.venue.setPrice(60_000, false);
    market.cancel(1, "s");
    expect(market.end()).toEqual([]);
    expect(market.end()).toEqual(["s user"]);
    market.venue.setPrice(60_000);
    market.place(1, "sell 1 @ 60000 id=t");
    market.venue.setPrice(60_000, false);
    market.end();
    market.end();
    expect(market.cancelAll(1)).toBe(1);
    market.end();
    market.venue.setPrice(60_000);
    market.place(2, "buy 1 @ 60000 id=b", market.height);
    expect(market.end()).toEqual(["t user"]);
  });

  it("takes reduce-only orders for a position to come, of accounts that exist, and enters none without one", () => {
    const market = new Rounds();
    const nobody = market.venue.venue.accounts.of(
      market.venue.venue.addresses.format(new Uint8Array(20).fill(77)),
      5,
    );
    expect(codeOf(() => market.venue.place(nobody, "sell 1 @ 60000 reduce id=n"))).toBe(
      "derivatives 22",
    );
    market.place(1, "sell 1 @ 60000 reduce id=r", 1);
    expect(market.end()).toEqual(["r reduce_only"]);
  });

  it("needs matching by batch auction", () => {
    const auction = {
      ...defaultAuctionTerms(),
      matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
      inclusionLists: true,
    };
    expect(
      codeOf(() => createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }))),
    ).toBe("derivatives 24");
  });
});
