/** Texts of bytes in plain JavaScript: browsers, and wherever `#texts` has no better variant. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digits = Uint8Array.from(alphabet, (digit) => digit.charCodeAt(0));
const values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[digits[i] as number] = i;
const PADDING = "=".charCodeAt(0);
/** Arguments go on the stack. */
const CHARS_PER_CALL = 4_096;

/** One character a byte. */
export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHARS_PER_CALL) {
    const part = bytes.subarray(at, at + CHARS_PER_CALL);
    // `apply` copies the bytes as they lie; spreading them goes through an iterator and takes six times as long.
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** Base64 with padding. */
export function base64Text(bytes: Uint8Array): string {
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
  return latin1Text(codes);
}

/** Bytes of canonical base64 with padding; null for any other text. */
export function base64Bytes(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const end = text.length - padding;
  let at = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i);
    const value = unit < 128 ? (values[unit] as number) : -1;
    if (value < 0) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
