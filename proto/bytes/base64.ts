/** Standard base64 with padding. Decoding is strict: every byte string has exactly one accepted text. */

import { bytesToLatin1 } from "./compare.ts";
import { DecodeError } from "./decode-error.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values = new Int8Array(128).fill(-1);
const digits = new Uint8Array(64);
for (let i = 0; i < 64; i++) {
  digits[i] = alphabet.charCodeAt(i);
  values[alphabet.charCodeAt(i)] = i;
}
const PADDING = "=".charCodeAt(0);

/** Base64 with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  const { length } = bytes;
  const codes = new Uint8Array(Math.ceil(length / 3) * 4);
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    const a = bytes[i] as number;
    const b = i + 1 < length ? (bytes[i + 1] as number) : 0;
    const c = i + 2 < length ? (bytes[i + 2] as number) : 0;
    codes[at++] = digits[a >> 2] as number;
    codes[at++] = digits[((a & 3) << 4) | (b >> 4)] as number;
    codes[at++] = digits[((b & 15) << 2) | (c >> 6)] as number;
    codes[at++] = digits[c & 63] as number;
  }
  if (length % 3 > 0) codes[at - 1] = PADDING;
  if (length % 3 === 1) codes[at - 2] = PADDING;
  // In one piece: a text put together letter by letter is a tree of as many parts.
  return bytesToLatin1(codes);
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
