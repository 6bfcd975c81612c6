/** Standard base64 with padding. Decoding is strict: every byte string has exactly one accepted text. */

import { base64Text } from "#texts";
import { DecodeError } from "./decode-error.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;

/** Base64 with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  return base64Text(bytes);
}

/** Bytes of canonical base64; throws `DecodeError` on white space, missing padding or non-zero spare bits. */
export function base64ToBytes(text: string): Uint8Array {
  if (text.length % 4 !== 0) {
    throw new DecodeError("malformed", `base64: expected a length of 4n, got ${text.length}`);
  }
  if (text.length === 0) return new Uint8Array(0);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const end = text.length - padding;
  let at = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i);
    const value = unit < 128 ? (values[unit] ?? -1) : -1;
    if (value < 0) {
      throw new DecodeError(
        "malformed",
        `base64: expected a base64 digit at ${i}, got code ${unit}`,
      );
    }
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) {
    throw new DecodeError("not-canonical", "base64: expected zero spare bits in the last digit");
  }
  return bytes;
}
