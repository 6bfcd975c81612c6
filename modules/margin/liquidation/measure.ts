/** What the ladder measures of a market, brought forward in time. Pure: records in, records out. All rounding is toward what was known. */
import type { LadderTerms, MarketMeasure } from "@keel/proto/gen/keel/margin/v1/ladder";
import { expQ } from "../../kit/math/exp.ts";
import { Q_BITS, Q_ONE } from "../../kit/math/fixed-point.ts";
import { lnRatioQ } from "../../kit/math/log.ts";
import { divFloor, divTrunc, maximum, minimum, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { Side } from "../ports.ts";
import { VARIANCE_BITS } from "./ladder-math.ts";

const ONE = 1n << VARIANCE_BITS;
const HOUR_MS = 3_600_000n;
/** Fraction bits of the average value of a lot. */
const AVERAGE_BITS = 32n;

/** Quanta. */
export interface Reading {
  readonly timeMs: bigint;
  readonly quantaPerLot: bigint;
  readonly notionalPerLot: bigint;
  readonly bidDepth: bigint;
  readonly askDepth: bigint;
}

/** 1 − e^(−elapsed / memory), × 2^64. */
function weightOf(elapsedMs: bigint, memoryMs: bigint): bigint {
  if (memoryMs === 0n) return ONE;
  return ONE - (expQ(-divFloor(Q_ONE * elapsedMs, memoryMs)) >> (Q_BITS - VARIANCE_BITS));
}

function toward(value: bigint, aim: bigint, weight: bigint): bigint {
  return value + divTrunc((aim - value) * weight, ONE);
}

/** The first sample begins the averages; of volatility nothing is known by it, and of depth little (`warmedPpm`). */
export function measured(
  terms: LadderTerms,
  known: MarketMeasure | undefined,
  market: number,
  now: Reading,
): MarketMeasure {
  const value = now.quantaPerLot << AVERAGE_BITS;
  if (known === undefined) {
    return {
      market,
      sampledMs: now.timeMs,
      average: value.toString(),
      reference: now.notionalPerLot.toString(),
      variance: "0",
      bidDepth: now.bidDepth.toString(),
      askDepth: now.askDepth.toString(),
      sold: "0",
      bought: "0",
      flowMs: now.timeMs,
      sinceMs: now.timeMs,
    };
  }
  const elapsed = now.timeMs - known.sampledMs;
  const forDepth = weightOf(elapsed, terms.depthAverageMs);
  return {
    ...known,
    sampledMs: now.timeMs,
    average: toward(BigInt(known.average), value, weightOf(elapsed, terms.averageMs)).toString(),
    reference: now.notionalPerLot.toString(),
    variance: varianceAfter(known, now, elapsed).toString(),
    bidDepth: toward(BigInt(known.bidDepth), now.bidDepth, forDepth).toString(),
    askDepth: toward(BigInt(known.askDepth), now.askDepth, forDepth).toString(),
  };
}

/** Per hour: what the move since the last sample would make in one, with a memory of an hour. */
function varianceAfter(known: MarketMeasure, now: Reading, elapsed: bigint): bigint {
  const before = BigInt(known.reference);
  const variance = BigInt(known.variance);
  if (before <= 0n || now.notionalPerLot <= 0n) return variance;
  const move = lnRatioQ(now.notionalPerLot, before) >> (Q_BITS - VARIANCE_BITS);
  const perHour = mulDivDown((move * move) >> VARIANCE_BITS, HOUR_MS, elapsed);
  return toward(variance, perHour, weightOf(elapsed, HOUR_MS));
}

/** Average value of a lot, quanta, rounded down. */
export function averageQuanta({ average }: MarketMeasure): bigint {
  return BigInt(average) >> AVERAGE_BITS;
}

/**
 * How far an average of depth counts: the share of its memory that has been seen, rounded down. An average that begins with its own first sample would let
 * whatever stands in the book at that moment vouch for itself.
 */
export function warmedPpm(terms: LadderTerms, { sinceMs }: MarketMeasure, nowMs: bigint): bigint {
  const seenMs = maximum(nowMs - sinceMs, 0n);
  return minimum(divFloor(seenMs * PPM, terms.depthAverageMs), PPM);
}

/** Depth that counts: the lesser of now and the average, × the counted part, rounded down. */
export function countedDepth(now: bigint, average: bigint, countedPpm: bigint): bigint {
  return mulDivDown(now < average ? now : average, countedPpm, PPM);
}

/** Most that a side of the book is given at once: its share of depth, but always a clip of the least size, so that everything closes in time. */
export function flowCapacity(terms: LadderTerms, depth: bigint, least: bigint): bigint {
  return maximum(mulDivDown(depth, terms.flowPpm, PPM), least);
}

/** What is in flow still: a window forgives one capacity. Rounded up, against flow. */
export function flowUsed(
  terms: LadderTerms,
  known: MarketMeasure,
  at: { readonly side: Side; readonly capacity: bigint; readonly nowMs: bigint },
): bigint {
  const used = BigInt(at.side === "sell" ? known.sold : known.bought);
  const forgiven = mulDivDown(at.capacity, at.nowMs - known.flowMs, terms.flowWindowMs);
  return maximum(used - forgiven, 0n);
}
