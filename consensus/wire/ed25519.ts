/** ed25519 in plain JavaScript. Verification is ZIP-215, the rule of every Comet validator: what one accepts, all accept. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { publicKeyBytes, signatureBytesMax } from "./limits.ts";

/** Says whether `signature` over `message` is valid under `publicKey`. Must follow ZIP-215 and never throw. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Cofactored, non-canonical and small-order A and R accepted, S below the group order. Any malformed input is simply not valid. */
export function verifyZip215(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytesMax) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: true });
  } catch {
    // The library throws for encodings that are no curve point, which is one way of not being valid.
    return false;
  }
}

/** Public key of a 32-byte seed. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

/** Deterministic signature (RFC 8032) by a 32-byte seed. */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}
