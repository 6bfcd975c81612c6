import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { changedKeys } from "../../kit/testing/changes.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { DERIVATIVES_CODES, type DerivativesCode } from "../errors.ts";
import {
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "../external/testing.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const owner = testKey(1);
const hot = testKey(7);
const cold = testKey(8, "ed25519");
const other = testKey(2);
const HOUR_MS = 3_600_000n;
const NOW_MS = 1_700_000_000_000n;

function setUp(): TestVenue {
  const venue = createTestVenue();
  for (const number of [0, 1]) openAccount(venue, owner, number);
  openAccount(venue, other);
  return venue;
}

const grant = (venue: TestVenue, change: Partial<tx.MsgGrantTradingKey> = {}, key = hot) =>
  sendMessage(
    venue,
    "MsgGrantTradingKey",
    {
      sender: owner.address,
      key: { type: key.kind === "ed25519" ? 2 : 1, key: key.key },
      subaccounts: [0],
      markets: [],
      notionalPerDay: "200000000000",
      expiryMs: NOW_MS + HOUR_MS,
      ...change,
    },
    tx.MsgGrantTradingKeyResponse,
  );

const place = (venue: TestVenue, text: string, change: object = {}) =>
  sendMessage(
    venue,
    "MsgPlaceOrder",
    { sender: hot.address, owner: owner.address, subaccount: 0, ...venue.order(text), ...change },
    tx.MsgPlaceOrderResponse,
  );

function refused(venue: TestVenue, code: DerivativesCode, work: () => unknown): void {
  const before = venue.ctx.state.fork();
  expect(work).toThrow(
    expect.objectContaining({ codespace: "derivatives", code: DERIVATIVES_CODES[code] }),
  );
  expect(changedKeys(before, venue.ctx.state)).toEqual([]);
  expect(venue.violation()).toBeNull();
}

describe("a trading key", () => {
  it("places, cancels and batches for its owner, in the named sub-accounts only", () => {
    const venue = setUp();
    refused(venue, "notGranted", () => place(venue, "buy 1 @ 59000"));
    expect(grant(venue).trader).toBe(hot.address);
    expect(venue.keyAccounts).toEqual([hot.key]);
    place(venue, "buy 1 @ 59000 id=a");
    expect(venue.book()).toBe("59000:1 | ");
    refused(venue, "notGranted", () => place(venue, "buy 1 @ 59000", { subaccount: 1 }));
    refused(venue, "notGranted", () => place(venue, "buy 1 @ 59000", { sender: other.address }));
    const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
    const named = { ...trader, market: SYMBOL, orderId: 0n, clientId: "a" };
    sendMessage(venue, "MsgCancelOrder", named, tx.MsgCancelOrderResponse);
    const batch = {
      ...trader,
      cancels: [],
      amendments: [],
      orders: [venue.order("buy 1 @ 59000")],
    };
    sendMessage(venue, "MsgBatchOrders", batch, tx.MsgBatchOrdersResponse);
    const all = { ...trader, market: "" };
    expect(sendMessage(venue, "MsgCancelAll", all, tx.MsgCancelAllResponse).cancelled).toBe(1);
    // Its own sub-accounts are its own business.
    openAccount(venue, hot);
    place(venue, "buy 1 @ 58000", { owner: "" });
    expect(venue.clearing.account(venue.ctx, openAccount(venue, hot))?.positions).toHaveLength(1);
  });

  it("commits no more notional a day than granted; reducing does not count, cancelling gives nothing back", () => {
    const venue = setUp();
    grant(venue);
    place(venue, "buy 2 @ 59000 id=a");
    refused(venue, "grantExhausted", () => place(venue, "buy 1.5 @ 59000"));
    const spent = () =>
      venue.module.queries
        .find(({ path }) => path.endsWith("/TradingKeys"))!
        .handle(venue.ctx, query.QueryTradingKeysRequest.encode({ owner: owner.address }).finish());
    expect(query.QueryTradingKeysResponse.decode(spent()).grants).toMatchObject([
      { trader: hot.address, spentToday: "120000000000", markets: [] },
    ]);
    venue.place(openAccount(venue, other), "sell 2 @ 59000");
    place(venue, "sell 2 @ 60000 reduce");
    // An immediate order counts what it filled.
    venue.place(openAccount(venue, other), "sell 0.5 @ 61000");
    place(venue, "buy 1 @ 61000 ioc");
    refused(venue, "grantExhausted", () => place(venue, "buy 1 @ 59000"));
    const outcome = sendMessage(
      venue,
      "MsgBatchOrders",
      {
        sender: hot.address,
        owner: owner.address,
        subaccount: 0,
        cancels: [],
        amendments: [],
        orders: [venue.order("buy 1 @ 59000"), venue.order("buy 0.5 @ 59000")],
      },
      tx.MsgBatchOrdersResponse,
    );
    expect(outcome.orders.map(({ code }) => code)).toEqual([77, 0]);
    venue.ctx.nextBlock(3000);
    venue.setPrice(60_000);
    refused(venue, "grantExhausted", () => place(venue, "buy 1 @ 59000"));
    grant(venue, { expiryMs: NOW_MS + 48n * HOUR_MS });
    refused(venue, "grantExhausted", () => place(venue, "buy 1 @ 59000"));
    venue.ctx.nextBlock(86_400);
    venue.setPrice(60_000);
    place(venue, "buy 1 @ 59000");
  });

  it("amends, waits, pairs and combines within the same bounds", () => {
    const venue = setUp();
    const symbol = "BTC-USD-PERP-2";
    venue.keeper.createMarket(venue.ctx, testMarket({ symbol }));
    grant(venue);
    const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
    // 120,000 of the day's 200,000: both commit at mark, which is above their prices.
    place(venue, "buy 1 @ 59000 id=a");
    place(venue, "sell 1 market stop=59000 id=s");
    const amendment = { market: SYMBOL, orderId: 0n, clientId: "a", selfTradePrevention: 0 };
    const amend = (change: object) =>
      sendMessage(
        venue,
        "MsgAmendOrder",
        { ...trader, ...amendment, price: "", size: "", triggerPrice: "", ...change },
        tx.MsgAmendOrderResponse,
      );
    expect(amend({ size: "0.5" }).keptPriority).toBe(true);
    refused(venue, "grantExhausted", () => amend({ size: "2" }));
    amend({ price: "59500" });
    const legs = (size: string) =>
      [`sell ${size} @ 61000`, `sell ${size} market stop=59000`].map(venue.order);
    const pair = (size: string) =>
      sendMessage(venue, "MsgPlaceOco", { ...trader, legs: legs(size) }, tx.MsgPlaceOcoResponse);
    refused(venue, "grantExhausted", () => pair("0.5"));
    pair("0.1");
    venue.place(openAccount(venue, other), "sell 1 @ 60000");
    const combo = {
      ...trader,
      legs: [
        { market: SYMBOL, side: 1, size: "1" },
        { market: symbol, side: 2, size: "1" },
      ],
      netLimit: "0",
      clientId: "",
      selfTradePrevention: 0,
    };
    refused(venue, "comboNotFilled", () =>
      sendMessage(venue, "MsgPlaceCombo", combo, tx.MsgPlaceComboResponse),
    );
    const deadMan = { ...trader, deadlineMs: NOW_MS + 1000n };
    sendMessage(venue, "MsgSetDeadMan", deadMan, tx.MsgSetDeadManResponse);
    // Exhausted but for a little, it can still protect.
    place(venue, "sell 1 market stop=59000 reduce");
    grant(venue, { markets: [symbol] });
    refused(venue, "notGranted", () =>
      sendMessage(venue, "MsgPlaceCombo", combo, tx.MsgPlaceComboResponse),
    );
    refused(venue, "notGranted", () => amend({ size: "0.1" }));
    refused(venue, "notGranted", () => pair("0.1"));
    refused(venue, "notGranted", () =>
      sendMessage(venue, "MsgSetDeadMan", deadMan, tx.MsgSetDeadManResponse),
    );
  });

  it("commits in an auction what is collected, a market order at the edge of the band", () => {
    const terms = { ...defaultTerms(), auction: defaultAuctionTerms() };
    const venue = createTestVenue(testMarket({ terms }));
    openAccount(venue, owner);
    grant(venue);
    place(venue, "buy 1 @ 59000 id=a");
    // 63,000 is as far as the band goes: 60,000 + 126,000 of the 200,000.
    place(venue, "buy 2 market id=b");
    refused(venue, "grantExhausted", () => place(venue, "buy 0.3 @ 59000 id=c"));
    place(venue, "buy 0.2 @ 59000 id=c");
    expect(venue.violation()).toBeNull();
  });

  it("keeps to its markets, also when it cancels everything", () => {
    const venue = setUp();
    venue.keeper.createMarket(venue.ctx, testMarket({ symbol: "ETH-USD-PERP" }));
    grant(venue, { markets: ["ETH-USD-PERP"] });
    refused(venue, "notGranted", () => place(venue, "buy 1 @ 59000"));
    place(venue, "buy 1 @ 59000", { market: "ETH-USD-PERP" });
    venue.place(openAccount(venue, owner), "buy 1 @ 59000 id=mine");
    const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
    const named = { ...trader, market: SYMBOL, orderId: 0n, clientId: "mine" };
    refused(venue, "notGranted", () =>
      sendMessage(venue, "MsgCancelOrder", named, tx.MsgCancelOrderResponse),
    );
    const all = { ...trader, market: "" };
    expect(sendMessage(venue, "MsgCancelAll", all, tx.MsgCancelAllResponse).cancelled).toBe(1);
    expect(venue.book()).toBe("59000:1 | ");
    const floor = { ...trader, documents: [], saltBelow: 9n };
    refused(venue, "notGranted", () =>
      sendMessage(venue, "MsgCancelDocuments", floor, tx.MsgCancelDocumentsResponse),
    );
  });

  it("signs order documents, of either kind, within the same bounds", () => {
    const venue = setUp();
    grant(venue, { notionalPerDay: "90000000000" }, cold);
    const clear = (salt: bigint, by = cold, change: object = {}) =>
      sendMessage(
        venue,
        "MsgClearTrades",
        {
          sender: other.address,
          documents: [
            testSigned(testDocument(owner, "buy 1 @ 60000", { salt, ...change }), by),
            testSigned(testDocument(other, "sell 9 @ 60000"), other),
          ],
          trades: [testTrade()],
        },
        tx.MsgClearTradesResponse,
      );
    refused(venue, "notGranted", () => clear(1n, hot));
    refused(venue, "notGranted", () => clear(1n, cold, { subaccount: 1 }));
    clear(1n);
    refused(venue, "grantExhausted", () => clear(2n));
    clear(2n, owner);
    const cancel = {
      sender: cold.address,
      owner: owner.address,
      subaccount: 0,
      documents: [testDocument(owner, "buy 1 @ 60000", { salt: 3n })],
      saltBelow: 0n,
    };
    sendMessage(venue, "MsgCancelDocuments", cancel, tx.MsgCancelDocumentsResponse);
    refused(venue, "documentCancelled", () => clear(3n, owner));
  });

  it("is void from the moment it is revoked or expires, and forgotten then", () => {
    const venue = setUp();
    grant(venue);
    grant(venue, {}, cold);
    const revoke = (trader: string) =>
      sendMessage(
        venue,
        "MsgRevokeTradingKey",
        { sender: owner.address, trader },
        tx.MsgRevokeTradingKeyResponse,
      );
    place(venue, "buy 1 @ 59000");
    revoke(hot.address);
    refused(venue, "notGranted", () => place(venue, "buy 1 @ 59000"));
    refused(venue, "notGranted", () => revoke(hot.address));
    grant(venue);
    venue.ctx.nextBlock(3600);
    refused(venue, "grantExpired", () => place(venue, "buy 1 @ 59000"));
    const { grants, expiries, spent } = venue.venue.state.keys;
    venue.keeper.beginBlock(venue.ctx);
    const left = [grants, expiries, spent].map((collection) => collection.size(venue.ctx));
    expect(left).toEqual([0, 0, 0]);
    expect(venue.eventTypes().filter((type) => type === "trading_key_revoked")).toHaveLength(3);
  });

  it("is granted within bounds", () => {
    const venue = setUp();
    const bad: readonly (readonly [DerivativesCode, Partial<tx.MsgGrantTradingKey>])[] = [
      ["invalidGrant", { subaccounts: [] }],
      ["invalidGrant", { subaccounts: [1, 0] }],
      ["invalidGrant", { subaccounts: [1, 1] }],
      ["invalidGrant", { subaccounts: Array.from({ length: 33 }, (_, i) => i) }],
      ["invalidGrant", { notionalPerDay: "0" }],
      ["invalidGrant", { notionalPerDay: "1.5" }],
      ["invalidGrant", { expiryMs: NOW_MS }],
      ["invalidGrant", { expiryMs: NOW_MS + 367n * 24n * HOUR_MS }],
      ["invalidGrant", { markets: Array.from({ length: 33 }, () => SYMBOL) }],
      ["invalidGrant", { key: { type: 1, key: owner.key } }],
      ["invalidRequest", { key: { type: 2, key: hot.key } }],
      ["invalidRequest", { key: undefined }],
      ["unknownMarket", { markets: ["X"] }],
    ];
    for (const [code, change] of bad) refused(venue, code, () => grant(venue, change));
    for (let i = 0; i < 32; i++) grant(venue, {}, testKey(100 + i));
    refused(venue, "tooManyGrants", () => grant(venue));
    grant(venue, { notionalPerDay: "5" }, testKey(100));
    expect(venue.violation()).toBeNull();
  });
});
