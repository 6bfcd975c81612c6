/**
 * Encoded lengths of protobuf fields with a one-byte tag, by arithmetic: gas asks for them at every write, and records that come and go within a block
 * are never encoded. Zeros and empty texts are left out, as proto3 does. Numbers wherever the value is a safe integer: bigint arithmetic would be all the cost.
 */

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const SAFE_MIN = -SAFE_MAX;
const HALF_SAFE_MAX = SAFE_MAX / 2n;
const HALF_SAFE_MIN = -HALF_SAFE_MAX;

/** Of an unsigned integer. */
export function varintField(value: bigint | number): number {
  if (typeof value === "bigint" && value > SAFE_MAX) return bigField(value);
  const number = Number(value);
  return number === 0 ? 0 : 1 + varintSize(number);
}

/** Of a signed integer, zigzag encoded. */
export function signedField(value: bigint): number {
  if (value > HALF_SAFE_MAX || value < HALF_SAFE_MIN)
    return bigField(value < 0n ? -2n * value - 1n : 2n * value);
  const number = Number(value);
  if (number === 0) return 0;
  return 1 + varintSize(number < 0 ? -2 * number - 1 : 2 * number);
}

/** Of a text or bytes shorter than 128. */
export function shortField(length: number): number {
  return length === 0 ? 0 : 2 + length;
}

/** Of an integer written in decimal digits, which is there at zero too. */
export function decimalField(value: bigint): number {
  if (value > SAFE_MAX || value < SAFE_MIN) return 2 + value.toString().length;
  let rest = Number(value);
  let size = 3;
  if (rest < 0) {
    rest = -rest;
    size += 1;
  }
  for (let power = 10; rest >= power; power *= 10) size += 1;
  return size;
}

/** Of an integer from 1 to 2^53. */
function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let bound = 0x8_0000_0000; value >= bound; bound *= 0x80) size += 1;
  return size;
}

function bigField(value: bigint): number {
  let size = 2;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) size += 1;
  return size;
}
