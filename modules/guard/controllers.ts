/** What moves by itself at the end of a block: the cap on open interest and the raise of initial margin, of each market by its own rules. */
import {
  RestrictionLevel as Level,
  type MarketMeasures,
  type MarketRules,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { quantities } from "../kit/explanation.ts";
import { clamp, divCeil, divFloor, minimum, PPM } from "../kit/math/mul-div.ts";
import { type Aim, capAim, paceOfCap, raiseAim, stepToward } from "./aims.ts";
import type { Parts } from "./breakers.ts";
import { emit, nowMs, remember } from "./events.ts";
import { SAMPLE_PARTS, SAMPLES_PER_INTERVAL } from "./limits.ts";
import type { MarketId } from "./ports.ts";
import { end, replace, restrictionOf } from "./restrictions.ts";
import type { GuardState } from "./state.ts";
import { emptyMeasures } from "./survey.ts";

interface Steps {
  readonly stepMax: bigint;
  readonly band: bigint;
}

interface Controlled {
  readonly raisePpm: bigint;
  readonly cap: bigint;
}

const CONTROLLER: Source = Source.RESTRICTION_SOURCE_CONTROLLER;

function controlled(ctx: ReadContext, state: GuardState, market: MarketId): Controlled | null {
  const now = restrictionOf(ctx, state, market, CONTROLLER);
  return now === undefined ? null : { raisePpm: now.initialRaisePpm, cap: now.openInterestMaxLots };
}

function set(ctx: WriteContext, state: GuardState, market: MarketId, now: Controlled): void {
  replace(ctx, state, market, {
    source: CONTROLLER,
    level: Level.RESTRICTION_LEVEL_UNSPECIFIED,
    initialRaisePpm: now.raisePpm,
    openInterestMaxLots: now.cap,
    withdrawalsClosed: false,
    sinceMs: nowMs(ctx),
    untilMs: 0n,
    blocksLeft: 0,
    cause: "rules of the market",
  });
}

/** Brings what is controlled inside the bounds of new rules: where they begin, or where it stood. */
export function adoptRules(
  ctx: WriteContext,
  parts: Parts,
  market: MarketId,
  rules: MarketRules | undefined,
): void {
  const { state } = parts;
  const before = controlled(ctx, state, market);
  const { margin, openInterest } = rules ?? {};
  if (margin === undefined && openInterest === undefined) {
    const venue = parts.ports.venue;
    if (before !== null)
      end(ctx, { state, venue }, market, ({ source }) => source === CONTROLLER, "loosened");
    if (state.measures.has(ctx, market)) state.measures.delete(ctx, market);
    return;
  }
  const raisePpm = minimum(before?.raisePpm ?? 0n, margin?.raiseMaxPpm ?? 0n);
  const start = before === null || before.cap === 0n ? openInterest?.lotsMax : before.cap;
  const cap =
    openInterest === undefined || start === undefined
      ? 0n
      : clamp(start, openInterest.lotsMin, openInterest.lotsMax);
  if (before?.raisePpm !== raisePpm || before.cap !== cap) {
    set(ctx, state, market, { raisePpm, cap });
  }
}

/**
 * Depth, smoothed: what stands in the book for one moment counts for an eighth. The first eight samples count alike, and are not judged by: a book that
 * fills in its first minutes would be measured against itself.
 */
function sampled(
  ctx: ReadContext,
  { ports }: Parts,
  market: MarketId,
  rules: MarketRules,
  before: MarketMeasures,
): MarketMeasures {
  const { margin, openInterest } = rules;
  const now = nowMs(ctx);
  const intervals = [margin?.pace?.intervalMs, openInterest?.pace?.intervalMs];
  const interval = intervals.reduce<bigint>(
    (least, one) => (one !== undefined && (least === 0n || one < least) ? one : least),
    0n,
  );
  if (now < before.depthSampledMs + divCeil(interval, SAMPLES_PER_INTERVAL)) return before;
  const rangePpm = openInterest?.depthRangePpm ?? margin?.depthRangePpm ?? 0n;
  const lots = ports.venue.thinnerDepthLots(ctx, market, rangePpm);
  if (lots === undefined) return before;
  const sample = lots * PPM;
  const depthSamples = before.depthSamples < SAMPLE_PARTS ? before.depthSamples + 1 : SAMPLE_PARTS;
  const change = divFloor(sample - before.depthPpmLots, BigInt(depthSamples));
  const depthPpmLots = before.depthPpmLots + change;
  return { ...before, depthPpmLots, depthSampledMs: now, depthSamples };
}

/** One market with rules. Nothing moves on what has not been measured yet. */
export function control(
  ctx: WriteContext,
  parts: Parts,
  market: MarketId,
  rules: MarketRules,
): void {
  const { ports, state } = parts;
  const { margin, openInterest } = rules;
  if (margin === undefined && openInterest === undefined) return;
  const known = state.measures.get(ctx, market) ?? emptyMeasures(market);
  let measures = sampled(ctx, parts, market, rules, known);
  const now = nowMs(ctx);
  const symbol = ports.venue.terms(ctx, market)?.symbol ?? "";
  let at = controlled(ctx, state, market) ?? { raisePpm: 0n, cap: openInterest?.lotsMax ?? 0n };
  const before = at;

  function tell(
    what: string,
    from: bigint,
    to: bigint,
    told: { readonly aim: Aim; readonly pace: Steps; readonly unit: "lots" | "ppm" },
  ): void {
    const { aim, pace, unit } = told;
    const { cause, value } = aim;
    const attributes = { market: symbol, what, before: from, after: to, aim: value, cause };
    emit(ctx, "guard_move", attributes, () => ({
      rule: aim.rule,
      inputs: [
        ...aim.inputs(),
        ...quantities(unit, { before: from, "largest step": pace.stepMax, band: pace.band }),
      ],
      results: quantities(unit, { aim: value, after: to }),
    }));
    const text = `aim ${value} = ${cause}`;
    const report = { market, what, before: from.toString(), after: to.toString(), cause: text };
    remember(ctx, state, report);
  }

  if (measures.depthSamples < SAMPLE_PARTS) {
    if (measures !== known) state.measures.set(ctx, market, measures);
    return;
  }
  const capPace = openInterest?.pace;
  if (openInterest !== undefined && capPace !== undefined) {
    if (now >= measures.capMovedMs + capPace.intervalMs) {
      const { settlementDenom } = ports.ledger.params(ctx);
      const fund = ports.fund.balance(ctx, settlementDenom);
      const aim = capAim(openInterest, measures, fund);
      const pace = paceOfCap(at.cap, capPace);
      const next = stepToward(at.cap, aim, pace);
      if (next !== null) {
        tell("open_interest_cap", at.cap, next, { aim, pace, unit: "lots" });
        at = { ...at, cap: next };
        measures = { ...measures, capMovedMs: now };
      }
    }
  }
  const raisePace = margin?.pace;
  if (margin !== undefined && raisePace !== undefined) {
    if (now >= measures.raiseMovedMs + raisePace.intervalMs) {
      const aim = raiseAim(margin, measures);
      const pace = { stepMax: raisePace.stepMaxPpm, band: raisePace.bandPpm };
      const next = stepToward(at.raisePpm, aim, pace);
      if (next !== null) {
        tell("initial_raise", at.raisePpm, next, { aim, pace, unit: "ppm" });
        at = { ...at, raisePpm: next };
        measures = { ...measures, raiseMovedMs: now };
      }
    }
  }
  if (measures !== known) state.measures.set(ctx, market, measures);
  if (at !== before) set(ctx, state, market, at);
}
