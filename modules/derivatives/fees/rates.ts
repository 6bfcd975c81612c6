/**
 * Trading fees, in whole quanta, rounded up against whoever pays: a fee is the ceiling, a rebate the floor. Whatever the rates are, a trade
 * never pays out more than it takes in.
 */
import { maximum, mulDivDown, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import { notionalOf } from "../instruments.ts";

export interface FillRates {
  readonly takerPpm: bigint;
  /** Negative: a rebate. */
  readonly makerPpm: bigint;
  /** Of the taker's fee, to who brought the taker. */
  readonly referrerSharePpm: bigint;
}

export interface FillFees {
  readonly takerQuanta: bigint;
  /** Negative: a rebate, at most what the taker's fee leaves after the referrer's share. */
  readonly makerQuanta: bigint;
  /** Part of `takerQuanta`. */
  readonly referrerQuanta: bigint;
}

/** A liquidated taker pays its penalty in margin instead of a fee, and then nothing funds a rebate. */
export function fillFees(notional: bigint, rates: FillRates, liquidation: boolean): FillFees {
  const takerQuanta = liquidation ? 0n : mulDivUp(notional, rates.takerPpm, PPM);
  const referrerQuanta = shareOf(takerQuanta, rates.referrerSharePpm);
  const makerQuanta = mulDivUp(notional, rates.makerPpm, PPM);
  return {
    takerQuanta,
    makerQuanta: maximum(makerQuanta, referrerQuanta - takerQuanta),
    referrerQuanta,
  };
}

/** Of a fee, rounded down. */
export function shareOf(feeQuanta: bigint, sharePpm: bigint): bigint {
  return sharePpm === 0n ? 0n : mulDivDown(feeQuanta, sharePpm, PPM);
}

/** Rounded down, so that together with a fee that rounds up it stays within one reserve at the sum of both rates. */
export function builderFee(notional: bigint, feePpm: number): bigint {
  return mulDivDown(notional, BigInt(feePpm), PPM);
}

/** Held back for what a resting order may yet be charged. Exact at every remaining size, so partial fills release it exactly. */
export function feeReserve(
  instrument: Instrument,
  ticks: number,
  lots: number,
  reservePpm: number,
): bigint {
  if (reservePpm <= 0 || lots === 0) return 0n;
  return mulDivUp(notionalOf(instrument, ticks, lots), BigInt(reservePpm), PPM);
}
