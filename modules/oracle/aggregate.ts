/**
 * From validators' votes to one price per feed, pure. The price is the lower stake-weighted median: the smallest vote at which half
 * of the reporting power is reached. It moves only within the honest validators' range while less than a third of power is dishonest.
 */
import type { Feed, OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { assert } from "../kit/errors.ts";
import {
  absolute,
  compareBigints,
  divCeil,
  maximum,
  mulDivDown,
  PPM,
} from "../kit/math/mul-div.ts";

export interface ValidatorVote {
  readonly power: bigint;
  /** Null: no vote in the commit, or a malformed extension. */
  readonly vote: OracleVote | null;
}

export interface FeedResult {
  readonly feed: Feed;
  readonly reportingPower: bigint;
  readonly reportingPowerPpm: bigint;
  /** Null: too little power reported; the old price stays and ages. */
  readonly price: {
    readonly mantissa: bigint;
    readonly confidence: bigint;
    /** Votes at a fifth and at four fifths of the reporting power. */
    readonly band: { readonly low: bigint; readonly high: bigint };
  } | null;
}

/** A fifth, a half and four fifths of the reporting power. */
const BAND_TENTHS = [2n, 5n, 8n];

/** In the order of the votes given. */
export interface VoteQuality {
  readonly missed: boolean;
  readonly missedFeeds: bigint;
  readonly deviantVotes: bigint;
}

export interface Aggregate {
  readonly feeds: readonly FeedResult[];
  readonly quality: readonly VoteQuality[];
}

export interface Weighted {
  readonly value: bigint;
  readonly power: bigint;
}

/** Lower weighted median: smallest value whose cumulative power reaches half of the total. Needs positive total power. */
export function weightedMedian(votes: readonly Weighted[]): bigint {
  return weightedQuantiles(votes, [5n])[0] as bigint;
}

/** The smallest values whose cumulative power reaches these tenths of the total, which ascend from 1 to 10. Needs positive total power. */
export function weightedQuantiles(votes: readonly Weighted[], tenths: readonly bigint[]): bigint[] {
  const sorted = [...votes].sort((a, b) => compareBigints(a.value, b.value));
  let total = 0n;
  for (const { power } of sorted) total += power;
  assert(total > 0n, "a quantile needs positive power");
  const found: bigint[] = [];
  let reached = 0n;
  for (const { value, power } of sorted) {
    reached += power;
    while (found.length < tenths.length) {
      if (10n * reached < (tenths[found.length] as bigint) * total) break;
      found.push(value);
    }
  }
  assert(found.length === tenths.length, "cumulative power reaches the total");
  return found;
}

/** More than two thirds of all power, and at least the feed's (or surface's) own share. */
export function isQuorum(
  power: bigint,
  powerTotal: bigint,
  { minReportingPowerPpm }: Pick<Feed, "minReportingPowerPpm">,
): boolean {
  return 3n * power > 2n * powerTotal && power * PPM >= powerTotal * minReportingPowerPpm;
}

/** `votes` has one entry per validator of the set, so its powers sum to the whole power. Feeds ascend by id. */
export function aggregate(votes: readonly ValidatorVote[], feeds: readonly Feed[]): Aggregate {
  let powerTotal = 0n;
  for (const { power } of votes) powerTotal += power;
  const byFeed = votes.map(({ vote }) => new Map(vote?.feeds.map((f) => [f.feedId, f] as const)));
  const missedFeeds = votes.map(() => 0n);
  const deviantVotes = votes.map(() => 0n);
  const results: FeedResult[] = [];
  for (const feed of feeds) {
    if (!feed.enabled) continue;
    const values: Weighted[] = [];
    const widths: Weighted[] = [];
    let reportingPower = 0n;
    votes.forEach(({ power, vote }, i) => {
      const report = byFeed[i]?.get(feed.id);
      if (report === undefined) {
        if (vote !== null) missedFeeds[i] = (missedFeeds[i] as bigint) + 1n;
        return;
      }
      reportingPower += power;
      values.push({ value: report.mantissa, power });
      widths.push({ value: report.confidence, power });
    });
    const reportingPowerPpm = powerTotal === 0n ? 0n : mulDivDown(reportingPower, PPM, powerTotal);
    if (reportingPower === 0n || !isQuorum(reportingPower, powerTotal, feed)) {
      results.push({ feed, reportingPower, reportingPowerPpm, price: null });
      continue;
    }
    const [low, mantissa, high] = weightedQuantiles(values, BAND_TENTHS) as [
      bigint,
      bigint,
      bigint,
    ];
    const dispersion = weightedMedian(
      values.map(({ value, power }) => ({ value: absolute(value - mantissa), power })),
    );
    const reported = maximum(dispersion, weightedMedian(widths));
    // Under a guard a lone outlier beyond the median deviation widens it too.
    const confidence =
      feed.guard === undefined ? reported : maximum(reported, divCeil(high - low, 2n));
    const price = { mantissa, confidence, band: { low, high } };
    results.push({ feed, reportingPower, reportingPowerPpm, price });
    byFeed.forEach((reports, i) => {
      const report = reports.get(feed.id);
      if (report === undefined) return;
      const off = absolute(report.mantissa - mantissa);
      if (off * PPM > mantissa * feed.maxDeviationPpm) {
        deviantVotes[i] = (deviantVotes[i] as bigint) + 1n;
      }
    });
  }
  return {
    feeds: results,
    quality: votes.map(({ vote }, i) => ({
      missed: vote === null,
      missedFeeds: missedFeeds[i] as bigint,
      deviantVotes: deviantVotes[i] as bigint,
    })),
  };
}

/** ema + (price − ema) × dt / (dt + time constant), toward zero; the first price starts it. */
export function nextEma(
  previous: { readonly ema: bigint; readonly timeNs: bigint } | undefined,
  price: bigint,
  now: { readonly timeNs: bigint; readonly emaTimeNs: bigint },
): bigint {
  if (previous === undefined) return price;
  const dt = maximum(now.timeNs - previous.timeNs, 0n);
  if (dt + now.emaTimeNs === 0n) return price;
  const gap = price - previous.ema;
  const step = mulDivDown(absolute(gap), dt, dt + now.emaTimeNs);
  return gap < 0n ? previous.ema - step : previous.ema + step;
}
