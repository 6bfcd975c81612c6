/** Assembles the WebAssembly module of sha256-lanes: SHA-256 over four interleaved messages. Layout and opcodes: WebAssembly core 2.0. */

export interface LaneLayout {
  readonly lanes: number;
  readonly laneBytes: number;
  /** Where the eight digest vectors go. */
  readonly digestAt: number;
}

// Locals of the one function: its parameter, then one more i32, then vectors.
const blocksLocal = 0;
const offsetLocal = 1;
const stateLocal = 2;
const sumLocal: number = stateLocal + 8;
const wordLocal: number = sumLocal + 8;
const scratchLocal: number = wordLocal + 16;
const vectorLocals: number = 8 + 8 + 16 + 1;

/** Bytes of a module that imports memory `e.m` and exports `h(blocks)`. */
export function assembleModule(layout: LaneLayout): Uint8Array {
  const body = [...[2, 1, 0x7f, ...uleb(vectorLocals), 0x7b], ...assembleFunction(layout), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x68, 0, 0]),
    ...section(10, [1, ...uleb(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...uleb(content.length), ...content];
}

function assembleFunction(layout: LaneLayout): number[] {
  const init = initialState.flatMap((word, i) => [...constant(word), ...set(stateLocal + i)]);
  const block = [
    ...range(4).flatMap((quarter) => loadWords(layout, quarter)),
    ...range(8).flatMap((i) => [...get(stateLocal + i), ...set(sumLocal + i)]),
    ...range(64).flatMap(round),
    ...range(8).flatMap((i) => [
      ...get(stateLocal + i),
      ...get(sumLocal + i),
      ...add,
      ...set(stateLocal + i),
    ]),
  ];
  const next = [...get(offsetLocal), 0x41, ...sleb(64), 0x6a, 0x22, offsetLocal];
  const more = [...get(blocksLocal), 0x41, ...sleb(6), 0x74, 0x49, 0x0d, 0];
  const store = range(8).flatMap((i) => [
    ...[0x41, 0, ...get(stateLocal + i), 0xfd, 11, 0],
    ...uleb(layout.digestAt + 16 * i),
  ]);
  return [...init, 0x03, 0x40, ...block, ...next, ...more, 0x0b, ...store];
}

/** Words 4q to 4q+3 of every lane into the word locals: four loads, a 4×4 transposition, and the byte order. */
function loadWords({ lanes, laneBytes }: LaneLayout, quarter: number): number[] {
  const at = wordLocal + 4 * quarter;
  const loads = range(lanes).flatMap((lane) => [
    ...get(offsetLocal),
    ...[0xfd, 0, 0, ...uleb(lane * laneBytes + 16 * quarter)],
    ...set(sumLocal + lane),
  ]);
  const pair = (a: number, b: number, order: readonly number[]): number[] => [
    ...get(a),
    ...get(b),
    ...[0xfd, 13, ...order],
  ];
  const [row0, row1, row2, row3] = range(4).map((i) => sumLocal + i) as [
    number,
    number,
    number,
    number,
  ];
  const halves = [
    ...[...pair(row0, row1, lowWords), ...set(sumLocal + 4)],
    ...[...pair(row2, row3, lowWords), ...set(sumLocal + 5)],
    ...[...pair(row0, row1, highWords), ...set(sumLocal + 6)],
    ...[...pair(row2, row3, highWords), ...set(sumLocal + 7)],
  ];
  const words = range(4).flatMap((i) => [
    ...pair(
      sumLocal + (i < 2 ? 4 : 6),
      sumLocal + (i < 2 ? 5 : 7),
      i % 2 === 0 ? lowPairs : highPairs,
    ),
    ...set(scratchLocal),
    ...pair(scratchLocal, scratchLocal, bytesReversed),
    ...set(at + i),
  ]);
  return [...loads, ...halves, ...words];
}

const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highWords: number[] = lowWords.map((i) => i + 8);
const lowPairs = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const highPairs: number[] = lowPairs.map((i) => i + 8);
const bytesReversed = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

/** FIPS 180-4, 6.2.2 step 3. The eight variables change roles instead of places, so nothing is moved. */
function round(index: number): number[] {
  const variable = (letter: number): number => stateLocal + ((letter - index + 64) % 8);
  const [a, b, c, d, e, f, g, h] = range(8).map(variable) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const word = wordLocal + (index % 16);
  return [
    ...(index < 16 ? [] : schedule(index)),
    // T1 = h + Σ1(e) + Ch(e, f, g) + K + W, kept in h.
    ...[...get(h), ...rotated(e, [6, 11, 25]), ...add],
    ...[...get(f), ...get(g), ...get(e), ...bitselect, ...add],
    ...[...constant(roundConstants[index] as number), ...get(word), ...add, ...add, ...set(h)],
    ...[...get(d), ...get(h), ...add, ...set(d)],
    // h = T1 + Σ0(a) + Maj(a, b, c); where a and b differ the majority is c's, else b's.
    ...[...get(h), ...rotated(a, [2, 13, 22]), ...add],
    ...[...get(c), ...get(b), ...get(a), ...get(b), ...xor, ...bitselect, ...add, ...set(h)],
  ];
}

/** W[t] = σ1(W[t−2]) + W[t−7] + σ0(W[t−15]) + W[t−16], in a ring of sixteen. */
function schedule(index: number): number[] {
  const word = (back: number): number => wordLocal + ((index - back) % 16);
  return [
    ...[...get(word(16)), ...rotated(word(15), [7, 18], 3), ...add],
    ...[...get(word(7)), ...add],
    ...[...rotated(word(2), [17, 19], 10), ...add, ...set(word(16))],
  ];
}

/** XOR of rotations right, and of a shift right if given. */
function rotated(local: number, by: readonly number[], shift: number = 0): number[] {
  const terms = by.map((n) => [
    ...[...get(local), 0x41, ...sleb(n), ...shiftRight],
    ...[...get(local), 0x41, ...sleb(32 - n), ...shiftLeft, ...xor],
  ]);
  if (shift > 0) terms.push([...get(local), 0x41, ...sleb(shift), ...shiftRight]);
  return terms.flatMap((term, i) => (i === 0 ? term : [...term, ...xor]));
}

const xor = [0xfd, 81];
const bitselect = [0xfd, 82];
const shiftLeft = [0xfd, 0xab, 1];
const shiftRight = [0xfd, 0xad, 1];
const add = [0xfd, 0xae, 1];

function get(local: number): number[] {
  return [0x20, local];
}

function set(local: number): number[] {
  return [0x21, local];
}

/** The word in all four lanes. */
function constant(word: number): number[] {
  const bytes = [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24];
  return [0xfd, 12, ...bytes, ...bytes, ...bytes, ...bytes];
}

function uleb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...uleb(value >>> 7)];
}

/** Of a non-negative number: one more byte where the sign bit would be taken for one. */
function sleb(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...sleb(value >>> 7)];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** First 32 fractional bits of the square roots of the first 8 primes. */
const initialState: readonly number[] = primes(8).map((p) => rootBits(p, 2n));
/** … and of the cube roots of the first 64. */
const roundConstants: readonly number[] = primes(64).map((p) => rootBits(p, 3n));

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n);
  return found;
}

/** floor(p^(1/degree) × 2^32) mod 2^32, exactly: the largest r with r^degree ≤ p × 2^(32 × degree), by bisection. */
function rootBits(p: number, degree: bigint): number {
  const target = BigInt(p) << (32n * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}
