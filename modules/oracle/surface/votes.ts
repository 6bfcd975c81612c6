/** What a vote on surfaces may say: order and domain. Whether it is free of arbitrage is not asked; the median is made so. */
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { EXPIRIES_MAX, MANTISSA_LIMIT } from "../limits.ts";

export const RHO_LIMIT_PPM = 1_000_000;
export const ETA_MAX_PPM = 2_000_000;
export const GAMMA_MAX_PPM = 500_000;
export const BASIS_MAX_PPM = 1_000_000;

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** Null: well-formed. Otherwise why not, in one sentence. */
export function surfacesFault(votes: readonly SurfaceVote[]): string | null {
  let last = 0;
  for (const vote of votes) {
    if (vote.surfaceId <= last) {
      return `expected ascending surface ids, got ${vote.surfaceId} after ${last}`;
    }
    last = vote.surfaceId;
    const fault = shapeFault(vote) ?? expiriesFault(vote);
    if (fault !== null) return `surface ${vote.surfaceId}: ${fault}`;
  }
  return null;
}

function shapeFault({ rhoPpm, etaPpm, gammaPpm }: SurfaceVote): string | null {
  if (!within(rhoPpm, 1 - RHO_LIMIT_PPM, RHO_LIMIT_PPM - 1)) return "expected |rho| below 1";
  if (!within(etaPpm, 1, ETA_MAX_PPM)) return "expected an eta above 0 and at most 2";
  if (!within(gammaPpm, 1, GAMMA_MAX_PPM)) return "expected a gamma above 0 and at most 1/2";
  return null;
}

function expiriesFault({ expiries }: SurfaceVote): string | null {
  if (expiries.length > EXPIRIES_MAX) return `expected at most ${EXPIRIES_MAX} expiries`;
  let last = 0n;
  for (const { expiryMs, theta, basisPpm } of expiries) {
    if (expiryMs <= last) return `expected ascending expiries, got ${expiryMs} after ${last}`;
    if (expiryMs > BigInt(Number.MAX_SAFE_INTEGER)) return "expected an expiry in milliseconds";
    last = expiryMs;
    if (theta <= 0n || theta >= MANTISSA_LIMIT) return "expected a positive theta below 2^63";
    if (!within(basisPpm, -BASIS_MAX_PPM, BASIS_MAX_PPM)) return "expected a basis within 1";
  }
  return null;
}
