/** Dynamic margin: measures each feed once a minute, and moves the multipliers of its markets with what it finds. */
import type { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { divFloor, maximum, minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import type { PricesPort } from "../ports.ts";
import { WITHOUT_FACTOR } from "./common-factor.ts";
import { rangeOf } from "./estimators.ts";
import { emitDynamicMargin, type MoveReason } from "./events.ts";
import {
  initialAim,
  MINUTE_MS,
  MINUTES_PER_HOUR,
  measured,
  type Outcome,
  outcomeOf,
  seeded,
} from "./measuring.ts";
import { published, risen, UNITY } from "./multipliers.ts";
import type { VolatilityState } from "./state.ts";

const NS_PER_MS = 1_000_000n;

export interface Volatility {
  /** Once a block, before anyone trades. Without terms it does nothing. */
  sample(ctx: WriteContext): void;
  /** Terms of a feed from now on; undefined: off. Throws ModuleError for a feed without a price, or one that was off already. */
  set(ctx: WriteContext, feedId: number, terms: DynamicMargin | undefined): void;
  view(ctx: ReadContext, terms: DynamicMargin): FeedView;
  /** Deviations of a move over the horizon, 1e-18, by the larger estimate; null for a feed that is not measured. */
  rangeOver(
    ctx: ReadContext,
    feedId: number,
    over: { readonly deviationsPpm: bigint; readonly horizonMs: bigint },
  ): bigint | null;
}

export interface FeedView {
  readonly state: FeedVolatility;
  readonly outcome: Outcome;
  readonly forwardPpm: bigint;
}

export function createVolatility(state: VolatilityState, prices: PricesPort): Volatility {
  /** Of a quoted volatility, annual in 1e-18; 0: none that is fresh. */
  function impliedOf(ctx: ReadContext, feedId: number): bigint {
    const quoted = feedId === 0 ? undefined : prices.price(ctx, feedId);
    if (quoted?.fresh !== true) return 0n;
    const { exponent, mantissa } = quoted;
    if (exponent >= 0) return mantissa * WAD * 10n ** BigInt(exponent);
    return divFloor(mantissa * WAD, 10n ** BigInt(-exponent));
  }

  function aimOf(ctx: ReadContext, terms: DynamicMargin, outcome: Outcome) {
    if (terms.forward === undefined) return initialAim(terms, outcome, NOTHING_SEEN);
    const price = prices.price(ctx, terms.feedId);
    const widthPpm = price === undefined ? 0n : mulDivUp(price.confidence, PPM, price.mantissa);
    const implied = impliedOf(ctx, terms.forward.impliedFeedId);
    return initialAim(terms, outcome, { implied, widthPpm });
  }

  function write(
    ctx: WriteContext,
    terms: DynamicMargin,
    before: FeedVolatility,
    after: FeedVolatility,
    why: { readonly reason: MoveReason; readonly outcome: Outcome; readonly forwardPpm: bigint },
  ): void {
    state.measured.set(ctx, terms.feedId, after);
    const moved =
      before.initialPpm !== after.initialPpm || before.maintenancePpm !== after.maintenancePpm;
    if (moved) emitDynamicMargin(ctx, after, { ...why, terms, before });
  }

  /** Price of the common factor: the last known one while there is no fresh one. */
  function factorOf(ctx: ReadContext, terms: DynamicMargin, known: FeedVolatility): bigint {
    if (terms.factorFeedId === 0) return 0n;
    const price = prices.price(ctx, terms.factorFeedId);
    return price?.fresh === true ? price.mantissa : known.factorMantissa;
  }

  function sampleFeed(ctx: WriteContext, terms: DynamicMargin): void {
    const known = state.measured.get(ctx, terms.feedId) ?? seeded(terms);
    const minute = divFloor(ctx.header.timeNs, NS_PER_MS * MINUTE_MS);
    if (minute <= known.minute) return;
    const price = prices.price(ctx, terms.feedId);
    if (price === undefined) return;
    const mantissa = price.fresh || known.mantissa === 0n ? price.mantissa : known.mantissa;
    const factor = factorOf(ctx, terms, known);
    const next = measured(terms, known, { minute, mantissa, factor });
    const outcome = outcomeOf(terms, next);
    const { initial, forwardPpm } = aimOf(ctx, terms, outcome);
    const hour = divFloor(minute, MINUTES_PER_HOUR);
    const isHour = hour > known.hour;
    const { target } = outcome;
    const multipliers = isHour
      ? published(next, { target, initial, rampPerDayPpm: terms.rampPerDayPpm })
      : risen(next, initial);
    const { initialPpm, maintenancePpm } = multipliers;
    const after = { ...next, hour, initialPpm, maintenancePpm };
    write(ctx, terms, known, after, { reason: isHour ? "hour" : "rise", outcome, forwardPpm });
  }

  return {
    sample(ctx) {
      if (state.terms.size(ctx) === 0) return;
      const all: DynamicMargin[] = [];
      state.terms.each(ctx, (_feedId, terms) => void all.push(terms));
      for (const terms of all) sampleFeed(ctx, terms);
    },

    set(ctx, feedId, terms) {
      const before = state.terms.get(ctx, feedId);
      const known = state.measured.get(ctx, feedId);
      if (terms === undefined) {
        if (before === undefined || known === undefined) {
          throw refuse("unknownFeed", `margin does not follow the volatility of feed ${feedId}`);
        }
        const outcome = outcomeOf(before, known);
        state.terms.delete(ctx, feedId);
        state.measured.delete(ctx, feedId);
        emitDynamicMargin(
          ctx,
          { ...known, ...UNITY },
          { reason: "terms", terms: before, before: known, outcome, forwardPpm: 0n },
        );
        return;
      }
      for (const needed of [feedId, terms.factorFeedId]) {
        if (needed !== 0 && prices.price(ctx, needed) === undefined) {
          throw refuse("unknownFeed", `feed ${needed} has no price to measure`);
        }
      }
      state.terms.set(ctx, feedId, terms);
      const along = known !== undefined && before?.factorFeedId === terms.factorFeedId;
      const from = along ? known : { ...(known ?? seeded(terms)), ...WITHOUT_FACTOR };
      // A rise comes with the samples and the hour, so that nobody is liquidated by a change of terms; a lower ceiling holds at once.
      const most = terms.multiplierMaxPpm;
      const initialPpm = minimum(from.initialPpm, most);
      const after = { ...from, initialPpm, maintenancePpm: minimum(from.maintenancePpm, most) };
      const outcome = outcomeOf(terms, after);
      write(ctx, terms, from, after, { reason: "terms", outcome, forwardPpm: 0n });
    },

    rangeOver(ctx, feedId, { deviationsPpm, horizonMs }) {
      const known = state.measured.get(ctx, feedId);
      if (known === undefined) return null;
      const variance = maximum(BigInt(known.fastVariance), BigInt(known.slowVariance));
      return rangeOf(variance, { deviationsPpm, horizon: horizonMs, step: MINUTE_MS });
    },

    view(ctx, terms) {
      const known = state.measured.get(ctx, terms.feedId) ?? seeded(terms);
      const outcome = outcomeOf(terms, known);
      return { state: known, outcome, forwardPpm: aimOf(ctx, terms, outcome).forwardPpm };
    },
  };
}

const NOTHING_SEEN = { implied: 0n, widthPpm: 0n };
