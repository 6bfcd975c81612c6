import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64ToBytes, bytesToBase64 } from "./base64.ts";
import { bech32Decode, bech32Encode } from "./bech32.ts";
import { compareBytes } from "./compare.ts";
import { DecodeError } from "./decode-error.ts";
import { bytesToHex, hexToBytes } from "./hex.ts";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";
import { decodeUvarint, decodeVarint, encodeUvarint, encodeVarint } from "./varint.ts";

const bytes = fc.uint8Array({ maxLength: 70 }).map((value) => new Uint8Array(value));

function acceptsOnlyCanonical(again: (text: string) => string, text: string): boolean {
  try {
    return again(text) === text;
  } catch (error) {
    if (error instanceof DecodeError) return true;
    throw error;
  }
}

describe("whatever the bytes", () => {
  test("texts lead back to them and agree with the platform", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(base64ToBytes(bytesToBase64(value))).toEqual(value);
        expect(bytesToBase64(value)).toBe(Buffer.from(value).toString("base64"));
        expect(hexToBytes(bytesToHex(value))).toEqual(value);
        expect(bech32Decode(bech32Encode("keel", value))).toEqual({ prefix: "keel", bytes: value });
      }),
    );
  });

  test("order agrees with the platform", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => Math.sign(compareBytes(a, b)) === Buffer.compare(a, b)),
    );
  });
});

describe("whatever the text", () => {
  const base64Like = fc.string({ unit: fc.constantFrom(..."AZaz09+/=-\n"), maxLength: 12 });

  test("base64 has one form", () => {
    const again = (text: string): string => bytesToBase64(base64ToBytes(text));
    fc.assert(
      fc.property(base64Like, (text) => acceptsOnlyCanonical(again, text)),
      { numRuns: 2000 },
    );
  });

  test("bech32 and times refuse by name", () => {
    const bech32 = (text: string): string => {
      const { prefix, bytes: value } = bech32Decode(text);
      return text === text.toUpperCase() ? text : bech32Encode(prefix, value);
    };
    const time = (text: string): string => {
      parseTimestamp(text);
      return text;
    };
    fc.assert(
      fc.property(
        fc.string(),
        (text) => acceptsOnlyCanonical(bech32, text) && acceptsOnlyCanonical(time, text),
      ),
    );
  });
});

describe("numbers and times", () => {
  test("varints lead back", () => {
    const unsigned = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const signed = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
    fc.assert(
      fc.property(unsigned, signed, (u, s) => {
        expect(decodeUvarint(encodeUvarint(u)).value).toBe(u);
        expect(decodeVarint(encodeVarint(s)).value).toBe(s);
      }),
    );
  });

  test("moments lead back", () => {
    const seconds = fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n });
    fc.assert(
      fc.property(seconds, fc.nat({ max: 999_999_999 }), (whole, nanos) => {
        const time = { seconds: whole, nanos };
        expect(parseTimestamp(formatTimestamp(time))).toEqual(time);
      }),
    );
  });
});
