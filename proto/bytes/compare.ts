/** Order, equality and joining of byte strings. */

import { latin1Text } from "#texts";

/** Total order: bytewise, a prefix before what it is a prefix of. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** One new array holding `parts` in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A string with one char code 0–255 per byte: a cheap map key that orders as the bytes do. */
export function bytesToLatin1(bytes: Uint8Array): string {
  return bytes.length <= AT_ONCE_MAX
    ? String.fromCharCode.apply(null, bytes as unknown as number[])
    : latin1Text(bytes);
}

/** Up to about this length the engine's own call is the fastest. */
const AT_ONCE_MAX = 40;

/** Inverse of `bytesToLatin1`; a char code above 255 is a programming error. */
export function latin1ToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 255) throw new RangeError(`latin1: expected a char code up to 255, got ${unit}`);
    bytes[i] = unit;
  }
  return bytes;
}
