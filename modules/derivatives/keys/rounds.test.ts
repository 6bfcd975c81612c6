/** What a key may trade in a day, and the end of its grant, where an order's auction is held after the block that accepts it. */
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { openAccount, sendMessage, testKey } from "../external/testing.ts";
import { createTestVenue, type TestVenue, testMarket } from "../testing.ts";
import { spentToday } from "./grants.ts";

const hot = testKey(7);
const owner = testKey(1);
const other = testKey(2);
const UNIT = 1_000_000n;

/** `bid`: of a stranger, for what the key sells. */
function openVenue(granted: bigint): {
  readonly venue: TestVenue;
  sell(): void;
  bid(price: number): void;
} {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
  const venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }));
  openAccount(venue, owner);
  const stranger = openAccount(venue, other);
  const grant = {
    sender: owner.address,
    key: { type: 1, key: hot.key },
    subaccounts: [0],
    markets: [],
    notionalPerDay: `${granted * UNIT}`,
    expiryMs: BigInt(1_700_000_000_000 + 86_400_000),
  };
  sendMessage(venue, "MsgGrantTradingKey", grant, tx.MsgGrantTradingKeyResponse);
  venue.setPrice(60_000, true);
  venue.keeper.beginBlock(venue.ctx);
  const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
  return {
    venue,
    sell: () => {
      const order = { ...trader, ...venue.order("sell 0.011 @ 58000 id=s") };
      sendMessage(venue, "MsgPlaceOrder", order, tx.MsgPlaceOrderResponse);
    },
    bid: (price) => void venue.place(stranger, `buy 0.011 @ ${price} id=b`),
  };
}

/** Ends the block and begins the next one, at another price. Size and price of the key's fill, if there is one. */
function nextBlock(venue: TestVenue, price?: number): readonly string[] {
  venue.keeper.endRound(venue.ctx);
  venue.keeper.endBlock(venue.ctx);
  expect(venue.violation()).toBeNull();
  const fills = venue.ctx.events.flatMap(({ attributes, type }) => {
    const value = (name: string) => attributes.find(({ key }) => key === name)?.value ?? "";
    return type === "auction_fill" && value("client_id") === "s"
      ? [`${value("size")} at ${value("price")}`]
      : [];
  });
  venue.ctx.nextBlock(1);
  if (price !== undefined) venue.setPrice(price, true);
  venue.keeper.beginBlock(venue.ctx);
  return fills;
}

describe("where inclusion lists give rounds, an order of a key", () => {
  it("counts when it is accepted, and may be sold for more in its round", () => {
    const { venue, sell, bid } = openVenue(700n);
    sell();
    expect(spentToday(venue.ctx, venue.venue, [owner.bytes, hot.bytes])).toBe(693n * UNIT);
    nextBlock(venue, 69_000);
    bid(72_000);
    const fills = [...nextBlock(venue), ...nextBlock(venue)];
    // 759 units.
    expect(fills).toEqual(["0.011 at 69000"]);
    expect(spentToday(venue.ctx, venue.venue, [owner.bytes, hot.bytes])).toBe(693n * UNIT);
  });

  it("counts in a pair like any other, and a pair beyond the bound is refused whole", () => {
    const { venue } = openVenue(700n);
    const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
    const pair = (size: string, names: string) => {
      const [first, second] = names.split(" ");
      const low = `sell ${size} market stop=58000 id=${second}`;
      const legs = [`sell ${size} @ 61000 id=${first}`, low].map(venue.order);
      return sendMessage(venue, "MsgPlaceOco", { ...trader, legs }, tx.MsgPlaceOcoResponse);
    };
    pair("0.005", "a b");
    // Both at the end of the band.
    expect(spentToday(venue.ctx, venue.venue, [owner.bytes, hot.bytes])).toBe(630n * UNIT);
    expect(() => pair("0.001", "c d")).toThrow("quanta a day");
    expect(venue.venue.state.collected.size(venue.ctx)).toBe(2);
  });

  it("counts as a TWAP at what a slice may cost, when it is accepted and when a later one is marked", () => {
    const { venue } = openVenue(1000n);
    const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
    const order = { ...trader, ...venue.order("buy 0.01 market twap=2/1000 id=t") };
    sendMessage(venue, "MsgPlaceOrder", order, tx.MsgPlaceOrderResponse);
    const spent = () => spentToday(venue.ctx, venue.venue, [owner.bytes, hot.bytes]);
    // The end of the band is 5 % above the mark.
    expect(spent()).toBe(630n * UNIT);
    nextBlock(venue);
    nextBlock(venue, 66_000);
    nextBlock(venue);
    // All of it, as the first filled nothing, up to 69,300 instead of 63,000.
    expect(spent()).toBe(693n * UNIT);
  });

  it("that is collected is in its round when the key has been revoked", () => {
    const { venue, sell, bid } = openVenue(700n);
    bid(60_000);
    sell();
    const revoked = { sender: owner.address, trader: hot.address };
    sendMessage(venue, "MsgRevokeTradingKey", revoked, tx.MsgRevokeTradingKeyResponse);
    const fills = [...nextBlock(venue), ...nextBlock(venue)];
    expect(fills).toEqual(["0.011 at 60000"]);
  });
});
