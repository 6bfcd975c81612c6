/** Text to UTF-8 and back; decoding refuses what encoding could not have written. */

import { DecodeError } from "./decode-error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of `text`. A lone surrogate is refused, since it has no UTF-8 form. */
export function utf8ToBytes(text: string): Uint8Array {
  return text.length <= SHORT ? (asciiBytes(text) ?? encode(text)) : encode(text);
}

/** Texts up to this length are mostly names and numbers, and cost less in a loop than in a call of the encoder. */
const SHORT = 64;

/** null when something in it is not ASCII. */
function asciiBytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return null;
    bytes[i] = unit;
  }
  return bytes;
}

function encode(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  // The encoder writes U+FFFD for a lone surrogate: only a text that holds one changes on the way.
  if (hasLoneSurrogate(text)) {
    throw new DecodeError("malformed", "text: expected well-formed Unicode, got a lone surrogate");
  }
  return bytes;
}

/** Text of UTF-8 `bytes`; throws `DecodeError` on anything that is not well-formed UTF-8. A byte-order mark is kept. */
export function bytesToUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DecodeError("malformed", `text: expected UTF-8, got ${bytes.length} other bytes`);
  }
}

function hasLoneSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return true;
    i++;
  }
  return false;
}
