/** Hexadecimal. Comet prints hashes and addresses in upper case, the SDK prints in lower: both are named. */

import { DecodeError } from "./decode-error.ts";

const upper: readonly string[] = table("0123456789ABCDEF");
const lower: readonly string[] = table("0123456789abcdef");

/** Upper-case hex. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += upper[byte];
  return text;
}

/** Lower-case hex. */
export function bytesToHexLower(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += lower[byte];
  return text;
}

/** Bytes of hex in either case, without prefix; throws `DecodeError` on an odd length or another character. */
export function hexToBytes(text: string): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new DecodeError("malformed", `hex: expected an even length, got ${text.length}`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = digit(text, 2 * i) * 16 + digit(text, 2 * i + 1);
  }
  return bytes;
}

function digit(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 48 && unit <= 57) return unit - 48;
  if (unit >= 65 && unit <= 70) return unit - 55;
  if (unit >= 97 && unit <= 102) return unit - 87;
  throw new DecodeError("malformed", `hex: expected 0-9 or a-f at ${at}, got code ${unit}`);
}

function table(digits: string): string[] {
  const out: string[] = [];
  for (const high of digits) for (const low of digits) out.push(high + low);
  return out;
}
