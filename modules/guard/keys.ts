/** What the two keys do: both may tighten, the emergency key inside bounds and for a while; only the authority loosens before the end. */

import type { MsgLoosen, MsgTighten } from "@keel/proto/gen/keel/guard/v1/tx";
import {
  RestrictionLevel as Level,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { WriteContext } from "../kit/context.ts";
import type { Parts } from "./breakers.ts";
import { refuse } from "./errors.ts";
import { emit, nowMs, remember } from "./events.ts";
import { RAISE_MAX_PPM, RESTRICTION_MAX_MS } from "./limits.ts";
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
