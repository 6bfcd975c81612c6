/** ECDSA over secp256k1 as account signatures use it: 33-byte keys, 64-byte r ‖ s, low s only. Two backends, one answer. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { loadSecp256k1 } from "./native.ts";

/** `hash` is the SHA-256 of what was signed. Never throws. */
export type VerifySecp256k1Hash = (
  publicKey: Uint8Array,
  hash: Uint8Array,
  signature: Uint8Array,
) => boolean;

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HALF_ORDER_BYTES = toBytes(HALF_ORDER);
const ORDER_BYTES = toBytes(ORDER);

function toBytes(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(64, "0");
  return Uint8Array.from({ length: 32 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Compares 32 big-endian bytes at `offset` with `bound`. */
function compareAt(bytes: Uint8Array, offset: number, bound: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = (bytes[offset + i] as number) - (bound[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const ZERO = new Uint8Array(32);

/** Shape and ranges, judged once for all backends: 0 < r < n, 0 < s ≤ n/2, a compressed key. */
function wellFormed(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === 33 &&
    (publicKey[0] === 2 || publicKey[0] === 3) &&
    hash.length === 32 &&
    signature.length === 64 &&
    compareAt(signature, 0, ZERO) !== 0 &&
    compareAt(signature, 0, ORDER_BYTES) < 0 &&
    compareAt(signature, 32, ZERO) !== 0 &&
    compareAt(signature, 32, HALF_ORDER_BYTES) <= 0
  );
}

export const verifySecp256k1Js: VerifySecp256k1Hash = (publicKey, hash, signature) => {
  if (!wellFormed(publicKey, hash, signature)) return false;
  try {
    return secp256k1.verify(signature, hash, publicKey, {
      prehash: false,
      lowS: true,
      format: "compact",
    });
  } catch {
    // The library throws for keys that are no curve point, which is one way of not being valid.
    return false;
  }
};

/** null where the native library is not installed. */
export function nativeSecp256k1(): VerifySecp256k1Hash | null {
  const native = loadSecp256k1();
  if (native === null) return null;
  return (publicKey, hash, signature) => {
    if (!wellFormed(publicKey, hash, signature)) return false;
    try {
      return native.ecdsaVerify(signature, hash, publicKey);
    } catch {
      // As above: an unparsable key throws.
      return false;
    }
  };
}
