/** Exact integer square roots, by Newton steps that double the bits known and so never work on more bits than they need. */
import { AssertionError } from "../errors.ts";
import { requireWithin, WAD } from "./fixed-point.ts";

const HEX_BITS: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4];

/** Bits of n ≥ 0 without its leading zeros; 0 for 0. */
export function bitLength(n: bigint): number {
  const hex = n.toString(16);
  const digit = hex.charCodeAt(0);
  return 4 * hex.length - 4 + (HEX_BITS[digit < 58 ? digit - 48 : digit - 87] ?? 0);
}

/** ⌊√n⌋ for n < 256. */
const SMALL_ROOTS: readonly bigint[] = Array.from({ length: 256 }, (_, n) => {
  let root = 0;
  while ((root + 1) * (root + 1) <= n) root += 1;
  return BigInt(root);
});

/** ⌊√n⌋ exactly; n ≥ 0. */
export function integerSqrt(n: bigint): bigint {
  if (n < 0n) throw new AssertionError(`square root of a negative number: ${n}`);
  if (n < 256n) return SMALL_ROOTS[Number(n)] as bigint;
  // The root has `half` + 1 bits. Invariant: `root` is within 1 of the root of n's top 2·known + 2 bits or fewer.
  const half = (bitLength(n) - 1) >> 1;
  let step = 32 - clz(half);
  let known = 0;
  while (step > 0 && half >> (step - 1) <= 3) {
    step -= 1;
    known = half >> step;
  }
  let root = SMALL_ROOTS[Number(n >> BigInt(2 * (half - known)))] as bigint;
  while (step > 0) {
    step -= 1;
    const before = known;
    known = half >> step;
    root =
      (root << BigInt(known - before - 1)) + (n >> BigInt(2 * half - before - known + 1)) / root;
  }
  return root * root > n ? root - 1n : root;
}

/** Leading zeros of a 32-bit integer. */
function clz(value: number): number {
  let zeros = 32;
  for (let rest = value; rest > 0; rest >>= 1) zeros -= 1;
  return zeros;
}

const SQRT_MAX = 10n ** 60n;

/** √x for x in wad, 0 ≤ x ≤ 1e60 (1e42 units): toward zero, exactly ⌊·⌋, so the error is below 1 unit of 1e-18. */
export function sqrtWad(x: bigint): bigint {
  requireWithin("x", x, 0n, SQRT_MAX);
  return integerSqrt(x * WAD);
}
