/** SHA-256 by node's OpenSSL. Chosen through the `#sha256` import under the `node` condition. */

import { hash } from "node:crypto";

/** SHA-256 of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // A latin1 ("binary") string is by far the cheapest thing node's hash can return: most of the rest is allocating a Buffer.
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = text.charCodeAt(i);
  return digest;
}
