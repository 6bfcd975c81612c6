/** Which transactions ask to be named in inclusion lists. */
import { MsgBatchOrders, MsgSetDeadMan } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { derivativesMessages } from "../messages.ts";
import { createTestVenue, SYMBOL, testMarket } from "../testing.ts";
import { createListed } from "./rounds.ts";

function venueWith(inclusionLists: boolean) {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists };
  const venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }));
  const plain = testMarket({ symbol: "CONTINUOUS", terms: defaultTerms() });
  venue.keeper.createMarket(venue.ctx, plain);
  return venue;
}

function listedIn(inclusionLists: boolean) {
  const { ctx, venue } = venueWith(inclusionLists);
  const listed = createListed(venue);
  return (symbols: readonly string[]) =>
    listed(
      ctx,
      symbols.map((market) => ({ market })),
    );
}

it("a message is listed when all markets it names go by lists, and a cancel of everything when one does", () => {
  const listed = listedIn(true);
  expect(listed([SYMBOL])).toBe(true);
  expect(listed([SYMBOL, SYMBOL])).toBe(true);
  expect(listed([""])).toBe(true);
  expect(listed(["CONTINUOUS"])).toBe(false);
  expect(listed([SYMBOL, "CONTINUOUS"])).toBe(false);
  expect(listed(["NOWHERE"])).toBe(false);
});

it("nothing is listed where no market goes by lists", () => {
  const listed = listedIn(false);
  for (const symbols of [[SYMBOL], ["CONTINUOUS"], [""]]) expect(listed(symbols)).toBe(false);
});

it("a batch is not listed with one order, amendment or cancel in a market that does not go by lists", () => {
  const { ctx, keeper, venue } = venueWith(true);
  const route = derivativesMessages(venue, keeper).find(({ typeUrl }) =>
    typeUrl.endsWith("MsgBatchOrders"),
  );
  const listed = (batch: Parameters<typeof MsgBatchOrders.fromPartial>[0]) =>
    route?.listed?.(ctx, MsgBatchOrders.fromPartial(batch));
  const [here, there] = [{ market: SYMBOL }, { market: "CONTINUOUS" }];
  expect(listed({ orders: [here, here], cancels: [here] })).toBe(true);
  expect(listed({ orders: [here, there] })).toBe(false);
  expect(listed({ orders: [here], amendments: [there] })).toBe(false);
  expect(listed({ orders: [here], cancels: [there] })).toBe(false);
});

it("a dead man is set by a listed message where any market goes by lists", () => {
  for (const inclusionLists of [true, false]) {
    const { ctx, keeper, venue } = venueWith(inclusionLists);
    const route = derivativesMessages(venue, keeper).find(({ typeUrl }) =>
      typeUrl.endsWith("MsgSetDeadMan"),
    );
    const message = MsgSetDeadMan.fromPartial({ deadlineMs: 1_700_000_005_000n });
    expect(route?.listed?.(ctx, message)).toBe(inclusionLists);
  }
});
