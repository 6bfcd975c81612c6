import { describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { parseCombo } from "./combos.ts";
import { parseRequest } from "./requests.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const OTHER = "BTC-USD-PERP-2";

/** Two markets, each with an own maker: the first asks 60,000, the second bids 60,100. */
function twoMarkets(cap?: bigint): TestVenue {
  const venue = createTestVenue(testMarket(), cap);
  venue.keeper.createMarket(venue.ctx, testMarket({ symbol: OTHER }));
  place(venue, 9, SYMBOL, "sell 2 @ 60000");
  place(venue, 9, OTHER, "buy 1 @ 60100");
  place(venue, 9, OTHER, "buy 1 @ 60050");
  return venue;
}

function place(venue: TestVenue, n: number, market: string, text: string): void {
  const order = parseRequest({ ...venue.order(text), market });
  venue.keeper.place(venue.ctx, venue.account(n), order);
}

function combo(venue: TestVenue, netLimit: string, size = "2") {
  const message = {
    sender: "",
    owner: "",
    subaccount: 0,
    legs: [
      { market: SYMBOL, side: 1 as const, size },
      { market: OTHER, side: 2 as const, size },
    ],
    netLimit,
    clientId: "c",
    selfTradePrevention: 0 as const,
  };
  return atomically(venue.ctx, (ctx) =>
    venue.keeper.placeCombo(ctx, venue.account(1), parseCombo(message)),
  );
}

const positions = (venue: TestVenue): bigint[] =>
  [1, 2].map((market) => venue.clearing.positionLots(venue.ctx, venue.account(1), market));

describe("a combination", () => {
  it("fills every leg within the net limit", () => {
    const venue = twoMarkets();
    const done = combo(venue, "-150");
    expect(done.netQuote).toBe("-150");
    expect(done.legs.map(({ status, filledQuote }) => [status, filledQuote])).toEqual([
      [2, "120000"],
      [2, "120150"],
    ]);
    expect(positions(venue)).toEqual([2000n, -2000n]);
    expect(venue.violation()).toBeNull();
  });

  it("changes nothing when the net is beyond the limit, a leg cannot be filled, or margin does not suffice", () => {
    for (const [netLimit, size, error] of [
      ["-150.000001", "2", refusal(46)],
      ["1000000", "2.5", refusal(45)],
      ["0", "0.0005", refusal(9)],
    ] as const) {
      const venue = twoMarkets();
      venue.ctx.events.length = 0;
      expect(() => combo(venue, netLimit, size)).toThrow(error);
      expect(positions(venue)).toEqual([0n, 0n]);
      expect(venue.ctx.events).toEqual([]);
      expect(venue.book()).toBe(" | 60000:2");
      expect(venue.violation()).toBeNull();
    }
    const poor = twoMarkets(4000n);
    poor.account(1);
    place(poor, 1, OTHER, "sell 3 @ 60200");
    expect(() => combo(poor, "0")).toThrow(refusal(45));
    expect(positions(poor)).toEqual([0n, 0n]);
  });

  it("does reducing legs first, so that they make room for the others", () => {
    const venue = twoMarkets();
    place(venue, 9, OTHER, "sell 1 @ 60150");
    place(venue, 1, OTHER, "buy 1 @ 60150");
    venue.ctx.events.length = 0;
    combo(venue, "0", "1");
    const markets = venue.ctx.events
      .filter(({ type }) => type === "trade")
      .map(({ attributes }) => attributes.find(({ key }) => key === "market")?.value);
    expect(markets).toEqual([OTHER, SYMBOL]);
  });

  it("is refused for what is no combination", () => {
    const leg = { market: SYMBOL, side: 1 as const, size: "1" };
    const plain = { sender: "", owner: "", subaccount: 0, netLimit: "0", clientId: "" };
    const wrong = (change: object) => () =>
      parseCombo({
        ...plain,
        legs: [leg, { ...leg, market: OTHER }],
        selfTradePrevention: 0,
        ...change,
      });
    expect(wrong({})).not.toThrow();
    expect(wrong({ legs: [leg] })).toThrow(refusal(2));
    expect(wrong({ legs: [leg, leg] })).toThrow(refusal(2));
    expect(
      wrong({ legs: Array.from({ length: 9 }, (_, i) => ({ ...leg, market: `M${i}` })) }),
    ).toThrow(refusal(2));
    expect(wrong({ netLimit: "" })).toThrow(refusal(8));
    expect(wrong({ netLimit: "0.0000001" })).toThrow(refusal(8));
  });
});
