import { hexToBytes } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import { ed25519PublicKey, ed25519Sign, verifyZip215 } from "./ed25519.ts";
import { hashOf } from "./testing/world.ts";

/** The eight points of small order, then the six further encodings of them that only ZIP-215 reads. */
const smallOrder: readonly string[] = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
/** Order of the base point, little-endian. */
const groupOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
const zero32 = "0".repeat(64);
const message = utf8ToBytes("Zcash");

describe("ZIP-215", () => {
  test("all 196 small-order and non-canonical pairs with S = 0 are accepted", () => {
    const refused: string[] = [];
    for (const key of smallOrder) {
      for (const r of smallOrder) {
        if (!verifyZip215(hexToBytes(key), message, hexToBytes(r + zero32)))
          refused.push(`${key} ${r}`);
      }
    }
    expect(refused).toEqual([]);
    expect(smallOrder).toHaveLength(14);
    // Two hundred slow verifications on a machine that may be busy.
  }, 60_000);

  test("a strict verifier refuses some of them, so the choice of rule is consensus", () => {
    const strict = smallOrder.filter((r) => {
      try {
        const key = hexToBytes(smallOrder[0] ?? "");
        return ed25519.verify(hexToBytes(r + zero32), message, key, { zip215: false });
      } catch {
        return false;
      }
    });
    expect(strict.length).toBeLessThan(14);
  });

  test("S at or above the group order is refused", () => {
    const identity = hexToBytes(smallOrder[0] ?? "");
    expect(verifyZip215(identity, message, hexToBytes(smallOrder[0] + zero32))).toBe(true);
    expect(verifyZip215(identity, message, hexToBytes(smallOrder[0] + groupOrder))).toBe(false);
    expect(verifyZip215(identity, message, hexToBytes(smallOrder[0] + "ff".repeat(32)))).toBe(
      false,
    );
  });

  test("malformed keys and signatures are not valid, and nothing throws", () => {
    const seed = hashOf("seed");
    const key = ed25519PublicKey(seed);
    const signature = ed25519Sign(seed, message);
    expect(verifyZip215(key, message, signature)).toBe(true);
    expect(verifyZip215(key, utf8ToBytes("zcash"), signature)).toBe(false);
    expect(verifyZip215(key.subarray(1), message, signature)).toBe(false);
    expect(verifyZip215(key, message, signature.subarray(1))).toBe(false);
    expect(verifyZip215(key, message, new Uint8Array(0))).toBe(false);
    // No curve point has y = 2.
    expect(verifyZip215(hexToBytes(`02${"00".repeat(31)}`), message, signature)).toBe(false);
  });

  test("RFC 8032 test 2", () => {
    const seed = hexToBytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    const key = hexToBytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const signature = hexToBytes(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    expect(ed25519PublicKey(seed)).toEqual(key);
    expect(ed25519Sign(seed, Uint8Array.of(0x72))).toEqual(signature);
    expect(verifyZip215(key, Uint8Array.of(0x72), signature)).toBe(true);
  });
});
