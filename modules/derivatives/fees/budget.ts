/**
 * The action budget: how many order actions one owner may take, growing with what it trades. Taken before the work and given back with
 * everything else when the message is refused. Cancels are never counted: each takes away something that was.
 */
import type { TraderRecord } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { type AccountId, ownerKeyOf } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { divFloor, minimum } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import { formatMoney } from "../instruments.ts";
import { REDUCE_ONLY_ACTIONS } from "../limits.ts";
import { nowMs, type Venue } from "../venue.ts";
import { type Budget, feeTerms } from "./params.ts";
import { traderOf } from "./volume.ts";

export interface Limits {
  readonly limit: bigint;
  /** Of reduce-only orders. */
  readonly wide: bigint;
}

export function limitsOf(budget: Budget, { lifetime }: TraderRecord): Limits {
  const limit = budget.initial + divFloor(lifetime, budget.quantaPerAction);
  return { limit, wide: minimum(limit + REDUCE_ONLY_ACTIONS, 2n * limit) };
}

/** Throws ModuleError actionBudgetExhausted when the owner has to wait. */
export function takeActions(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  wanted: { readonly actions: number; readonly reduceOnly: boolean },
): void {
  const budget = feeTerms(ctx, venue)?.budget ?? null;
  if (budget === null) return;
  const owner = ownerKeyOf(account);
  const record = traderOf(ctx, venue, owner);
  const limits = limitsOf(budget, record);
  const most = wanted.reduceOnly ? limits.wide : limits.limit;
  const { traders } = venue.state.fees;
  const actions = record.actions + BigInt(wanted.actions);
  if (actions <= most) {
    traders.set(ctx, owner, { ...record, actions });
    return;
  }
  const now = BigInt(nowMs(ctx));
  const next = record.trickleMs + budget.trickleMs;
  if (wanted.actions === 1 && now >= next) {
    traders.set(ctx, owner, { ...record, trickleMs: now });
    return;
  }
  throw refuse(
    "actionBudgetExhausted",
    `${record.actions} of ${most} order actions are taken, expected room for ${wanted.actions}: trade (one more per ${formatMoney(budget.quantaPerAction)}), place a single order from ${next} ms on, or cancel`,
  );
}
