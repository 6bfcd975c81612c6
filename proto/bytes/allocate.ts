/**
 * Memory for bytes that live as long as what is decoded or built beside them. Above 64 bytes an array of its own lies outside the
 * engine's heap and costs two to four microseconds, most of it when it is freed; a part of a larger one costs a twentieth.
 *
 * A part keeps its whole slab alive, so nothing that stays for long (state, keys of peers) is allocated here.
 */
const slabBytes = 16_384;
/** Longer ones are worth their own. */
const partMax = 2_048;
/** What the engine keeps inside its heap. */
const inHeapMax = 64;

let slab = new ArrayBuffer(slabBytes);
let used = 0;

/** `length` zeros. */
export function allocate(length: number): Uint8Array {
  if (length <= inHeapMax || length > partMax) return new Uint8Array(length);
  if (used + length > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    used = 0;
  }
  // No part is given out twice, so it is as empty as the slab was.
  const part = new Uint8Array(slab, used, length);
  used += length;
  return part;
}
