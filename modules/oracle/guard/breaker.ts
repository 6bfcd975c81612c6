/**
 * Whether an update that has the quorum becomes the price, pure. Two reasons against: the votes are too far apart, or the median is too far from
 * where the price has been. What is refused is recorded; a level that enough further updates agree on is then believed.
 */
import {
  type FeedGuard,
  type FeedWatch,
  RefusalReason,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import { absolute, mulDivDown, mulDivUp, PPM } from "../../kit/math/mul-div.ts";

export interface Update {
  readonly mantissa: bigint;
  /** Votes at a fifth and at four fifths of the reporting power. */
  readonly band: { readonly low: bigint; readonly high: bigint };
  readonly timeNs: bigint;
  readonly height: number;
}

export interface Verdict {
  readonly used: boolean;
  /** Used at the end of a row of consistent updates far from the mean. */
  readonly confirmed: boolean;
  /** With the refusal, the row so far and the slow lane; the means are kept elsewhere. */
  readonly watch: FeedWatch;
}

export function unwatched(feedId: number): FeedWatch {
  return {
    feedId,
    meanMantissa: 0n,
    confirmedMantissa: 0n,
    slow: false,
    refused: undefined,
    pendingMantissa: 0n,
    confirmations: 0,
    sum: "",
    coveredMs: 0n,
    sumTimeMs: 0n,
    minute: 0n,
    minuteMantissa: 0n,
    variance: 0n,
  };
}

/** Of `value` from `level`, ppm of the level, rounded up: a limit is passed by any part beyond it. */
export function deviationPpm(value: bigint, level: bigint): bigint {
  return mulDivUp(absolute(value - level), PPM, level);
}

function refusal(
  watch: FeedWatch,
  update: Update,
  why: { reason: RefusalReason; measuredPpm: bigint; limitPpm: bigint },
): FeedWatch {
  const { height, mantissa, timeNs } = update;
  return { ...watch, refused: { mantissa, timeNs, height: BigInt(height), ...why } };
}

export function judge(guard: FeedGuard, watch: FeedWatch, update: Update): Verdict {
  const { mantissa, band } = update;
  const { meanMantissa: mean, confirmedMantissa } = watch;
  const width = mulDivUp(band.high - band.low, PPM, mantissa);
  if (guard.bandMaxPpm > 0n && width > guard.bandMaxPpm) {
    const why = {
      reason: RefusalReason.REFUSAL_REASON_BAND,
      measuredPpm: width,
      limitPpm: guard.bandMaxPpm,
    };
    // Votes that disagree confirm nothing: the row begins anew.
    return {
      used: false,
      confirmed: false,
      watch: refusal({ ...watch, confirmations: 0 }, update, why),
    };
  }
  const off = mean === 0n ? 0n : deviationPpm(mantissa, mean);
  const slow = guard.slowDeviationPpm > 0n && off > guard.slowDeviationPpm;
  const limit = guard.breakDeviationPpm;
  const far = limit > 0n && off > limit;
  const known = confirmedMantissa > 0n && deviationPpm(mantissa, confirmedMantissa) <= limit;
  if (!far || known) {
    // The mean has come near: what was confirmed is no longer needed, and would let a return to it pass unconfirmed.
    const kept = far ? confirmedMantissa : 0n;
    const next = { ...watch, slow, confirmedMantissa: kept, pendingMantissa: 0n, confirmations: 0 };
    return { used: true, confirmed: false, watch: next };
  }
  const pending = watch.pendingMantissa;
  const agrees = pending > 0n && deviationPpm(mantissa, pending) <= guard.consistentPpm;
  const confirmations = agrees ? watch.confirmations + 1 : 0;
  const why = {
    reason: RefusalReason.REFUSAL_REASON_BREAK,
    measuredPpm: off,
    limitPpm: limit,
  };
  if (confirmations < guard.confirmations) {
    const next = { ...watch, pendingMantissa: mantissa, confirmations };
    return { used: false, confirmed: false, watch: refusal(next, update, why) };
  }
  const next = { ...watch, slow, confirmedMantissa: mantissa, pendingMantissa: 0n, confirmations };
  return { used: true, confirmed: true, watch: next };
}

const NS_PER_MINUTE = 60_000_000_000n;
/** A move of more than this in a minute measures as this: its square stays far below 2^63. */
const MOVE_MAX_PPM = 1_000_000_000n;

/**
 * The mean square of one minute's move with a used price: once a minute, v += (r² / k − v) × k / (k + n − 1) for the k minutes since the last, so
 * that a minute without a price is not a quiet one. Down.
 */
export function measureMinute(
  guard: FeedGuard,
  watch: FeedWatch,
  update: Pick<Update, "mantissa" | "timeNs">,
): FeedWatch {
  const { mantissa, timeNs } = update;
  const minute = mulDivDown(timeNs, 1n, NS_PER_MINUTE);
  if (guard.sigmaMinutes === 0 || minute <= watch.minute) return watch;
  const started = { ...watch, minute, minuteMantissa: mantissa };
  if (watch.minuteMantissa === 0n) return started;
  const minutes = minute - watch.minute;
  const measured = deviationPpm(mantissa, watch.minuteMantissa);
  const move = measured > MOVE_MAX_PPM ? MOVE_MAX_PPM : measured;
  const span = minutes + BigInt(guard.sigmaMinutes) - 1n;
  const variance = mulDivDown(
    move * move + watch.variance * BigInt(guard.sigmaMinutes - 1),
    1n,
    span,
  );
  return { ...started, variance };
}
