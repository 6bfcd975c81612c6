/** Powers of ten that scales are made of, raised once. */

const POWERS: readonly bigint[] = Array.from({ length: 64 }, (_, n) => 10n ** BigInt(n));

/** 10^n for a whole n ≥ 0. */
export function powerOfTen(n: number): bigint {
  return POWERS[n] ?? 10n ** BigInt(n);
}
