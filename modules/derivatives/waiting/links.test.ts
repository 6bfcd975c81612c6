import { describe, expect, it } from "vitest";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { parseOco } from "./pairs.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });

function oco(venue: TestVenue, n: number, first: string, second: string) {
  const legs = [first, second].map(venue.order);
  const parsed = parseOco({ sender: "", owner: "", subaccount: 0, legs });
  return venue.keeper.placeOco(venue.ctx, venue.account(n), parsed).legs;
}

/** "3:1" for each waiting order: id and what is left of it in units. */
function waiting(venue: TestVenue): string {
  const all: string[] = [];
  venue.venue.state.waiting.each(venue.ctx, (_key, { id, remainingLots }) => {
    all.push(`${id}:${Number(remainingLots) / 1000}`);
  });
  return all.join(" ");
}

const position = (venue: TestVenue, n: number): bigint =>
  venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

describe("brackets", () => {
  it("begin with the first fill, grow with the next, and protect exactly what was filled", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 1 @ 60000");
    const placed = venue.place(venue.account(1), "buy 3 @ 60000 tp=61000 sl=59000 tpid=t slid=s");
    expect(placed).toMatchObject({ orderId: 2n, status: 1, filledSize: "1", remainingSize: "2" });
    expect([placed.takeProfitId, placed.stopLossId]).toEqual([3n, 4n]);
    expect(waiting(venue)).toBe("4:1 3:1");
    venue.place(venue.account(9), "sell 1.5 @ 60000");
    expect(waiting(venue)).toBe("4:2.5 3:2.5");
    expect(venue.violation()).toBeNull();
    venue.keeper.cancel(venue.ctx, venue.account(1), { market: SYMBOL, orderId: 2n, clientId: "" });
    venue.place(venue.account(9), "buy 9 @ 58600");
    venue.block(58_900);
    expect(position(venue, 1)).toBe(0n);
    expect(waiting(venue)).toBe("");
  });

  it("take profit and drop the stop, and the other way round for a short", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 2 @ 60000");
    venue.place(venue.account(1), "buy 2 market tp=61000/60900 sl=59000");
    venue.block(61_000);
    // The take-profit rests at its limit; the stop waits until it is filled.
    expect(venue.book()).toBe(" | 60900:2");
    venue.place(venue.account(9), "buy 0.5 @ 60900");
    expect(waiting(venue)).toBe("4:1.5");
    venue.place(venue.account(9), "buy 1.5 @ 60900");
    expect(waiting(venue)).toBe("");
    expect(position(venue, 1)).toBe(0n);

    venue.place(venue.account(9), "buy 1 @ 61000");
    venue.place(venue.account(1), "sell 1 market tp=60000 sl=62000");
    venue.place(venue.account(9), "sell 1 @ 62100");
    venue.block(62_000);
    expect(position(venue, 1)).toBe(0n);
    expect(waiting(venue)).toBe("");
  });

  it("come anew for a fill after a part of the earlier protection was used", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 1 @ 60000");
    venue.place(venue.account(1), "buy 3 @ 60000 tp=60500");
    venue.place(venue.account(9), "buy 1 @ 60450");
    venue.block(60_500);
    expect(waiting(venue)).toBe("");
    venue.place(venue.account(9), "sell 1 @ 60000");
    expect(waiting(venue)).toBe("7:1");
    expect(venue.violation()).toBeNull();
  });

  it("wait with a stop entry, and give up a client id that is in use by then", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "sell 1 @ 61100");
    venue.place(venue.account(1), "buy 1 market stop=61000 tp=63000 sl=60000 slid=s");
    venue.place(venue.account(1), "buy 0.1 @ 50000 id=s");
    venue.block(61_050);
    expect(position(venue, 1)).toBe(1000n);
    const slots: string[] = [];
    venue.venue.state.waiting.each(
      venue.ctx,
      (_key, o) => void slots.push(`${o.kind}${o.clientId}`),
    );
    expect(slots).toEqual(["1", "2"]);
  });
});

describe("one cancels the other", () => {
  it("by as much as is filled", () => {
    const venue = createTestVenue();
    const legs = oco(venue, 1, "sell 2 @ 61000 id=a", "sell 2 market stop=59000 id=b");
    expect(legs.map(({ status }) => status)).toEqual([1, 4]);
    venue.place(venue.account(9), "buy 0.5 @ 61000");
    expect(waiting(venue)).toBe("2:1.5");
    expect(venue.violation()).toBeNull();
    venue.place(venue.account(9), "buy 1 @ 58600");
    venue.block(58_900);
    // The stop sold one of its 1.5 within reach and the rest of it left; the limit order lost as much.
    expect(venue.book()).toBe(" | 61000:0.5");
    expect(position(venue, 1)).toBe(-1500n);
  });

  it("when its owner or time takes one away", () => {
    for (const name of ["a", "b"]) {
      const venue = createTestVenue();
      oco(venue, 1, "sell 2 @ 61000 id=a", "sell 2 market stop=59000 id=b");
      venue.keeper.cancel(venue.ctx, venue.account(1), {
        market: SYMBOL,
        orderId: 0n,
        clientId: name,
      });
      expect([venue.book(), waiting(venue)]).toEqual([" | ", ""]);
      expect(venue.violation()).toBeNull();
      oco(venue, 1, "sell 2 @ 61000", "sell 2 market stop=59000 til=1700000000500");
      venue.block(60_000);
      expect([venue.book(), waiting(venue)]).toEqual([" | ", ""]);
    }
  });

  it("also within one sweep over both", () => {
    const venue = createTestVenue();
    oco(venue, 1, "buy 2 @ 59900", "buy 2 @ 59800");
    venue.place(venue.account(9), "sell 3 @ 59700 ioc");
    expect(position(venue, 1)).toBe(2000n);
    expect(venue.book()).toBe(" | ");
    expect(venue.violation()).toBeNull();
  });

  it("is one order with what the first filled at once taken off", () => {
    const venue = createTestVenue();
    venue.place(venue.account(9), "buy 0.5 @ 60000");
    expect(oco(venue, 1, "sell 2 @ 60000", "sell 2 market stop=59000")).toMatchObject([
      { status: 1, remainingSize: "1.5" },
      { status: 4, remainingSize: "1.5" },
    ]);
    venue.place(venue.account(9), "buy 2 @ 60100");
    expect(oco(venue, 2, "sell 0.1 @ 60000", "sell 0.1 market stop=59000")).toMatchObject([
      { status: 2 },
      { status: 3, reason: "oco" },
    ]);
    expect(oco(venue, 3, "sell 0.3 market stop=59000", "sell 0.3 @ 60000")).toMatchObject([
      { status: 3, reason: "oco", remainingSize: "0" },
      { status: 2 },
    ]);
    expect(venue.violation()).toBeNull();
  });

  it("leaves the second in force when the chain took the first out, whichever of the two comes first", () => {
    for (const order of ["limit first", "stop first"]) {
      const venue = createTestVenue();
      venue.place(venue.account(9), "sell 1 @ 60000");
      venue.place(venue.account(1), "buy 1 @ 60000");
      venue.place(venue.account(1), "sell 1 @ 60500 reduce");
      const legs = ["sell 1 @ 61000 reduce", "sell 1 market stop=59000 reduce"] as const;
      const [first, second] = order === "limit first" ? legs : ([legs[1], legs[0]] as const);
      const placed = oco(venue, 1, first, second);
      const limit = placed[order === "limit first" ? 0 : 1];
      expect(limit).toMatchObject({ status: 3, reason: "reduce_only", remainingSize: "0" });
      expect(waiting(venue)).toBe(order === "limit first" ? "5:1" : "4:1");
      expect(venue.violation()).toBeNull();
    }
  });

  it("gives the second what the first was not filled with, though the rest of it left", () => {
    const terms = { ...testMarket().terms!, fillsPerOrderMax: 2 };
    const venue = createTestVenue(testMarket({ terms }));
    for (let i = 0; i < 3; i++) venue.place(venue.account(9), "buy 0.5 @ 60000");
    // Two fills are all that one order may have.
    expect(oco(venue, 1, "sell 3 @ 60000", "sell 3 market stop=59000")).toMatchObject([
      { status: 3, reason: "fills_bound", filledSize: "1" },
      { status: 4, remainingSize: "2" },
    ]);
    expect(waiting(venue)).toBe("5:2");
    expect(venue.violation()).toBeNull();
  });

  it("goes when its partner is found expired by whoever meets it", () => {
    for (const taker of ["sell 0.001 @ 59900 ioc", "sell 3 @ 59000 ioc"]) {
      const venue = createTestVenue();
      const { ctx } = venue;
      const { height } = ctx.header;
      oco(venue, 1, `buy 1 @ 59900 block=${height}`, "buy 1 market stop=61000");
      oco(venue, 2, `buy 1 @ 59900 til=1700000000500`, "buy 1 @ 59800");
      ctx.nextBlock(1);
      venue.place(venue.account(9), taker);
      expect([venue.book(), waiting(venue)]).toEqual([" | ", ""]);
      expect([position(venue, 1), position(venue, 2)]).toEqual([0n, 0n]);
      expect(venue.violation()).toBeNull();
    }
  });

  it("is refused unless the two belong together", () => {
    const venue = createTestVenue();
    for (const [first, second] of [
      ["sell 1 @ 61000", "sell 2 market stop=59000"],
      ["sell 1 @ 61000 ioc", "sell 1 market stop=59000"],
      ["sell 1 @ 61000 show=0.5", "sell 1 market stop=59000"],
      ["sell 1 @ 61000 id=a", "sell 1 market stop=59000 id=a"],
    ] as const) {
      expect(() => oco(venue, 1, first, second)).toThrow(refusal(44));
    }
    expect(() =>
      parseOco({ sender: "", owner: "", subaccount: 0, legs: [venue.order("buy 1 @ 1")] }),
    ).toThrow(refusal(44));
  });
});
