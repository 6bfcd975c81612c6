/**
 * Funding of a perpetual, pure. The premium is read from the committed book at the end of every block, weighted by the time it stood,
 * averaged per minute and then per hour; the hour's mean, with interest and a clamp, is the next hour's rate. It accrues every block
 * through an index of whole quanta per lot, so positions settle exactly and payments sum to zero; the fraction is carried.
 */
import type { Funding } from "@keel/proto/gen/keel/derivatives/v1/types";
import { assert } from "../kit/errors.ts";
import { type Explanation, quantities } from "../kit/explanation.ts";
import { clamp, divTrunc, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { IMPACT_STEPS_MAX } from "./limits.ts";

const MS_PER_MINUTE = 60_000n;
const MINUTES_PER_HOUR = 60n;
/** Rates are per 8 hours. */
export const FUNDING_PERIOD_MS = 28_800_000n;
const INDEX_SCALE = PPM * FUNDING_PERIOD_MS;

/** A price as a fraction of ticks. */
interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Visits a side's orders, best first, as (ticks, lots); the callback returns true to stop. */
export type Depth = (visit: (ticks: number, lots: number) => boolean) => void;

/** Average price of filling `notional` quanta at this depth, or null when it does not reach that far. */
export function impactPrice(
  depth: Depth,
  notional: bigint,
  quantaPerTickLot: bigint,
): Fraction | null {
  let lots = 0n;
  let left = notional;
  let steps = 0;
  let result: Fraction | null = null;
  depth((ticks, size) => {
    steps += 1;
    if (steps > IMPACT_STEPS_MAX) return true;
    const price = BigInt(ticks);
    const value = price * BigInt(size) * quantaPerTickLot;
    if (value < left) {
      left -= value;
      lots += BigInt(size);
      return false;
    }
    // notional / (q × (lots + left / (q × price)))
    const denominator = quantaPerTickLot * lots * price + left;
    result = { numerator: notional * price, denominator };
    return true;
  });
  return result;
}

/** (max(0, bid − index) − max(0, index − ask)) / index in ppm, toward zero; a side without the depth counts as at the index. */
export function premiumPpm(
  index: bigint,
  impactBid: Fraction | null,
  impactAsk: Fraction | null,
  clampPpm: bigint,
): bigint {
  assert(index > 0n, "premium needs a positive index price");
  const above = (price: Fraction | null): bigint =>
    price === null
      ? 0n
      : divTrunc((price.numerator - index * price.denominator) * PPM, index * price.denominator);
  const bid = above(impactBid);
  const ask = above(impactAsk);
  const premium = (bid > 0n ? bid : 0n) + (ask < 0n ? ask : 0n);
  return clamp(premium, -clampPpm, clampPpm);
}

/** Bound of a rate or premium: factor × (initial − maintenance). */
export function clampBound(
  factorPpm: bigint,
  tier: { readonly initialPpm: bigint; readonly maintenancePpm: bigint },
): bigint {
  return mulDivDown(factorPpm, tier.initialPpm - tier.maintenancePpm, PPM);
}

export function initialFunding(timeNs: bigint): Funding {
  const minute = divTrunc(timeNs, 1_000_000n * MS_PER_MINUTE);
  return {
    index: 0n,
    remainder: 0n,
    rate8hPpm: 0n,
    accruedToNs: timeNs,
    hour: divTrunc(minute, MINUTES_PER_HOUR),
    minute,
    minutePremiumMs: 0n,
    minuteMs: 0n,
    premiumPpm: 0n,
    samplesPpm: [],
  };
}

export interface FundingTerms {
  readonly interestPpm: bigint;
  readonly rateClampPpm: bigint;
  /** Longest interval for which one block accrues. */
  readonly stepMaxMs: bigint;
}

/** The rate that follows from an hour's samples; missing minutes count as zero. */
export function rateFrom(samples: readonly bigint[], terms: FundingTerms): bigint {
  let sum = 0n;
  for (const sample of samples) sum += sample;
  const mean = divTrunc(sum, MINUTES_PER_HOUR);
  return clamp(mean + terms.interestPpm, -terms.rateClampPpm, terms.rateClampPpm);
}

/** What the next hour's rate would be if this hour ended now. */
export function predictedRate(funding: Funding, terms: FundingTerms): bigint {
  const samples =
    funding.minuteMs > 0n
      ? [...funding.samplesPpm, divTrunc(funding.minutePremiumMs, funding.minuteMs)]
      : funding.samplesPpm;
  return rateFrom(samples, terms);
}

/** Of the rate of an hour that begins: `before` as it stood, `after` with the rate. */
export function explainFunding(before: Funding, after: Funding, terms: FundingTerms): Explanation {
  const { samplesPpm } = before;
  const skipped = after.hour !== before.hour + 1n;
  return {
    rule:
      "rate = clamp(sum of the hour's premiums per minute / 60, toward zero, + interest, by the clamp either way); a minute without a sample counts as zero, " +
      "after a gap of an hour or more the rate is the interest alone; the index grows by rate x lot value x time / 8 h, whole quanta, the fraction carried",
    inputs: [
      ...quantities("ppm", { "premiums of closed minutes": samplesPpm.join(" ") }),
      ...quantities("ppm ms", { "premium of the last minute x time": before.minutePremiumMs }),
      ...quantities("ms", { "time of the last minute": before.minuteMs }),
      ...quantities("ppm", {
        "premium last seen": before.premiumPpm,
        interest: terms.interestPpm,
        clamp: terms.rateClampPpm,
        "rate before": before.rate8hPpm,
      }),
      ...quantities("", { "hours skipped": skipped ? after.hour - before.hour - 1n : 0n }),
      ...quantities("quanta per lot", { "index before": before.index }),
    ],
    results: [
      ...quantities("ppm", { rate: after.rate8hPpm }),
      ...quantities("quanta per lot", { index: after.index }),
    ],
  };
}

/**
 * Advances funding to the block time: accrues at the rate in force on `lotValue` quanta per lot (0: nothing accrues, because the
 * price is stale or the market is closed), books the time the last premium stood, and closes minutes and hours.
 */
export function advanceFunding(
  funding: Funding,
  nowNs: bigint,
  lotValue: bigint,
  terms: FundingTerms,
): Funding {
  const elapsedMs = divTrunc(nowNs - funding.accruedToNs, 1_000_000n);
  if (elapsedMs <= 0n) return funding;
  const stepMs = elapsedMs < terms.stepMaxMs ? elapsedMs : terms.stepMaxMs;
  const accrued = funding.remainder + funding.rate8hPpm * lotValue * stepMs;
  const whole = divTrunc(accrued, INDEX_SCALE);
  const moved: Funding = {
    ...funding,
    index: funding.index + whole,
    remainder: accrued - whole * INDEX_SCALE,
    accruedToNs: funding.accruedToNs + elapsedMs * 1_000_000n,
    minutePremiumMs: funding.minutePremiumMs + funding.premiumPpm * stepMs,
    minuteMs: funding.minuteMs + stepMs,
  };
  return closePeriods(moved, terms);
}

function closePeriods(funding: Funding, terms: FundingTerms): Funding {
  const minute = divTrunc(funding.accruedToNs, 1_000_000n * MS_PER_MINUTE);
  if (minute === funding.minute) return funding;
  const samplesPpm = [...funding.samplesPpm, divTrunc(funding.minutePremiumMs, funding.minuteMs)];
  const next = { ...funding, minute, minutePremiumMs: 0n, minuteMs: 0n, samplesPpm };
  const hour = divTrunc(minute, MINUTES_PER_HOUR);
  if (hour === funding.hour) return next;
  // After a gap of an hour or more the samples say nothing about the hour that begins.
  const relevant = hour === funding.hour + 1n ? samplesPpm : [];
  return { ...next, hour, samplesPpm: [], rate8hPpm: rateFrom(relevant, terms) };
}
