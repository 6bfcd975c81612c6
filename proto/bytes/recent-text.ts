/**
 * Short latin-1 texts read from bytes, found again instead of made: addresses, denoms and type URLs come in nearly every transaction, and the
 * same text as one object is compared by looking and hashed once. Pure, so remembering changes nothing but speed.
 */

const PLACES = 4_096;
const texts: string[] = new Array<string>(PLACES).fill("");

/** The text of bytes `from` to `end`, one character a byte. For at most a few hundred bytes. */
export function recentText(bytes: Uint8Array, from: number, end: number): string {
  let hash = end - from;
  for (let at = from; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const place = (hash ^ (hash >>> 16)) & (PLACES - 1);
  const known = texts[place] as string;
  if (known.length === end - from && holds(bytes, from, known)) return known;
  const part = from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end);
  return (texts[place] = String.fromCharCode.apply(null, part as unknown as number[]));
}

function holds(bytes: Uint8Array, from: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[from + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
