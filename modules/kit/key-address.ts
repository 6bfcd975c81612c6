/** Addresses of single keys, as the SDK derives them. */
import { ripemd160 } from "@keel/proto/bytes/ripemd160";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { KeyKind } from "./signature.ts";

export const KEY_BYTES: Readonly<Record<KeyKind, number>> = { secp256k1: 33, ed25519: 32 };

/** 20 bytes: RIPEMD160(SHA256(key)) of a secp256k1 key, SHA256(key)[:20] of an ed25519 one. */
export function addressOfKey(kind: KeyKind, key: Uint8Array): Uint8Array {
  const hash = sha256(key);
  return kind === "secp256k1" ? ripemd160(hash) : hash.slice(0, 20);
}
