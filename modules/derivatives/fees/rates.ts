/** Trading fees, in whole quanta, rounded up against whoever pays: a fee is the ceiling, a rebate the floor. */
import { mulDivUp, PPM } from "../kit/math/mul-div.ts";
import type { Instrument } from "./instruments.ts";
import { notionalOf } from "./instruments.ts";

export interface FillFees {
  readonly takerQuanta: bigint;
  /** Negative: a rebate, never above the taker's fee. */
  readonly makerQuanta: bigint;
}

/** A liquidated taker pays its penalty in margin instead of a fee, and then nothing funds a rebate. */
export function fillFees(instrument: Instrument, notional: bigint, liquidation: boolean): FillFees {
  const makerQuanta = mulDivUp(notional, instrument.makerPpm, PPM);
  if (liquidation) return { takerQuanta: 0n, makerQuanta: makerQuanta > 0n ? makerQuanta : 0n };
  return { takerQuanta: mulDivUp(notional, instrument.takerPpm, PPM), makerQuanta };
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
