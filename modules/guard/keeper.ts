/** What the guard offers to the rest of the chain, and the operations behind its messages. */

import type { MsgLoosen, MsgTighten } from "@keel/proto/gen/keel/guard/v1/tx";
import {
  RestrictionLevel as Level,
  type MarketRules,
  type Params,
  type Restriction,
  type WithdrawalLimit,
} from "@keel/proto/gen/keel/guard/v1/types";
import { u32Key } from "../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { Parts } from "./breakers.ts";
import { watchRanges } from "./breakers.ts";
import { contained } from "./contained.ts";
import { adoptRules, control } from "./controllers.ts";
import { refuse } from "./errors.ts";
import { emit, nowMs } from "./events.ts";
import { loosen, tightenByKey } from "./keys.ts";
import { DENOMS_MAX, MARKETS_MAX } from "./limits.ts";
import { countOff, watchGap } from "./outage.ts";
import type { GuardPorts, MarketId } from "./ports.ts";
import { end, inForce, withdrawalsClosed } from "./restrictions.ts";
import { ALL_MARKETS, type GuardState } from "./state.ts";
import { surveyStep } from "./survey.ts";
import { createFlows, type Flows } from "./velocity.ts";

/** As derivatives asks for it. */
export interface MarketRestriction {
  readonly level: "none" | "closeOnly" | "halted";
  readonly openInterestMaxLots: bigint;
}

export interface GuardKeeper extends Flows {
  /** Null: nothing holds in the market beside its own terms and status. */
  restriction(ctx: ReadContext, market: MarketId): MarketRestriction | null;
  initialRaisePpm(ctx: ReadContext, market: MarketId): bigint;

  params(ctx: ReadContext): Params;
  /** Number of the market, 0 for the empty symbol: all of them. Throws ModuleError for an unknown one. */
  marketOf(ctx: ReadContext, symbol: string): MarketId;
  /** All below throw ModuleError to refuse and leave reverting to the caller. */
  setRules(ctx: WriteContext, symbol: string, rules: MarketRules | undefined): void;
  setLimits(ctx: WriteContext, denom: string, limits: readonly WithdrawalLimit[]): void;
  /** Returns when it ends. */
  tighten(ctx: WriteContext, message: MsgTighten): bigint;
  /** Returns how many restrictions ended. */
  loosen(ctx: WriteContext, message: MsgLoosen): number;
  beginBlock(ctx: WriteContext): void;
  endBlock(ctx: WriteContext): void;
}

const LEVELS: Readonly<Partial<Record<Level, MarketRestriction["level"]>>> = {
  [Level.RESTRICTION_LEVEL_CLOSE_ONLY]: "closeOnly",
  [Level.RESTRICTION_LEVEL_HALTED]: "halted",
};

export function createKeeper(state: GuardState, ports: GuardPorts): GuardKeeper {
  const parts: Parts = { state, ports };
  const { venue } = ports;
  const flows = createFlows(state, ports);

  function forgetWatches(ctx: WriteContext, market: MarketId): void {
    const numbers: number[] = [];
    state.watches.eachWithPrefix(ctx, u32Key.encode(market), ([, range]) => {
      numbers.push(range);
    });
    for (const range of numbers) state.watches.delete(ctx, [market, range]);
  }

  function marketOf(ctx: ReadContext, symbol: string): MarketId {
    if (symbol === "") return ALL_MARKETS;
    const market = venue.marketId(ctx, symbol);
    if (market === undefined) throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
    return market;
  }

  /** Everything that is kept for a market's rules; what others restrict in it stays. */
  function forget(ctx: WriteContext, market: MarketId): void {
    forgetWatches(ctx, market);
    if (state.rules.has(ctx, market)) state.rules.delete(ctx, market);
    adoptRules(ctx, parts, market, undefined);
  }

  function expire(ctx: WriteContext): void {
    if (state.restrictions.size(ctx) === 0) return;
    const now = nowMs(ctx);
    const over = ({ untilMs }: Restriction): boolean => untilMs !== 0n && untilMs <= now;
    const ended: MarketId[] = [];
    state.restrictions.each(ctx, (market, { items }) => {
      if (items.some(over)) ended.push(market);
    });
    for (const market of ended) end(ctx, { state, venue }, market, over, "expired");
  }

  function eachRuled(
    ctx: WriteContext,
    work: (ctx: WriteContext, market: MarketId, rules: MarketRules) => void,
  ): void {
    const ruled: [MarketId, MarketRules][] = [];
    state.rules.each(ctx, (market, rules) => void ruled.push([market, rules]));
    for (const [market, rules] of ruled) {
      contained(ctx, venue, market, (inner) => work(inner, market, rules));
    }
  }

  return {
    ...flows,

    restriction(ctx, market) {
      const { level, openInterestMaxLots } = inForce(ctx, state, market);
      if (level === Level.RESTRICTION_LEVEL_UNSPECIFIED && openInterestMaxLots === 0n) return null;
      return { level: LEVELS[level] ?? "none", openInterestMaxLots };
    },
    initialRaisePpm: (ctx, market) => inForce(ctx, state, market).initialRaisePpm,

    withdrawing(ctx, denom, quanta) {
      const closed = withdrawalsClosed(ctx, state);
      if (closed !== null) {
        const { blocksLeft, cause, untilMs } = closed;
        const until = untilMs > 0n ? `until ${untilMs} ms` : `for ${blocksLeft} blocks`;
        throw refuse("withdrawalsClosed", `withdrawals are closed ${until}: ${cause}`);
      }
      flows.withdrawing(ctx, denom, quanta);
    },

    params: (ctx) => state.params.require(ctx),
    marketOf,

    setRules(ctx, symbol, rules) {
      const market = marketOf(ctx, symbol);
      if (market === ALL_MARKETS) throw refuse("unknownMarket", "expected a market");
      if (rules === undefined) {
        if (!state.rules.has(ctx, market)) {
          throw refuse("nothingRestricted", `market ${symbol} has no rules`);
        }
        forget(ctx, market);
      } else {
        if (!state.rules.has(ctx, market) && state.rules.size(ctx) >= MARKETS_MAX) {
          throw refuse("invalidRequest", `expected rules for at most ${MARKETS_MAX} markets`);
        }
        // Ranges are known by their place: with other ones what was watched has no meaning.
        forgetWatches(ctx, market);
        state.rules.set(ctx, market, rules);
        adoptRules(ctx, parts, market, rules);
      }
      emit(ctx, "guard_rules", { market: symbol, denom: "" });
    },

    setLimits(ctx, denom, limits) {
      const known = state.velocities.get(ctx, denom);
      if (limits.length === 0) {
        if (known === undefined) throw refuse("nothingRestricted", `${denom} has no limits`);
        state.velocities.delete(ctx, denom);
      } else {
        if (known === undefined && state.velocities.size(ctx) >= DENOMS_MAX) {
          throw refuse("invalidRequest", `expected limits for at most ${DENOMS_MAX} denoms`);
        }
        // A window that stays keeps what it has seen.
        const flowsOf = limits.map((limit) => ({
          limit,
          buckets:
            known?.flows.find((flow) => flow.limit?.windowMs === limit.windowMs)?.buckets ?? [],
        }));
        state.velocities.set(ctx, denom, { denom, flows: flowsOf });
      }
      emit(ctx, "guard_rules", { market: "", denom });
    },

    tighten: (ctx, message) => tightenByKey(ctx, parts, marketOf(ctx, message.market), message),
    loosen: (ctx, message) => loosen(ctx, parts, marketOf(ctx, message.market), message),

    beginBlock(ctx) {
      countOff(ctx, parts);
      watchGap(ctx, parts, state.params.require(ctx).outage);
      expire(ctx);
      eachRuled(ctx, (inner, market, rules) => {
        if (venue.terms(inner, market) === undefined) forget(inner, market);
        else watchRanges(inner, parts, market, rules);
      });
    },

    endBlock(ctx) {
      if (state.rules.size(ctx) === 0) return;
      surveyStep(ctx, parts);
      eachRuled(ctx, (inner, market, rules) => control(inner, parts, market, rules));
    },
  };
}
