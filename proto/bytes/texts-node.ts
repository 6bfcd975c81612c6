/** Texts of bytes by node's Buffer. Chosen through the `#texts` import under the `node` condition. */

import { allocate } from "./allocate.ts";

/** One character a byte. */
export function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Base64 with padding. */
export function base64Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** Bytes of canonical base64 with padding; null for any other text. */
export function base64Bytes(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  // The decoder is lenient; what it has read is written in one way only.
  if (bytes.toString("base64") !== text) return null;
  // Node's buffers are parts of slabs it gives out again and again.
  const own = allocate(bytes.length);
  own.set(bytes);
  return own;
}
