/** The circuit breakers: what is restricted and why, what may leave the vault, what has moved by itself; and the key that may only tighten. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type {
  QueryWithdrawalLimitsResponse,
  RestrictionView,
  RulesView,
} from "@keel/proto/gen/keel/guard/v1/query";
import { MsgTightenResponse } from "@keel/proto/gen/keel/guard/v1/tx";
import type { Move, RestrictionLevel } from "@keel/proto/gen/keel/guard/v1/types";
import { KeelInputError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf } from "./tx-result.ts";

export interface Tightening {
  /** Absent: all markets. */
  readonly market?: string;
  readonly level?: RestrictionLevel;
  readonly initialRaisePpm?: bigint;
  /** Of one market only. */
  readonly openInterestMaxLots?: bigint;
  /** Of all markets only. */
  readonly closeWithdrawals?: boolean;
  /** Unix milliseconds of block time. */
  readonly untilMs: number;
  /** What everyone reads beside it; 1 to 200 plain characters. */
  readonly reason: string;
}

/** Restrictions in force: of one market and of all, or without a symbol of everything. */
export async function restrictions(
  chain: KeelClient,
  market: string = "",
): Promise<readonly RestrictionView[]> {
  return (await chain.ask(methods.guardRestrictions, { market })).restrictions;
}

/** Rules of markets, what is measured for them and what they have come to. */
export async function guardRules(
  chain: KeelClient,
  market: string = "",
): Promise<readonly RulesView[]> {
  return (await chain.ask(methods.guardRules, { market })).markets;
}

/** What may leave the collateral vault now, window by window. */
export async function withdrawalLimits(
  chain: KeelClient,
  denom: string,
): Promise<QueryWithdrawalLimitsResponse> {
  return await chain.ask(methods.withdrawalLimits, { denom });
}

/** Automatic moves and uses of keys, newest first. */
export async function guardMoves(
  chain: KeelClient,
  page: { readonly market?: string; readonly beforeId?: bigint; readonly limit?: number } = {},
): Promise<readonly Move[]> {
  const { beforeId = 0n, limit = 0, market = "" } = page;
  return (await chain.ask(methods.guardMoves, { market, beforeId, limit })).moves;
}

export function tightenMessage(sender: string, what: Tightening): EncodeObject {
  if (what.reason === "") throw new KeelInputError("invalid-option", "reason", "expected a reason");
  const value = {
    sender,
    market: what.market ?? "",
    level: what.level ?? 0,
    initialRaisePpm: what.initialRaisePpm ?? 0n,
    openInterestMaxLots: what.openInterestMaxLots ?? 0n,
    closeWithdrawals: what.closeWithdrawals ?? false,
    untilMs: BigInt(what.untilMs),
    reason: what.reason,
  };
  return { typeUrl: "/keel.guard.v1.MsgTighten", value };
}

/** By the emergency key or the authority. Answers when it ends: later, if the key had said so before. */
export async function tighten(
  client: KeelSigningClient,
  what: Tightening,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly untilMs: number }>> {
  const tx = await client.execute([tightenMessage(client.address, what)], options);
  return { untilMs: Number(responseOf(tx, 0, MsgTightenResponse).untilMs), tx };
}
