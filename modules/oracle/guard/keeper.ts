/** The guards of a block's update, and what is asked of guarded feeds. */
import type { FeedWatch, ValidatorStanding } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { Feed } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { integerSqrt } from "../../kit/math/square-root.ts";
import { nextEma } from "../aggregate.ts";
import { emitPriceConfirmed, emitPriceRefused, emitSlowLane } from "../events.ts";
import type { OracleState } from "../state.ts";
import { judge, measureMinute, type Update, unwatched } from "./breaker.ts";
import { advanceSum, type Twap, twapOf } from "./twap.ts";

export interface GuardKeeper {
  /** undefined: not guarded, or no update since it is. */
  watch(ctx: ReadContext, feedId: number): FeedWatch | undefined;
  /** undefined: none is kept, or no price was in force for any of it. */
  twap(ctx: ReadContext, feedId: number, windowMs: bigint): Twap | undefined;
  /** Ascending by address. */
  standings(ctx: ReadContext): readonly ValidatorStanding[];
}

const NS_PER_MS = 1_000_000n;

export function createGuardKeeper(state: OracleState): GuardKeeper {
  return {
    watch: (ctx, feedId) => state.watches.get(ctx, feedId),
    twap(ctx, feedId, windowMs) {
      const feed = state.feeds.get(ctx, feedId);
      return feed === undefined ? undefined : twapOf(ctx, state, feed, windowMs);
    },
    standings(ctx) {
      const standings: ValidatorStanding[] = [];
      state.standings.each(ctx, (_address, standing) => {
        standings.push(standing);
      });
      return standings;
    },
  };
}

/** Deviation of one minute's move, ppm, down; 0: not measured. */
export function minuteSigmaPpm(watch: FeedWatch | undefined): bigint {
  return watch === undefined ? 0n : integerSqrt(watch.variance);
}

/** Before the price is written: false keeps the old one. Without a guard always true. */
export function admitPrice(
  ctx: WriteContext,
  state: OracleState,
  feed: Feed,
  price: Pick<Update, "mantissa" | "band">,
): boolean {
  const { guard } = feed;
  if (guard === undefined) return true;
  const before = state.watches.get(ctx, feed.id) ?? unwatched(feed.id);
  const last = state.prices.get(ctx, feed.id);
  const { timeNs, height } = ctx.header;
  const update: Update = { ...price, timeNs, height };
  const verdict = judge(guard, before, update);
  if (!verdict.used) {
    state.watches.set(ctx, feed.id, verdict.watch);
    emitPriceRefused(ctx, feed, verdict.watch, guard.confirmations);
    return false;
  }
  const mean = before.meanMantissa;
  if (verdict.confirmed) emitPriceConfirmed(ctx, feed, verdict.watch);
  if (verdict.watch.slow !== before.slow) {
    emitSlowLane(ctx, feed, { slow: verdict.watch.slow, mantissa: update.mantissa, mean });
  }
  const measured = measureMinute(guard, verdict.watch, update);
  const summed = advanceSum(ctx, state, feed, { watch: measured, inForce: last?.mantissa ?? 0n });
  const known = last === undefined || mean === 0n ? undefined : { ema: mean, timeNs: last.timeNs };
  const emaTimeNs = guard.meanTimeMs * NS_PER_MS;
  const meanMantissa = nextEma(known, update.mantissa, { timeNs, emaTimeNs });
  state.watches.set(ctx, feed.id, { ...summed, meanMantissa });
  return true;
}

/** A feed that is no longer guarded forgets what it saw: a breaker that was open must not be found open again later. */
export function forgetWatch(ctx: WriteContext, state: OracleState, feedId: number): void {
  if (!state.watches.has(ctx, feedId)) return;
  state.watches.delete(ctx, feedId);
  const slots: number[] = [];
  state.checkpoints.each(ctx, ([id, slot]) => {
    if (id === feedId) slots.push(slot);
  });
  for (const slot of slots) state.checkpoints.delete(ctx, [feedId, slot]);
}
