/** How long to wait before the next attempt: doubled with each failure in a row, and spread so that a fleet does not come back at once. */

export interface BackoffTimes {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** `random` in [0, 1): the wait is half fixed, half drawn. `failures` in a row, at least 1. */
export function backoffMs(
  failures: number,
  { firstMs, mostMs }: BackoffTimes,
  random: number,
): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
