import { createHash } from "node:crypto";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { describe, expect, it } from "vitest";
import { loadBackend } from "./backend.ts";
import { nativeEd25519, verifyEd25519Js } from "./ed25519.ts";
import { nativeSecp256k1, verifySecp256k1Js } from "./secp256k1.ts";

const hex = (text: string): Uint8Array => hexToBytes(text.replaceAll(" ", ""));
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const scalar = (value: bigint): string => value.toString(16).padStart(64, "0");

/** RFC 6979 over secp256k1, key 1, message "Satoshi Nakamoto": widely published, made by none of our libraries. */
const key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const hash = createHash("sha256").update("Satoshi Nakamoto").digest("hex");
const r = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8";
const s = "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5";
const [rValue, sValue] = [BigInt(`0x${r}`), BigInt(`0x${s}`)];

const secpCases: readonly (readonly [
  name: string,
  valid: boolean,
  key: string,
  sig: string,
  hash?: string,
])[] = [
  ["a published signature", true, key, r + s],
  ["its high-s twin", false, key, r + scalar(ORDER - sValue)],
  ["r of zero", false, key, scalar(0n) + s],
  ["s of zero", false, key, r + scalar(0n)],
  ["r of the order", false, key, scalar(ORDER) + s],
  [
    "r above the order",
    false,
    key,
    scalar(rValue + ORDER > (1n << 256n) - 1n ? ORDER + 1n : rValue + ORDER) + s,
  ],
  ["s of the order", false, key, r + scalar(ORDER)],
  ["s just above half the order", false, key, r + scalar(ORDER / 2n + 1n)],
  ["all bits set", false, key, "ff".repeat(64)],
  ["r and s swapped", false, key, s + r],
  ["another hash", false, key, r + s, "00".repeat(32)],
  ["the key's negative", false, `03${key.slice(2)}`, r + s],
  ["an x off the curve", false, `02${scalar(5n)}`, r + s],
  ["an x above the field", false, `02${"ff".repeat(32)}`, r + s],
  ["an uncompressed prefix", false, `04${key.slice(2)}`, r + s],
  ["the point at infinity", false, "00".repeat(33), r + s],
  ["a 32-byte key", false, key.slice(2), r + s],
  ["no key", false, "", r + s],
  ["a 63-byte signature", false, key, (r + s).slice(2)],
  ["a 65-byte signature", false, key, `${r + s}00`],
  ["no signature", false, key, ""],
];

const identity = `01${"00".repeat(31)}`;
const groupOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/** RFC 8032 section 7.1, test 1 (empty message). */
const rfcKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const rfcSig =
  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

const edCases: readonly (readonly [
  name: string,
  valid: boolean,
  key: string,
  sig: string,
  message?: string,
])[] = [
  ["a published signature", true, rfcKey, rfcSig],
  ["another message", false, rfcKey, rfcSig, "00"],
  [
    "small-order key and R, which ZIP-215 accepts",
    true,
    identity,
    identity + "00".repeat(32),
    "aabb",
  ],
  [
    "a non-canonical small-order key, which ZIP-215 accepts",
    true,
    `ee${"ff".repeat(30)}7f`,
    identity + "00".repeat(32),
    "aa",
  ],
  ["s of the group order", false, identity, identity + groupOrder],
  ["a key off the curve", false, `02${"00".repeat(31)}`, rfcSig],
  ["a short key", false, rfcKey.slice(2), rfcSig],
  ["a short signature", false, rfcKey, rfcSig.slice(2)],
];

const secpBackends = { js: verifySecp256k1Js, native: nativeSecp256k1() };
const edBackends = { js: verifyEd25519Js, native: nativeEd25519() };

interface Case {
  readonly name: string;
  readonly valid: boolean;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

function toCase(
  [name, valid, k, sig, message]: readonly [string, boolean, string, string, string?],
  fallback: string,
): Case {
  return { name, valid, key: hex(k), signature: hex(sig), message: hex(message ?? fallback) };
}

describe("signature backends", () => {
  it.each(secpCases.map((one) => toCase(one, hash)))(
    "secp256k1: $name is judged $valid by every backend",
    ({ valid, key: publicKey, message, signature }) => {
      for (const [backend, verify] of Object.entries(secpBackends))
        if (verify !== null) expect(verify(publicKey, message, signature), backend).toBe(valid);
    },
  );

  it.each(edCases.map((one) => toCase(one, "")))(
    "ed25519: $name is judged $valid by every backend",
    ({ valid, key: publicKey, message, signature }) => {
      for (const [backend, verify] of Object.entries(edBackends))
        if (verify !== null) expect(verify(publicKey, message, signature), backend).toBe(valid);
    },
  );

  it("js forces JavaScript", () => {
    expect(loadBackend("js")).toEqual({ secp256k1: verifySecp256k1Js, ed25519: verifyEd25519Js });
  });
});
