/** RIPEMD-160, used only for account addresses: RIPEMD160(SHA256(compressed key)). */

import { ripemd160 as nobleRipemd160 } from "@noble/hashes/legacy.js";

/** RIPEMD-160 of `bytes`, 20 bytes. */
export function ripemd160(bytes: Uint8Array): Uint8Array {
  return nobleRipemd160(bytes);
}
