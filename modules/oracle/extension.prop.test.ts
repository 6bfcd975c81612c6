import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeExtension, encodeExtension } from "./extension.ts";
import { txKeys } from "./lists/keys.ts";

const report = fc.record({
  feedId: fc.integer({ min: 1, max: 0xffffffff }),
  mantissa: fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }),
  confidence: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
});

it("round-trips any reports, ascending", () => {
  const reports = fc.uniqueArray(report, { selector: (one) => one.feedId, maxLength: 128 });
  fc.assert(
    fc.property(reports, (all) => {
      const decoded = decodeExtension(encodeExtension(all));
      const sorted = [...all].sort((a, b) => a.feedId - b.feedId);
      expect(decoded).toEqual({
        vote: { feeds: sorted, transactions: new Uint8Array(0), surfaces: [] },
      });
    }),
  );
});

it("answers any bytes with a vote or a fault, never with an exception", () => {
  const noise = fc.uint8Array({ maxLength: 200 });
  const reports = fc.uniqueArray(report, { selector: (one) => one.feedId, maxLength: 5 });
  fc.assert(
    fc.property(noise, reports, fc.nat(), (bytes, all, cut) => {
      const good = encodeExtension(all, [], txKeys([bytes]));
      for (const one of [bytes, good.slice(0, cut % (good.length + 1))]) {
        const decoded = decodeExtension(one);
        expect("vote" in decoded || decoded.fault.length > 0).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
