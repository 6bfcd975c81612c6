/** CRC-32 as zlib, PNG and Ethernet have it (reflected polynomial EDB88320): what any language has at hand to check a text by. */

const table: Int32Array = makeTable();

function makeTable(): Int32Array {
  const entries = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++)
      rest = (rest & 1) === 0 ? rest >>> 1 : (rest >>> 1) ^ 0xedb88320;
    entries[byte] = rest;
  }
  return entries;
}

/** Of text whose characters are all below 256, each counted as one byte. 0 to 2^32 − 1. */
export function crc32OfText(text: string): number {
  let rest = -1;
  for (let at = 0; at < text.length; at++) {
    rest = (rest >>> 8) ^ (table[(rest ^ text.charCodeAt(at)) & 255] as number);
  }
  return ~rest >>> 0;
}
