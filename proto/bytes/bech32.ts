/** Bech32 (BIP-173) for addresses. Decoding is strict: checksum, one case, zero padding, stated lengths. */

import { DecodeError } from "./decode-error.ts";

const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const generator: readonly number[] = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const checksumLength = 6;

/** BIP-173 bounds the prefix to 83 characters. */
const prefixMax = 83;
/** The SDK accepts addresses of up to 255 bytes and raises BIP-173's 90-character limit for them to 1023. */
const textMax = 1023;

export interface Bech32 {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** Lower-case bech32 text of `bytes` under `prefix`. */
export function bech32Encode(prefix: string, bytes: Uint8Array): string {
  if (!isPrefix(prefix))
    throw new RangeError(`bech32: expected a lower-case prefix, got "${prefix}"`);
  const words = toWords(bytes);
  const length = prefix.length + 1 + words.length + checksumLength;
  if (length > textMax)
    throw new RangeError(`bech32: expected at most ${textMax} characters, got ${length}`);
  const check = polymod([...expand(prefix), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  let text = `${prefix}1`;
  for (const word of words) text += charset.charAt(word);
  for (let i = 0; i < checksumLength; i++) {
    text += charset.charAt((check >> (5 * (checksumLength - 1 - i))) & 31);
  }
  return text;
}

/** Prefix and bytes of a bech32 text, all lower or all upper case; throws `DecodeError`. */
export function bech32Decode(text: string): Bech32 {
  if (text.length < checksumLength + 2 || text.length > textMax) {
    throw new DecodeError(
      "malformed",
      `bech32: expected 8 to ${textMax} characters, got ${text.length}`,
    );
  }
  const folded = text.toLowerCase();
  if (text !== folded && text !== text.toUpperCase()) {
    throw new DecodeError("malformed", "bech32: expected one case, got both");
  }
  const split = folded.lastIndexOf("1");
  const prefix = folded.slice(0, Math.max(split, 0));
  if (!isPrefix(prefix))
    throw new DecodeError("malformed", "bech32: expected a prefix before the last 1");
  const words: number[] = [];
  for (let i = split + 1; i < folded.length; i++) {
    const word = charset.indexOf(folded.charAt(i));
    if (word < 0) throw new DecodeError("malformed", `bech32: unexpected character at ${i}`);
    words.push(word);
  }
  if (words.length < checksumLength || polymod([...expand(prefix), ...words]) !== 1) {
    throw new DecodeError("malformed", "bech32: expected a matching checksum");
  }
  return { prefix, bytes: fromWords(words.slice(0, -checksumLength)) };
}

function isPrefix(prefix: string): boolean {
  if (prefix.length === 0 || prefix.length > prefixMax) return false;
  for (let i = 0; i < prefix.length; i++) {
    const unit = prefix.charCodeAt(i);
    if (unit < 33 || unit > 126 || (unit >= 65 && unit <= 90)) return false;
  }
  return true;
}

function polymod(values: readonly number[]): number {
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (let i = 0; i < 5; i++) if (((top >> i) & 1) === 1) check ^= generator[i] as number;
  }
  return check;
}

function expand(prefix: string): number[] {
  const high: number[] = [];
  const low: number[] = [];
  for (let i = 0; i < prefix.length; i++) {
    high.push(prefix.charCodeAt(i) >> 5);
    low.push(prefix.charCodeAt(i) & 31);
  }
  return [...high, 0, ...low];
}

function toWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      words.push((held >> bits) & 31);
    }
  }
  if (bits > 0) words.push((held << (5 - bits)) & 31);
  return words;
}

function fromWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.floor((words.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const word of words) {
    held = ((held << 5) | word) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  if (bits >= 5 || (held & ((1 << bits) - 1)) !== 0) {
    throw new DecodeError("not-canonical", "bech32: expected fewer than 5 spare bits, all zero");
  }
  return bytes;
}
