import { crc32 } from "node:zlib";
import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../kit/account-id.ts";
import { ownerOf } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import type { ProtoCodec } from "../kit/module.ts";
import { defaultParams } from "./defaults.ts";
import { createTestVenue, SYMBOL, TEST_ADDRESSES, type TestVenue, testMarket } from "./testing.ts";

const text = (account: AccountId): string => TEST_ADDRESSES.format(ownerOf(account));

function route(venue: TestVenue, name: string) {
  const found = venue.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`));
  if (found === undefined) throw new Error(`no route ${name}`);
  return found;
}

/** Through encode, decode, validate and handle, as a transaction would. */
function send<R>(venue: TestVenue, name: string, message: unknown, response: ProtoCodec<R>): R {
  const to = route(venue, name);
  const decoded = to.decode(to.encode({ owner: "", ...(message as object) }));
  to.validate(decoded);
  const signers = to.signers(decoded).map((address) => TEST_ADDRESSES.parse(address));
  const bytes = atomically(venue.ctx, (ctx) => to.handle({ ...ctx, signers }, decoded));
  return response.decode(bytes);
}

function ask<Q, R>(
  venue: TestVenue,
  name: string,
  codec: ProtoCodec<Q>,
  message: Q,
  answer: ProtoCodec<R>,
): R {
  const found = venue.module.queries.find(({ path }) => path.endsWith(`/${name}`));
  return answer.decode(found!.handle(venue.ctx, codec.encode(message).finish()));
}

describe("lanes", () => {
  const venue = createTestVenue();
  const sender = text(venue.account(1));
  const lane = (name: string, message: object): number =>
    route(venue, name).lane({ sender, ...message });

  it("put cancels and reduce-only first, post-only next, the rest last, a batch where its slowest part belongs", () => {
    expect(lane("MsgCancelOrder", {})).toBe(1);
    expect(lane("MsgCancelAll", {})).toBe(1);
    expect(lane("MsgPlaceOrder", venue.order("sell 1 market reduce"))).toBe(1);
    expect(lane("MsgPlaceOrder", venue.order("sell 1 @ 60000 post"))).toBe(2);
    expect(lane("MsgPlaceOrder", venue.order("sell 1 @ 60000"))).toBe(3);
    const batch = (...orders: string[]) =>
      lane("MsgBatchOrders", { cancels: [], amendments: [], orders: orders.map(venue.order) });
    expect(batch()).toBe(1);
    expect(batch("sell 1 @ 60000 post", "sell 1 market reduce")).toBe(2);
    expect(batch("sell 1 @ 60000 post", "sell 1 @ 60000")).toBe(3);
  });

  it("put what waits with what can only add, amendments at their own price too, and combinations last", () => {
    const { order } = venue;
    expect(lane("MsgPlaceOrder", order("sell 1 market stop=59000"))).toBe(2);
    expect(lane("MsgPlaceOrder", order("sell 1 market stop=59000 reduce"))).toBe(1);
    expect(lane("MsgPlaceOrder", order("sell 1 market twap=2/1000"))).toBe(2);
    expect(lane("MsgAmendOrder", { price: "" })).toBe(2);
    expect(lane("MsgAmendOrder", { price: "60000" })).toBe(3);
    const legs = ["sell 1 @ 61000 post", "sell 1 market stop=59000 reduce"].map(order);
    expect(lane("MsgPlaceOco", { legs })).toBe(2);
    expect(lane("MsgPlaceCombo", {})).toBe(3);
    expect(lane("MsgSetDeadMan", {})).toBe(1);
    const mixed = { cancels: [], orders: [order("sell 1 @ 60000 post")] };
    expect(lane("MsgBatchOrders", { ...mixed, amendments: [{ price: "60000" }] })).toBe(3);
  });
});

describe("messages", () => {
  it("place, find and cancel an order by client id and by order id, of the own sub-account only", () => {
    const venue = createTestVenue();
    const owner = venue.account(1, 3);
    const sender = text(owner);
    const place = { sender, subaccount: 3, ...venue.order("buy 1.5 @ 59000 id=a") };
    expect(send(venue, "MsgPlaceOrder", place, tx.MsgPlaceOrderResponse)).toMatchObject({
      orderId: 1n,
      status: 1,
    });
    expect(() => send(venue, "MsgPlaceOrder", place, tx.MsgPlaceOrderResponse)).toThrow(
      expect.objectContaining({ code: 16 }),
    );
    const mine = { owner: sender, subaccount: 3 };
    const one = ask(
      venue,
      "Order",
      query.QueryOrderRequest,
      { ...mine, market: SYMBOL, orderId: 0n, clientId: "a" },
      query.QueryOrderResponse,
    );
    expect(one.order).toMatchObject({
      orderId: 1n,
      price: "59000",
      size: "1.5",
      owner: sender,
      subaccount: 3,
    });
    const all = ask(
      venue,
      "Orders",
      query.QueryOrdersRequest,
      { ...mine, market: "" },
      query.QueryOrdersResponse,
    );
    expect(all.orders).toEqual([one.order]);

    const cancel = { sender, subaccount: 3, market: SYMBOL, orderId: 1n, clientId: "" };
    for (const wrong of [
      { subaccount: 0 },
      { orderId: 2n },
      { sender: text(venue.account(2)) },
      { orderId: 2n ** 60n },
    ]) {
      expect(() =>
        send(venue, "MsgCancelOrder", { ...cancel, ...wrong }, tx.MsgCancelOrderResponse),
      ).toThrow(expect.objectContaining({ code: 17 }));
    }
    expect(() =>
      send(venue, "MsgCancelOrder", { ...cancel, clientId: "a" }, tx.MsgCancelOrderResponse),
    ).toThrow(expect.objectContaining({ code: 2 }));
    expect(send(venue, "MsgCancelOrder", cancel, tx.MsgCancelOrderResponse)).toEqual({
      orderId: 1n,
      cancelledSize: "1.5",
      round: 0n,
    });
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
    // The name is free again.
    expect(send(venue, "MsgPlaceOrder", place, tx.MsgPlaceOrderResponse).orderId).toBe(2n);
    expect(
      send(venue, "MsgCancelAll", { sender, subaccount: 3, market: "" }, tx.MsgCancelAllResponse),
    ).toEqual({ cancelled: 1 });
  });

  it("refuse more open orders than allowed", () => {
    const market = testMarket();
    const venue = createTestVenue({ ...market, terms: { ...market.terms!, openOrdersMax: 2 } });
    for (let i = 0; i < 2; i++) venue.place(venue.account(1), "buy 1 @ 59000");
    expect(() => venue.place(venue.account(1), "buy 1 @ 59000")).toThrow(
      expect.objectContaining({ code: 18 }),
    );
    expect(venue.place(venue.account(1, 1), "buy 1 @ 59000").status).toBe(1);
  });

  it("answer a batch order by order; a refused one leaves nothing, not even events", () => {
    const venue = createTestVenue(testMarket(), 3000n);
    const maker = venue.account(2);
    venue.place(maker, "sell 1 @ 60000");
    const sender = text(venue.account(1));
    venue.place(venue.account(1), "buy 1 @ 59000 id=old");
    venue.eventTypes();
    const message = {
      sender,
      subaccount: 0,
      cancels: [
        { market: SYMBOL, orderId: 0n, clientId: "old" },
        { market: SYMBOL, orderId: 0n, clientId: "old" },
        { market: "NO-SUCH", orderId: 1n, clientId: "" },
      ],
      amendments: [],
      orders: [
        "buy 2 @ 60000 fok",
        "buy 1 @ 60000.25",
        "buy 1 @ 58000 id=x",
        "buy 1 @ 57000 id=x",
        "buy 9 @ 57000",
        "buy 1 @ 60000",
      ].map(venue.order),
    };
    const { cancels, orders } = send(venue, "MsgBatchOrders", message, tx.MsgBatchOrdersResponse);
    expect(cancels.map(({ code, codespace }) => `${codespace}${code}`)).toEqual([
      "0",
      "derivatives17",
      "derivatives4",
    ]);
    expect(orders.map(({ code, codespace }) => `${codespace}${code}`)).toEqual([
      "derivatives15",
      "derivatives8",
      "0",
      "derivatives16",
      "margin7",
      "0",
    ]);
    expect(orders.map(({ placed }) => placed?.orderId)).toEqual([
      undefined,
      undefined,
      3n,
      undefined,
      undefined,
      4n,
    ]);
    expect(venue.book()).toBe("58000:1 | ");
    expect(venue.violation()).toBeNull();
    expect(venue.eventTypes()).toEqual([
      "order_cancelled",
      "order_refused",
      "order_refused",
      "order_refused",
      "order_refused",
      "order_placed",
      "order_refused",
      "order_refused",
      "order_filled",
      "trade",
    ]);
  });

  it("fail a malformed batch as a whole", () => {
    const venue = createTestVenue();
    const sender = text(venue.account(1));
    const many = Array.from({ length: 101 }, () => venue.order("buy 1 @ 59000"));
    for (const orders of [[], many]) {
      expect(() =>
        send(
          venue,
          "MsgBatchOrders",
          { sender, subaccount: 0, cancels: [], amendments: [], orders },
          tx.MsgBatchOrdersResponse,
        ),
      ).toThrow(expect.objectContaining({ code: 2 }));
    }
  });

  it("let only the authority list and change markets", () => {
    const venue = createTestVenue();
    const authority = venue.keeper.params(venue.ctx).authority;
    const market = { ...testMarket(), symbol: "ETH-USD-PERP", feedId: 2 };
    const create = (by: string, listing: object) =>
      send(
        venue,
        "MsgCreateMarket",
        { authority: by, market: listing },
        tx.MsgCreateMarketResponse,
      );
    expect(() => create(text(venue.account(1)), market)).toThrow(
      expect.objectContaining({ code: 3 }),
    );
    expect(create(authority, market)).toEqual({ id: 2 });
    expect(() => create(authority, market)).toThrow(expect.objectContaining({ code: 23 }));
    // Tick x lot below one quantum; an asset that makes one lot worth less than one unit.
    expect(() => create(authority, { ...market, symbol: "A", lotSize: "0.0000000001" })).toThrow(
      expect.objectContaining({ code: 24 }),
    );
    expect(() =>
      create(authority, { ...market, symbol: "B", feedId: 1, lotSize: "0.00001" }),
    ).toThrow(expect.objectContaining({ code: 24 }));
    const terms = market.terms!;
    for (const broken of [
      { makerFeePpm: -501 },
      { takerFeePpm: 60_000 },
      { tiers: [] },
      { tiers: [{ aboveQuanta: "1", initialPpm: 5n, maintenancePpm: 3n }] },
      { tiers: [{ aboveQuanta: "0", initialPpm: 3n, maintenancePpm: 3n }] },
      { priceBandPpm: 0n },
      { notionalMax: "-1" },
      { fillsPerOrderMax: 0 },
    ]) {
      const message = { authority, market: SYMBOL, status: 0, terms: { ...terms, ...broken } };
      expect(() => send(venue, "MsgUpdateMarket", message, tx.MsgUpdateMarketResponse)).toThrow(
        expect.objectContaining({ code: 24 }),
      );
    }
    send(
      venue,
      "MsgUpdateMarket",
      { authority, market: SYMBOL, status: 2, terms: undefined },
      tx.MsgUpdateMarketResponse,
    );
    expect(venue.keeper.terms(venue.ctx, 1)?.status).toBe("closeOnly");
    const params = { ...defaultParams(), expiriesPerBlockMax: 7 };
    send(venue, "MsgUpdateParams", { authority, params }, tx.MsgUpdateParamsResponse);
    expect(venue.keeper.params(venue.ctx)).toEqual({ ...params, authority });
  });
});

describe("queries", () => {
  it("show markets and the book by levels, best first, cut at the depth", () => {
    const venue = createTestVenue();
    for (const order of ["buy 1 @ 59000", "buy 2 @ 59000", "buy 1 @ 58000", "buy 1 @ 57000"])
      venue.place(venue.account(1), order);
    venue.place(venue.account(2), "sell 1.5 @ 60500");
    venue.place(venue.account(3), "buy 0.5 @ 60500");
    const book = ask(
      venue,
      "OrderBook",
      query.QueryOrderBookRequest,
      { market: SYMBOL, depth: 2 },
      query.QueryOrderBookResponse,
    );
    expect(book).toEqual({
      market: SYMBOL,
      bids: [
        { price: "59000", size: "3", orders: 2 },
        { price: "58000", size: "1", orders: 1 },
      ],
      asks: [{ price: "60500", size: "1", orders: 1 }],
      sequence: 6n,
      height: 1n,
      checksum: crc32(Buffer.from("59000:3,58000:1,57000:1|60500:1")),
    });
    const byOrders = ask(
      venue,
      "BookOrders",
      query.QueryBookOrdersRequest,
      { market: SYMBOL, limit: 2 },
      query.QueryBookOrdersResponse,
    );
    const { checksum, height, sequence } = book;
    expect(byOrders).toMatchObject({ market: SYMBOL, checksum, height, sequence });
    const owner = TEST_ADDRESSES.format(new Uint8Array(20).fill(1));
    expect(byOrders.bids).toEqual([
      { orderId: 1n, price: "59000", size: "1", owner, subaccount: 0 },
      { orderId: 2n, price: "59000", size: "2", owner, subaccount: 0 },
    ]);
    expect(byOrders.asks.map(({ price, size }) => [price, size])).toEqual([["60500", "1"]]);
    // The same from a fork, which has no book of its own yet.
    const fork = { header: venue.ctx.header, gas: venue.ctx.gas, state: venue.ctx.state.fork() };
    const handler = venue.module.queries.find(({ path }) => path.endsWith("/OrderBook"))!;
    const request = query.QueryOrderBookRequest.encode({ market: SYMBOL, depth: 2 }).finish();
    expect(query.QueryOrderBookResponse.decode(handler.handle(fork, request))).toEqual(book);
    const { markets } = ask(
      venue,
      "Markets",
      query.QueryMarketsRequest,
      { after: 0, limit: 0, underlying: "" },
      query.QueryMarketsResponse,
    );
    expect(markets[0]).toMatchObject({
      markPrice: "60000",
      markFresh: true,
      bestBid: "59000",
      bestAsk: "60500",
      lastPrice: "60500",
      openInterest: "0.5",
      quantaPerTickLot: "500",
    });
    expect(() =>
      ask(
        venue,
        "OrderBook",
        query.QueryOrderBookRequest,
        { market: SYMBOL, depth: 501 },
        query.QueryOrderBookResponse,
      ),
    ).toThrow();
    expect(() =>
      ask(
        venue,
        "Market",
        query.QueryMarketRequest,
        { market: "X\u00e9" },
        query.QueryMarketResponse,
      ),
    ).toThrow(expect.objectContaining({ code: 4 }));
  });
});
