import { expect, it } from "vitest";
import { createTestVenue } from "../testing.ts";

const refusal = (code: number) => expect.objectContaining({ codespace: "derivatives", code });
const CLOSE_ONLY = 6;

it("a market whose price has fallen to less than 200 ticks opens no position, and closes those there are", () => {
  const venue = createTestVenue();
  const [alice, bob] = [venue.account(1), venue.account(2)];
  // A tick is half a unit.
  venue.block(100);
  venue.place(alice, "sell 2 @ 100 id=ask");
  venue.place(bob, "buy 2 @ 100");
  venue.block(99);
  expect(() => venue.place(bob, "buy 1 @ 99")).toThrow(refusal(CLOSE_ONLY));
  expect(() => venue.place(bob, "buy 1 market stop=99")).toThrow(refusal(CLOSE_ONLY));
  venue.place(bob, "sell 2 @ 99 reduce id=out");
  venue.place(alice, "buy 2 @ 99 reduce");
  const lots = [alice, bob].map((id) => venue.clearing.positionLots(venue.ctx, id, 1));
  expect(lots).toEqual([0n, 0n]);
  venue.block(100);
  expect(venue.place(bob, "buy 2 @ 100").filledSize).toBe("0");
});
