import fc from "fast-check";
import { expect, it } from "vitest";
import { ModuleError } from "../kit/errors.ts";
import { decodeTx } from "./tx.ts";

/** A body with a message, a memo and a timeout; an auth info with a signer and a fee; a signature. */
const valid = Uint8Array.from([
  10, 16, 10, 6, 10, 2, 47, 97, 18, 0, 18, 2, 104, 105, 24, 9, 32, 1, 18, 14, 10, 6, 18, 4, 10, 2,
  8, 1, 18, 4, 16, 192, 154, 12, 26, 2, 1, 2,
]);

it("any bytes decode or are refused with a code, never otherwise", () => {
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
    .map((changes) => {
      const bytes = valid.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  expect(decodeTx(valid)).toMatchObject({ memo: "hi", timeoutHeight: 9n, unordered: true });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
      try {
        decodeTx(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ModuleError);
      }
    }),
    { numRuns: 3_000 },
  );
});
