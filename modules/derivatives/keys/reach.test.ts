import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { openAccount, sendMessage, testKey } from "../external/testing.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const owner = testKey(1);
const other = testKey(2);
const hot = testKey(7);
const trader = { sender: hot.address, owner: owner.address, subaccount: 1 };

/** `hot` may trade for sub-accounts 1 and 2 of `owner`, not for 0. */
function setUp(market = testMarket()): TestVenue {
  const venue = createTestVenue(market);
  for (const number of [0, 1, 2]) openAccount(venue, owner, number);
  const message = {
    sender: owner.address,
    key: { type: 1, key: hot.key },
    subaccounts: [1, 2],
    markets: [],
    notionalPerDay: "900000000000000",
    expiryMs: 1_700_003_600_000n,
  };
  sendMessage(venue, "MsgGrantTradingKey", message, tx.MsgGrantTradingKeyResponse);
  return venue;
}

const own = (venue: TestVenue, text: string, subaccount = 0) =>
  venue.place(openAccount(venue, owner, subaccount), text);

const place = (venue: TestVenue, text: string) =>
  sendMessage(
    venue,
    "MsgPlaceOrder",
    { ...trader, ...venue.order(text) },
    tx.MsgPlaceOrderResponse,
  );

const selfTrade = expect.objectContaining({ codespace: "derivatives", code: 21 });

function collecting(): TestVenue {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n };
  return setUp(testMarket({ terms: { ...defaultTerms(), auction } }));
}

describe("an order of a trading key", () => {
  it("never takes off an order of a sub-account outside its grant, whatever it asks for", () => {
    for (const mode of ["", " both", " decrement", " taker"]) {
      const venue = setUp();
      own(venue, "sell 1 @ 60000");
      expect(() => place(venue, `buy 1 @ 60000${mode}`)).toThrow(selfTrade);
      venue.place(openAccount(venue, other), "sell 1 @ 59000");
      const { status, reason, filledSize } = place(venue, `buy 2 @ 60000${mode}`);
      expect([status, reason, filledSize]).toEqual([3, "self_trade", "1"]);
      expect(venue.book()).toBe(" | 60000:1");
      expect(venue.violation()).toBeNull();
    }
  });

  it("takes off those of the sub-accounts it was granted, as the owner's would", () => {
    const venue = setUp();
    own(venue, "sell 1 @ 60000", 2);
    place(venue, "buy 1 @ 60000");
    expect(venue.book()).toBe("60000:1 | ");
    // The owner's own reach all of them.
    own(venue, "sell 1 @ 60000");
    expect(venue.book()).toBe(" | 60000:1");
  });

  it("keeps within the grant when it fires, in slices, and in what protects it", () => {
    const venue = setUp();
    place(venue, "buy 1 market stop=60500 id=s");
    place(venue, "buy 2 market twap=2/5000 id=t");
    venue.place(openAccount(venue, other), "sell 1 @ 59000");
    place(venue, "buy 1 @ 59000 id=e tp=60500");
    // Reduce-only: it counts for nothing.
    place(venue, "sell 1 market reduce profit=60500 id=r");
    own(venue, "sell 1 @ 60600");
    own(venue, "buy 1 @ 60400");
    venue.block(60_500);
    expect(venue.book()).toBe("60400:1 | 60600:1");
    venue.block(60_500);
    expect(venue.book()).toBe("60400:1 | 60600:1");
  });

  it("keeps within the grant when it is amended, whoever placed it", () => {
    const venue = setUp();
    own(venue, "sell 1 @ 60000");
    own(venue, "buy 1 @ 59000 id=a", 1);
    own(venue, "buy 1 market stop=60500 id=s", 1);
    const named = { market: SYMBOL, orderId: 0n, selfTradePrevention: 0, size: "" };
    const amend = (change: object) =>
      sendMessage(
        venue,
        "MsgAmendOrder",
        { ...trader, ...named, price: "", triggerPrice: "", ...change },
        tx.MsgAmendOrderResponse,
      );
    expect(() => amend({ clientId: "a", price: "60000" })).toThrow(selfTrade);
    amend({ clientId: "s", triggerPrice: "60400" });
    venue.block(60_500);
    expect(venue.book()).toBe("59000:1 | 60000:1");
  });

  it("fills no leg of a combination against them", () => {
    const venue = setUp();
    const symbol = "BTC-USD-PERP-2";
    venue.keeper.createMarket(venue.ctx, testMarket({ symbol }));
    own(venue, "sell 1 @ 60000");
    venue.place(openAccount(venue, other), "sell 1 @ 60500");
    const legs = [SYMBOL, symbol].map((market) => ({ market, side: 1, size: "1" }));
    const message = { ...trader, legs, netLimit: "999999", clientId: "", selfTradePrevention: 0 };
    expect(() =>
      sendMessage(venue, "MsgPlaceCombo", message as tx.MsgPlaceCombo, tx.MsgPlaceComboResponse),
    ).toThrow(selfTrade);
    expect(venue.book()).toBe(" | 60000:1 60500:1");
  });

  it("leaves an auction where it crosses one of them, and theirs stays", () => {
    for (const keyFirst of [false, true]) {
      const venue = collecting();
      venue.place(openAccount(venue, other), "sell 1 @ 60100 id=x");
      const send = [
        () => own(venue, "sell 1 @ 60000 id=a"),
        () => void place(venue, "buy 3 @ 60050 id=k"),
      ];
      for (const one of keyFirst ? send.reverse() : send) one();
      venue.block(60_000);
      expect(venue.book()).toBe(" | 60000:1 60100:1");
    }
  });

  it("leaves it for one that came later, and nets against a granted sub-account's", () => {
    const venue = collecting();
    place(venue, "buy 3 @ 60050 id=k");
    own(venue, "sell 1 @ 60000 id=b", 2);
    venue.block(60_000);
    expect(venue.book()).toBe("60050:2 | ");
    own(venue, "sell 1 @ 60000 id=a");
    venue.block(60_000);
    expect(venue.book()).toBe(" | 60000:1");
  });

  it("loses nothing of a TWAP whose slice leaves it", () => {
    const venue = collecting();
    own(venue, "sell 0.1 @ 60000 id=a");
    place(venue, "buy 1 market twap=2/1000 id=t");
    venue.block(60_000);
    const told = venue.ctx.events.find(({ type }) => type === "twap_slice")?.attributes ?? [];
    expect(told).toContainEqual(expect.objectContaining({ key: "reason", value: "self_trade" }));
    expect(told).toContainEqual(expect.objectContaining({ key: "remaining", value: "1" }));
    expect(venue.book()).toBe(" | 60000:0.1");
    expect(venue.violation()).toBeNull();
  });

  it("keeps its key through an export", () => {
    const venue = collecting();
    place(venue, "buy 3 @ 60050 id=k");
    venue.block(60_000);
    const { genesis } = venue.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const bytes = genesis.export(venue.ctx);
    const state = GenesisState.decode(bytes);
    expect(state.orders.map(({ trader }) => trader)).toEqual([hot.bytes]);
    const wrong = { ...state.orders[0]!, trader: new Uint8Array(19) };
    const message = GenesisState.encode({ ...state, orders: [wrong] }).finish();
    venue.ctx.state.revert(0);
    expect(() => genesis.init(venue.ctx, message)).toThrow("malformed");
  });
});
