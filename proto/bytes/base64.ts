/** Standard base64 with padding. Decoding is strict: every byte string has exactly one accepted text. */

import { base64Bytes, base64Text } from "#texts";
import { DecodeError } from "./decode-error.ts";

/** Base64 with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  return base64Text(bytes);
}

/** Bytes of canonical base64; throws `DecodeError` on white space, missing padding or non-zero spare bits. */
export function base64ToBytes(text: string): Uint8Array {
  const bytes = base64Bytes(text);
  if (bytes === null) {
    throw new DecodeError(
      "malformed",
      `base64: expected the digits A–Z a–z 0–9 + /, padding to a length of 4n and zero spare bits, got ${text.length} characters that are not so`,
    );
  }
  return bytes;
}
