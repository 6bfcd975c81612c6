import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countersSize,
  countersValue,
  restingOrderSize,
  restingOrderValue,
} from "./record-codecs.ts";

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Around every length of a varint. */
const edge = fc
  .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -1, max: 1 }))
  .map(([bits, off]) => {
    const value = (1n << BigInt(bits)) + BigInt(off);
    return value < 0n ? 0n : value;
  });
const uint = fc.oneof(u64, edge, fc.constant(0n));
const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe("sizes that gas charges", () => {
  it("are the encoded lengths", () => {
    fc.assert(
      fc.property(uint, uint, uint, (nextOrderId, sequence, lastTradeTicks) => {
        const value = { nextOrderId, sequence, lastTradeTicks };
        expect(countersSize(value)).toBe(countersValue.encode(value).length);
        expect(countersValue.decode(countersValue.encode(value))).toEqual(value);
      }),
    );
    const attached = fc.record({
      triggerTicks: uint,
      priceTicks: uint,
      maxSlippagePpm: u32,
      clientId: fc.string({ maxLength: 32, unit: "grapheme-ascii" }),
      orderId: uint,
    });
    const order = fc.record({
      market: u32,
      id: uint,
      owner: fc.uint8Array({ minLength: 20, maxLength: 20 }),
      subaccount: u32,
      side: fc.constantFrom(1 as const, 2 as const),
      priceTicks: uint,
      sizeLots: uint,
      remainingLots: uint,
      postOnly: fc.boolean(),
      reduceOnly: fc.boolean(),
      clientId: fc.string({ maxLength: 32, unit: "grapheme-ascii" }),
      goodTilMs: uint,
      feeReservePpm: u32,
      placedHeight: uint,
      priority: uint,
      goodTilHeight: uint,
      displayLots: uint,
      hiddenLots: uint,
      ocoId: uint,
      builder: fc.option(
        fc.record({ builder: fc.uint8Array({ minLength: 20, maxLength: 20 }), feePpm: u32 }),
        { nil: undefined },
      ),
      bracket: fc.option(
        fc.record({
          takeProfit: fc.option(attached, { nil: undefined }),
          stopLoss: fc.option(attached, { nil: undefined }),
        }),
        { nil: undefined },
      ),
      trader: fc.constantFrom(new Uint8Array(0), new Uint8Array(20).fill(1)),
    });
    fc.assert(
      fc.property(order, (value) => {
        expect(restingOrderSize(value)).toBe(restingOrderValue.encode(value).length);
      }),
    );
  });
});
