import {
  QueryOrderRequest,
  QueryOrderResponse,
  QueryOrdersRequest,
  QueryOrdersResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { AuctionTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, TEST_ADDRESSES, type TestVenue, testMarket } from "../testing.ts";

/** Matched by auction; fee 300 ppm, tick 0.5, lot 0.001, mark 60,000. */
function auctionVenue(
  change: Partial<AuctionTerms> = {},
  terms: Partial<ReturnType<typeof defaultTerms>> = {},
  cap?: bigint,
): TestVenue {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, ...change };
  return createTestVenue(testMarket({ terms: { ...defaultTerms(), ...terms, auction } }), cap);
}

/** Ends the block; returns its events as "type key=value …" of the keys that tell the tale. */
function endBlock(venue: TestVenue): string[] {
  const { ctx } = venue;
  ctx.events.length = 0;
  venue.keeper.endBlock(ctx);
  expect(venue.violation()).toBeNull();
  const shown = [
    "client_id",
    "order_id",
    "price",
    "volume",
    "imbalance",
    "orders",
    "size",
    "remaining",
    "fee",
    "reason",
  ];
  const lines = ctx.events.splice(0).map(({ type, attributes }) => {
    const words = attributes
      .filter(({ key }) => shown.includes(key))
      .map(({ key, value }) => `${key}=${value}`);
    return [type, ...words].join(" ");
  });
  ctx.nextBlock(1);
  venue.keeper.beginBlock(ctx);
  return lines;
}

/** "a:2@60000" for each fill. */
function fills(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.startsWith("auction_fill"))
    .map((line) => {
      const value = (key: string): string => new RegExp(` ${key}=(\\S+)`).exec(line)?.[1] ?? "";
      return `${value("client_id")}:${value("size")}@${value("price")}`;
    });
}

function ask({ ctx, module }: TestVenue, name: "Order" | "Orders", request: Uint8Array): unknown {
  const route = module.queries.find(({ path }) => path.endsWith(`.Query/${name}`));
  if (route === undefined) throw new Error(`no query ${name}`);
  const answer = name === "Order" ? QueryOrderResponse : QueryOrdersResponse;
  return answer.decode(route.handle(ctx, request));
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

describe("a market matched by batch auction", () => {
  it("accepts during the block and fills at its end, everyone at one price and one fee", () => {
    const venue = auctionVenue();
    const [a, b, c] = [venue.account(1), venue.account(2), venue.account(3)];
    const response = venue.place(b, "buy 2 @ 60010 id=b");
    expect(response).toMatchObject({ orderId: 0n, status: OrderStatus.ORDER_STATUS_COLLECTED });
    expect(response).toMatchObject({ remainingSize: "2", filledSize: "0", fee: "0" });
    venue.place(a, "sell 3 @ 59990 id=a");
    venue.place(c, "buy 4 @ 60000 id=c");
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
    expect(venue.eventTypes()).toEqual(["order_accepted", "order_accepted", "order_accepted"]);
    const lines = endBlock(venue);
    expect(lines).toEqual([
      "order_placed order_id=1 price=59990 size=3 client_id=a",
      "order_placed order_id=2 price=60010 size=2 client_id=b",
      "order_placed order_id=3 price=60000 size=4 client_id=c",
      // 60,000 to 60,010 would trade 2 or 3; from 59,990 to 60,000 three trade and three are left over.
      "auction_cleared price=60000 volume=3 imbalance=3 orders=3",
      "auction_fill order_id=1 client_id=a price=60000 size=3 fee=54 remaining=0",
      "order_filled order_id=1 client_id=a",
      "auction_fill order_id=2 client_id=b price=60000 size=2 fee=36 remaining=0",
      "order_filled order_id=2 client_id=b",
      "auction_fill order_id=3 client_id=c price=60000 size=1 fee=18 remaining=3",
    ]);
    expect(venue.book()).toBe("60000:3 | ");
    expect([a, b, c].map((one) => venue.clearing.positionLots(venue.ctx, one, 1))).toEqual([
      -3000n,
      2000n,
      1000n,
    ]);
    expect([a, b, c].map(venue.clearing.feesPaid)).toEqual([54_000_000n, 36_000_000n, 18_000_000n]);
    expect(venue.venue.state.counters.get(venue.ctx, 1)?.lastTradeTicks).toBe(120_000n);
  });

  it("lets resting and new orders of a price share alike", () => {
    const venue = auctionVenue();
    venue.place(venue.account(1), "buy 3 @ 60000 id=old");
    endBlock(venue);
    venue.place(venue.account(2), "buy 1 @ 60000 id=new");
    venue.place(venue.account(3), "sell 2 @ 60000 id=s");
    expect(fills(endBlock(venue))).toEqual(["old:1.5@60000", "new:0.5@60000", "s:2@60000"]);
  });

  it("takes cancels of the block before its auction, of resting and of collected orders", () => {
    const venue = auctionVenue();
    const [a, b] = [venue.account(1), venue.account(2)];
    venue.place(a, "sell 1 @ 60000 id=rests");
    endBlock(venue);
    venue.place(b, "buy 1 @ 60000 id=b1");
    venue.place(b, "buy 1 @ 60005 id=b2");
    const cancel = (account: typeof a, clientId: string) =>
      venue.keeper.cancel(venue.ctx, account, { market: SYMBOL, orderId: 0n, clientId });
    expect(cancel(b, "b2")).toEqual({ orderId: 0n, cancelledSize: "1", round: 0n });
    expect(codeOf(() => cancel(b, "b2"))).toBe("derivatives 17");
    cancel(a, "rests");
    expect(venue.violation()).toBeNull();
    expect(fills(endBlock(venue))).toEqual([]);
    venue.place(b, "sell 1 @ 60000 id=own");
    venue.place(b, "buy 1 @ 50000 id=low");
    expect(venue.keeper.cancelAll(venue.ctx, b, "")).toBe(3);
    expect(endBlock(venue)).toEqual([]);
    expect(venue.clearing.account(venue.ctx, b)?.feeReserve).toBe(0n);
  });

  it("gives an immediate or market order one auction", () => {
    const venue = auctionVenue();
    venue.place(venue.account(1), "sell 1 @ 60100 id=a");
    venue.place(venue.account(2), "buy 3 market id=m");
    venue.place(venue.account(3), "buy 1 @ 60050 ioc id=i");
    const lines = endBlock(venue);
    expect(fills(lines)).toEqual(["a:1@60100", "m:1@60100"]);
    expect(lines.filter((line) => line.startsWith("order_cancelled"))).toEqual([
      "order_cancelled order_id=2 client_id=m size=2 reason=immediate",
      "order_cancelled order_id=3 client_id=i size=1 reason=immediate",
    ]);
    expect(venue.book()).toBe(" | ");
    for (const n of [1, 2, 3]) {
      expect(venue.clearing.account(venue.ctx, venue.account(n))?.feeReserve).toBe(0n);
    }
  });

  it("refuses what has no meaning at one price, and changes nothing", () => {
    const venue = auctionVenue({}, { openOrdersMax: 2 }, 3000n);
    const a = venue.account(1);
    const place = (text: string) => codeOf(() => venue.place(a, text));
    expect(place("buy 1 @ 60000")).toBe("derivatives 50");
    expect(place("buy 1 @ 60000 fok id=x")).toBe("derivatives 51");
    expect(place("buy 1 @ 60000 post id=x")).toBe("derivatives 51");
    expect(place("buy 1 @ 63000.5 id=x")).toBe("derivatives 12");
    expect(place("buy 4 @ 60000 id=x")).toBe("margin 7");
    expect(place("sell 1 @ 60000 reduce id=x")).toBe("derivatives 14");
    expect(place("buy 1 @ 60000 til=1 id=x")).toBe("derivatives 20");
    expect(place("buy 1 @ 60000 id=x")).toBe("accepted");
    expect(place("buy 1 @ 60000 id=x")).toBe("derivatives 16");
    expect(place("buy 1 @ 60000 id=y")).toBe("accepted");
    expect(place("buy 1 @ 60000 id=z")).toBe("derivatives 18");
    expect(venue.violation()).toBeNull();
    endBlock(venue);
    expect(venue.book()).toBe("60000:1 60000:1 | ");
    expect(place("buy 1 @ 60000 id=x")).toBe("derivatives 18");
    venue.setPrice(60_000, false);
    expect(place("buy 1 @ 60000 id=z")).toBe("derivatives 7");
  });

  it("nets an owner's own crossing orders before the price is made, so that they cannot move it", () => {
    const wash = auctionVenue();
    wash.place(wash.account(1), "sell 1 @ 60010 id=maker");
    wash.place(wash.account(2), "buy 1 @ 60100 id=victim");
    // With these as volume the price would be 60,100.
    wash.place(wash.account(3), "buy 5 @ 60100 id=w1");
    wash.place(wash.account(3, 1), "sell 6 @ 60100 id=w2");
    const lines = endBlock(wash);
    expect(fills(lines)).toEqual(["maker:1@60010", "victim:1@60010"]);
    expect(lines).toContain("order_cancelled order_id=3 client_id=w1 size=5 reason=self_trade");
    expect(wash.book()).toBe(" | 60100:1");
  });

  it("fills a reduce-only order up to the position, older ones first, and then the account's others", () => {
    const venue = auctionVenue();
    const [a, b] = [venue.account(1), venue.account(2)];
    venue.place(a, "buy 2 @ 60000 id=open");
    venue.place(b, "sell 2 @ 60000 id=other");
    endBlock(venue);
    venue.place(a, "sell 5 @ 60000 reduce id=r1");
    venue.place(a, "sell 1 @ 60000 reduce id=r2");
    venue.place(a, "sell 1 @ 60000 id=s");
    venue.place(b, "buy 9 @ 60000 id=b");
    const lines = endBlock(venue);
    expect(fills(lines)).toEqual(["r1:2@60000", "s:1@60000", "b:3@60000"]);
    expect(lines).toContain("order_cancelled order_id=4 client_id=r2 size=1 reason=reduce_only");
    expect(venue.clearing.positionLots(venue.ctx, a, 1)).toBe(-1000n);
  });

  it("closes only: resting orders act as if they were reduce-only", () => {
    const venue = auctionVenue();
    const [a, b] = [venue.account(1), venue.account(2)];
    venue.place(a, "buy 2 @ 60000 id=open");
    venue.place(b, "sell 2 @ 60000 id=other");
    endBlock(venue);
    venue.place(b, "buy 5 @ 60000 id=b1");
    venue.place(venue.account(3), "buy 5 @ 60000 id=new");
    endBlock(venue);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_CLOSE_ONLY,
      terms: undefined,
    });
    expect(codeOf(() => venue.place(a, "sell 1 @ 60000 id=x"))).toBe("derivatives 6");
    venue.place(a, "sell 2 @ 60000 reduce id=x");
    expect(fills(endBlock(venue))).toEqual(["b1:2@60000", "x:2@60000"]);
    expect(venue.clearing.openInterestLots(venue.ctx, 1)).toBe(0n);
  });

  it("takes out accounts that cannot bear their fills and clears without them", () => {
    const venue = auctionVenue({}, {}, 3000n);
    const [a, b, c] = [venue.account(1), venue.account(2), venue.account(3)];
    venue.place(a, "sell 2 @ 60000 id=a");
    venue.place(b, "buy 2 @ 60010 id=b");
    venue.place(c, "buy 2 @ 60000 id=c");
    // What it may hold shrinks after acceptance.
    venue.clearing.limit(b, 1000n);
    const lines = endBlock(venue);
    expect(lines).toContain("order_cancelled order_id=2 client_id=b size=2 reason=margin");
    expect(fills(lines)).toEqual(["a:2@60000", "c:2@60000"]);
  });

  it("is not held up by accounts that refuse one after the other, each at a better price than the next", () => {
    const venue = auctionVenue({}, {}, 3000n);
    venue.place(venue.account(1), "sell 2 @ 60000 id=a");
    venue.place(venue.account(2), "buy 2 @ 60000 id=c");
    for (let n = 3; n < 103; n++) {
      venue.place(venue.account(n), `buy 2 @ ${60_000 + n} id=b${n}`);
      venue.clearing.limit(venue.account(n), 1000n);
    }
    expect(fills(endBlock(venue))).toEqual(["a:2@60000", "c:2@60000"]);
  });

  it("takes the best prices when more cross than one auction holds, and the others in the next block", () => {
    const venue = auctionVenue({ ordersMax: 2 });
    for (const n of [1, 2, 3]) venue.place(venue.account(n), `buy 1 @ ${60_000 + n} id=b${n}`);
    for (const n of [4, 5, 6]) venue.place(venue.account(n), `sell 1 @ ${59_994 + n} id=s${n}`);
    expect(fills(endBlock(venue))).toEqual([
      "b2:1@60000",
      "b3:1@60000",
      "s4:1@60000",
      "s5:1@60000",
    ]);
    expect(venue.book()).toBe("60001:1 | 60000:1");
    expect(fills(endBlock(venue))).toEqual(["b1:1@60000", "s6:1@60000"]);
  });

  it("keeps the price inside the band around mark", () => {
    const venue = auctionVenue();
    venue.place(venue.account(1), "buy 1 @ 62000 id=b");
    endBlock(venue);
    venue.setPrice(58_000);
    venue.place(venue.account(2), "sell 1 @ 58000 id=s");
    expect(fills(endBlock(venue))).toEqual(["b:1@58000", "s:1@58000"]);
    venue.setPrice(60_000);
    venue.place(venue.account(1), "buy 1 @ 62000 id=b2");
    endBlock(venue);
    venue.setPrice(58_000);
    // 60,900 is as far as the band goes: a seller at 61,000 waits, though a buyer would pay more.
    venue.place(venue.account(2), "sell 1 @ 61000 id=s2");
    expect(fills(endBlock(venue))).toEqual([]);
    expect(venue.book()).toBe("62000:1 | 61000:1");
    venue.setPrice(60_000);
    expect(fills(endBlock(venue))).toEqual(["b2:1@61000", "s2:1@61000"]);
  });

  it("expires orders before its auction", () => {
    const venue = auctionVenue();
    const soon = Number(venue.ctx.header.timeNs / 1_000_000n) + 500;
    venue.place(venue.account(1), `sell 1 @ 60000 id=e til=${soon}`);
    endBlock(venue);
    venue.place(venue.account(2), "buy 1 @ 60000 id=b");
    const lines = endBlock(venue);
    expect(lines[0]).toBe("order_cancelled order_id=1 client_id=e size=1 reason=expired");
    expect(fills(lines)).toEqual([]);
  });

  it("keeps collected orders while it stands still, cancellable, and through an export", () => {
    const venue = auctionVenue();
    venue.place(venue.account(1), "buy 1 @ 60000 id=b");
    venue.place(venue.account(2), "sell 1 @ 60000 id=s");
    venue.place(venue.account(3), "sell 1 @ 60000 id=x");
    venue.keeper.quarantine(venue.ctx, 1, "test");
    endBlock(venue);
    expect(venue.book()).toBe(" | ");
    const owner = TEST_ADDRESSES.format(new Uint8Array(20).fill(3));
    const mine = { market: SYMBOL, owner, subaccount: 0 };
    const view = { orderId: 0n, clientId: "x", price: "60000", remainingSize: "1" };
    const all = QueryOrdersRequest.encode(QueryOrdersRequest.fromPartial(mine)).finish();
    const named = QueryOrderRequest.encode(
      QueryOrderRequest.fromPartial({ ...mine, clientId: "x" }),
    ).finish();
    expect(ask(venue, "Orders", all)).toMatchObject({
      orders: [view],
    });
    expect(ask(venue, "Order", named)).toMatchObject({ order: view });
    venue.keeper.cancel(venue.ctx, venue.account(3), {
      market: SYMBOL,
      orderId: 0n,
      clientId: "x",
    });
    expect(ask(venue, "Orders", all)).toEqual({ orders: [] });
    expect(() => ask(venue, "Order", named)).toThrow(/no such open order/);
    const { genesis } = venue.module;
    if (genesis.kind !== "proto") throw new Error("expected a proto genesis");
    const exported = genesis.export(venue.ctx);
    const copy = auctionVenue();
    for (const n of [1, 2]) copy.account(n);
    copy.clearing.adjustOpenOrders(copy.ctx, copy.account(1), 1, "buy", 1000n, 18_000_000n);
    copy.clearing.adjustOpenOrders(copy.ctx, copy.account(2), 1, "sell", 1000n, 18_000_000n);
    copy.venue.state.markets.delete(copy.ctx, 1);
    copy.venue.state.symbols.delete(copy.ctx, SYMBOL);
    const other = copy.module.genesis;
    if (other.kind !== "proto") throw new Error("expected a proto genesis");
    other.init(copy.ctx, exported);
    expect(other.export(copy.ctx)).toEqual(exported);
    copy.keeper.updateMarket(copy.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: testMarket({
        terms: { ...defaultTerms(), auction: { ...defaultAuctionTerms(), openingMs: 0n } },
      }).terms,
    });
    expect(fills(endBlock(copy))).toEqual(["b:1@60000", "s:1@60000"]);
  });
});
