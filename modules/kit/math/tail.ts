/**
 * Daily moves with a Pareto tail, P(|r| > x) = p · (x / u)^−α, in closed form: what is lost beyond a margin, per unit of notional that stands exactly at
 * it. Volatility and shares in units of 1e-18; parameters in ppm. Each result within 1e-15 of its value, from the kernels of exp and ln.
 */
import { expWad } from "./exp.ts";
import { lnWad } from "./log.ts";
import { divHalfEven, minimum, mulDivUp, PPM } from "./mul-div.ts";

const WAD = 10n ** 18n;

export interface ParetoTail {
  /** p, at the threshold u. */
  readonly exceedancePpm: number;
  readonly thresholdPpm: number;
  /** α > 1. */
  readonly alphaPpm: number;
}

const wad = (ppm: number): bigint => (BigInt(ppm) * WAD) / PPM;

/** P(|r| > move), at most 1. */
export function exceedance(tail: ParetoTail, move: bigint): bigint {
  if (move <= 0n) return WAD;
  const distance = lnWad(move) - lnWad(wad(tail.thresholdPpm));
  const power = lnWad(wad(tail.exceedancePpm)) - divHalfEven(distance * BigInt(tail.alphaPpm), PPM);
  return power >= 0n ? WAD : minimum(expWad(power), WAD);
}

/** Mean of max(0, |r| − margin) over all days: P(|r| > margin) · margin / (α − 1). */
export function meanExcess(tail: ParetoTail, margin: bigint): bigint {
  return mulDivUp(exceedance(tail, margin) * margin, PPM, (BigInt(tail.alphaPpm) - PPM) * WAD);
}

/** The move that a share of all days exceeds. */
export function tailMove(tail: ParetoTail, share: bigint): bigint {
  const odds = lnWad(wad(tail.exceedancePpm)) - lnWad(share);
  const power = lnWad(wad(tail.thresholdPpm)) + divHalfEven(odds * PPM, BigInt(tail.alphaPpm));
  return expWad(power);
}

/** Mean of max(0, |r| − margin) over the worst `share` of days: expected shortfall beyond the margin. */
export function worstExcess(tail: ParetoTail, margin: bigint, share: bigint): bigint {
  const move = tailMove(tail, share);
  if (margin > move) return mulDivUp(meanExcess(tail, margin), WAD, share);
  const alpha = BigInt(tail.alphaPpm);
  return mulDivUp(move, alpha, alpha - PPM) - margin;
}
