/** What a series should have listed at a time and spot: which expiries, which strikes. Pure. */
import type { ExpiryRule, StrikeRule } from "@keel/proto/gen/keel/derivatives/v1/types";
import { divFloor, divHalfEven, maximum, minimum } from "../../kit/math/mul-div.ts";

/** The next `count` expiries of the grid whose settlement window and time of close-only still lie ahead. */
export function expiriesAhead(rule: ExpiryRule, nowMs: bigint): bigint[] {
  const earliest = nowMs + maximum(rule.windowMs, rule.closeOnlyMs);
  const n = divFloor(earliest - rule.offsetMs, rule.intervalMs) + 1n;
  const first = rule.offsetMs + maximum(n, 0n) * rule.intervalMs;
  return Array.from({ length: rule.count }, (_, i) => first + BigInt(i) * rule.intervalMs);
}

/** Strikes as multiples of the spacing, both ends included. */
export interface StrikeRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** The strikes around spot; never below one spacing. */
export function strikesAround(rule: StrikeRule, spacing: bigint, spot: bigint): StrikeRange {
  const centre = maximum(divHalfEven(spot, spacing), 1n);
  const side = BigInt(rule.eachSide);
  return { low: maximum(centre - side, 1n), high: centre + side };
}

/**
 * The strikes to add to those listed so that the wanted ones are among them, nearest to the listed ones first; no more than the rule allows per
 * expiry. Listed strikes stay without a hole: a spot that jumps is followed step by step, and one that comes back finds its strikes.
 */
export function strikesMissing(
  listed: StrikeRange | null,
  wanted: StrikeRange,
  most: number,
): bigint[] {
  if (listed === null) {
    const high = minimum(wanted.high, wanted.low + BigInt(most) - 1n);
    return span(wanted.low, high);
  }
  const room = BigInt(most) - (listed.high - listed.low + 1n);
  const up = span(listed.high + 1n, wanted.high);
  const down = span(wanted.low, listed.low - 1n).reverse();
  const all = [...up, ...down];
  return all.slice(0, Number(maximum(room, 0n)));
}

/** At most this many are looked at in one step; the rest follows. */
const SPAN_MAX = 1000n;

function span(low: bigint, high: bigint): bigint[] {
  const length = minimum(maximum(high - low + 1n, 0n), SPAN_MAX);
  return Array.from({ length: Number(length) }, (_, i) => low + BigInt(i));
}
