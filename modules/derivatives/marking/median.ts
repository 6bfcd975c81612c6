/** The mark of a perpetual as a bounded median of three, pure. Prices are ticks; means of the basis are in 1/65536 ticks. */
import type { MarkBasis, MarkTerms } from "@keel/proto/gen/keel/derivatives/v1/marks";
import { assert } from "../../kit/errors.ts";
import {
  absolute,
  clamp,
  divCeil,
  divHalfEven,
  divTrunc,
  maximum,
  minimum,
  mulDivDown,
  PPM,
} from "../../kit/math/mul-div.ts";

export const BASIS_SCALE = 65_536n;

/** A block later than this after the last counts as this late: one reading after a pause must not be the whole mean. */
const STEP_MAX_MS = 5_000n;

export function median(a: bigint, b: bigint, c: bigint): bigint {
  return maximum(minimum(a, b), minimum(maximum(a, b), c));
}

export interface MarkParts {
  readonly index: bigint;
  readonly withSlowMean: bigint;
  readonly book: bigint;
  readonly third: bigint;
  readonly bandPpm: bigint;
  readonly mark: bigint;
  readonly clamped: boolean;
}

/** Half-width around the index: sigmas × one-minute deviation, down, within the terms' two bounds. */
export function bandOf(terms: MarkTerms, sigmaPpm: bigint): bigint {
  const { bandMaxPpm, bandMinPpm, bandSigmasPpm } = terms;
  return clamp(mulDivDown(bandSigmasPpm, sigmaPpm, PPM), bandMinPpm, bandMaxPpm);
}

/** `external` null: there is none now. What the book does not say counts as the index. The bounds of the band round toward the index. */
export function markParts(
  index: bigint,
  basis: MarkBasis,
  terms: MarkTerms,
  seen: { readonly sigmaPpm: bigint; readonly external: bigint | null },
): MarkParts {
  const withSlowMean = index + divHalfEven(basis.slow, BASIS_SCALE);
  const book = basis.bookTicks === 0n ? index : basis.bookTicks;
  const third = seen.external ?? index + divHalfEven(basis.fast, BASIS_SCALE);
  const bandPpm = bandOf(terms, seen.sigmaPpm);
  const least = maximum(divCeil(index * (PPM - bandPpm), PPM), 1n);
  const most = mulDivDown(index, PPM + bandPpm, PPM);
  const middle = median(withSlowMean, book, third);
  const mark = clamp(middle, least, most);
  return { index, withSlowMean, book, third, bandPpm, mark, clamped: mark !== middle };
}

/** A price as a fraction of ticks. */
interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What the book says of one block; 0: a side has no order, or none has traded yet. */
export interface BookReading {
  readonly bid: bigint;
  readonly ask: bigint;
  readonly last: bigint;
  readonly impactBid: Fraction | null;
  readonly impactAsk: Fraction | null;
}

/** Impact mid − index in 1/65536 ticks, half to even, within the widest band; without depth on both sides 0: the mean goes back to the index. */
function basisOf(index: bigint, reading: BookReading, bandMaxPpm: bigint): bigint {
  const { impactAsk, impactBid } = reading;
  if (impactBid === null || impactAsk === null) return 0n;
  const scaled = ({ numerator, denominator }: Fraction): bigint =>
    divHalfEven(numerator * BASIS_SCALE, denominator);
  const mid = divHalfEven(scaled(impactBid) + scaled(impactAsk), 2n);
  const most = mulDivDown(index * BASIS_SCALE, bandMaxPpm, PPM);
  return clamp(mid - index * BASIS_SCALE, -most, most);
}

/** mean + (sample − mean) × dt / (dt + time constant), toward the mean. */
function approach(mean: bigint, sample: bigint, stepMs: bigint, timeMs: bigint): bigint {
  return mean + divTrunc((sample - mean) * stepMs, stepMs + timeMs);
}

/** The record after one more block. The first begins at the index: what one block says of a new market is no mean. */
export function nextBasis(
  known: MarkBasis | undefined,
  index: bigint,
  reading: BookReading,
  { terms, nowMs }: { readonly terms: MarkTerms; readonly nowMs: bigint },
): MarkBasis {
  assert(index > 0n, "a basis needs a positive index");
  const { bid, ask, last } = reading;
  const said = bid > 0n && ask > 0n && last > 0n;
  const bookTicks = said ? median(bid, ask, last) : 0n;
  if (known === undefined) return { slow: 0n, fast: 0n, bookTicks, timeMs: nowMs };
  const stepMs = minimum(maximum(nowMs - known.timeMs, 0n), STEP_MAX_MS);
  const sample = basisOf(index, reading, terms.bandMaxPpm);
  return {
    slow: approach(known.slow, sample, stepMs, terms.slowTimeMs),
    fast: approach(known.fast, sample, stepMs, terms.fastTimeMs),
    bookTicks,
    timeMs: nowMs,
  };
}

/** What is wrong with a record that no block of such a market could have written, or null. */
export function basisFault({ slow, fast, bookTicks }: MarkBasis, ticksMax: bigint): string | null {
  const most = ticksMax * BASIS_SCALE;
  if (absolute(slow) > most || absolute(fast) > most) return "a mean is out of range";
  return bookTicks > ticksMax ? "a price is out of range" : null;
}
