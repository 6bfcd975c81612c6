/** SHA-256 in plain JavaScript: browsers, and wherever `#sha256` has no better variant. */

import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "./compare.ts";

/** SHA-256 of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}

/** SHA-256 of `prefix ‖ message` for each, 32 bytes each, one after another. */
export function sha256Each(messages: readonly Uint8Array[], prefix: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 * messages.length);
  messages.forEach((message, place) => {
    out.set(sha256(concatBytes(prefix, message)), 32 * place);
  });
  return out;
}
