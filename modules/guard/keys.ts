/** What the two keys do: both may tighten, the emergency key inside bounds and for a while; only the authority loosens before the end. */

import type { MsgLoosen, MsgTighten } from "@keel/proto/gen/keel/guard/v1/tx";
import {
  RestrictionLevel as Level,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { maximum } from "../kit/math/mul-div.ts";
import type { Parts } from "./breakers.ts";
import { refuse } from "./errors.ts";
import { emit, nowMs, remember } from "./events.ts";
import { EMERGENCY_PERIOD_MS, RAISE_MAX_PPM, RESTRICTION_MAX_MS } from "./limits.ts";
import { emergencyTotalMs } from "./params.ts";
import type { MarketId } from "./ports.ts";
import { end, SOURCE_NAMES, tighten } from "./restrictions.ts";
import { ALL_MARKETS } from "./state.ts";

export const LEVEL_NAMES: Readonly<Partial<Record<Level, string>>> = {
  [Level.RESTRICTION_LEVEL_UNSPECIFIED]: "none",
  [Level.RESTRICTION_LEVEL_CLOSE_ONLY]: "close_only",
  [Level.RESTRICTION_LEVEL_HALTED]: "halted",
};

/** Whose key, and what it may. */
function boundsOf(
  ctx: WriteContext,
  { state }: Parts,
  sender: string,
): { readonly source: Source; readonly longestMs: bigint; readonly raiseMaxPpm: bigint } {
  const params = state.params.require(ctx);
  if (sender === params.authority) {
    return {
      source: Source.RESTRICTION_SOURCE_AUTHORITY,
      longestMs: RESTRICTION_MAX_MS,
      raiseMaxPpm: RAISE_MAX_PPM,
    };
  }
  if (sender !== "" && sender === params.emergencyKey) {
    return {
      source: Source.RESTRICTION_SOURCE_EMERGENCY,
      longestMs: params.emergencyMaxMs,
      raiseMaxPpm: params.emergencyRaiseMaxPpm,
    };
  }
  throw refuse("unauthorized", `expected the authority or the emergency key, got ${sender}`);
}

/**
 * Adds what the key asks for to what it has held within its period, overlaps once, and refuses what is more than it may. So a key in the wrong hands
 * cannot renew for ever what each time it may say for a while; what is to last longer is the authority's to say.
 */
function spendTime(ctx: WriteContext, { state }: Parts, untilMs: bigint): void {
  const now = nowMs(ctx);
  const known = state.emergencyUse.get(ctx);
  const held = maximum((known?.untilMs ?? 0n) - now, 0n);
  const isOver = known === undefined || now >= known.beginMs + EMERGENCY_PERIOD_MS;
  // What still holds when a period ends is the first of the next.
  const { beginMs, usedMs } = isOver ? { beginMs: now, usedMs: held } : known;
  const added = maximum(untilMs - now - held, 0n);
  const most = emergencyTotalMs(state.params.require(ctx));
  // What only joins in what it holds already costs nothing.
  if (added > 0n && usedMs + added > most) {
    throw refuse(
      "beyondEmergency",
      `expected an end of at most ${now + held + maximum(most - usedMs, 0n)} ms: the key has held ${usedMs} of ${most} ms since ${beginMs}; ` +
        `longer only by the authority, or from ${beginMs + EMERGENCY_PERIOD_MS} ms on`,
    );
  }
  const until = now + held + added;
  state.emergencyUse.set(ctx, { beginMs, usedMs: usedMs + added, untilMs: until });
}

export function tightenByKey(
  ctx: WriteContext,
  parts: Parts,
  market: MarketId,
  message: MsgTighten,
): bigint {
  const { longestMs, raiseMaxPpm, source } = boundsOf(ctx, parts, message.sender);
  const now = nowMs(ctx);
  const { closeWithdrawals, initialRaisePpm, level, openInterestMaxLots, untilMs } = message;
  if (untilMs <= now || untilMs > now + longestMs) {
    throw refuse(
      "beyondEmergency",
      `expected an end after ${now} and at most ${now + longestMs} ms, got ${untilMs}`,
    );
  }
  if (initialRaisePpm > raiseMaxPpm) {
    throw refuse(
      "beyondEmergency",
      `expected a raise of at most ${raiseMaxPpm} ppm, got ${initialRaisePpm}`,
    );
  }
  if (source === Source.RESTRICTION_SOURCE_EMERGENCY) spendTime(ctx, parts, untilMs);
  const cause = message.reason;
  const held = tighten(ctx, parts.state, market, {
    source,
    level,
    initialRaisePpm,
    openInterestMaxLots,
    withdrawalsClosed: closeWithdrawals,
    untilMs,
    cause,
  });
  const after =
    `${LEVEL_NAMES[held.level]}, raise ${held.initialRaisePpm} ppm, cap ${held.openInterestMaxLots} lots, ` +
    `withdrawals ${held.withdrawalsClosed ? "closed" : "open"}, until ${held.untilMs} ms`;
  emit(ctx, "guard_tightened", {
    source: SOURCE_NAMES[source] ?? "",
    sender: message.sender,
    market: message.market,
    level: LEVEL_NAMES[held.level] ?? "",
    initial_raise_ppm: held.initialRaisePpm,
    open_interest_max_lots: held.openInterestMaxLots,
    withdrawals_closed: held.withdrawalsClosed,
    until_ms: held.untilMs,
    reason: cause,
  });
  const what = SOURCE_NAMES[source] ?? "";
  remember(ctx, parts.state, { market, what, before: "", after, cause });
  return held.untilMs;
}

/** By the authority, whom the caller has made sure of. */
export function loosen(
  ctx: WriteContext,
  { ports, state }: Parts,
  market: MarketId,
  message: MsgLoosen,
): number {
  const { ledger, venue } = ports;
  const wanted = message.source;
  const over = ({ source }: { readonly source: Source }): boolean =>
    wanted === Source.RESTRICTION_SOURCE_UNSPECIFIED
      ? source !== Source.RESTRICTION_SOURCE_CONTROLLER
      : source === wanted;
  if (message.openWithdrawals) {
    const { settlementDenom } = ledger.params(ctx);
    const missing = ledger.pendingShortfall(ctx, settlementDenom);
    if (missing > 0n) {
      throw refuse("deficit", `accounts below zero miss ${missing} quanta`);
    }
    ledger.openGate(ctx);
  }
  const ended = end(ctx, { state, venue }, market, over, "loosened");
  if (ended === 0 && !message.openWithdrawals) {
    const where = market === ALL_MARKETS ? "all markets" : message.market;
    throw refuse("nothingRestricted", `nothing of that is restricted in ${where}`);
  }
  const after = `${ended} restrictions ended${message.openWithdrawals ? ", withdrawals opened" : ""}`;
  remember(ctx, state, { market, what: "loosened", before: "", after, cause: "the authority" });
  return ended;
}
