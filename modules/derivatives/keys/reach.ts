/**
 * How far an order of a trading key reaches. Self-trades are judged by owner, so an order may take off those of other sub-accounts: one that
 * a key sent only within its grant.
 */
import type { KeyCount } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import type { Turn } from "../venue.ts";

/** Counts for nothing, but for a key's order. */
export const UNCOUNTED = "0";

/** Of a stored order: the address of the key that sent it, or nothing. */
export function isTrader({ length }: Uint8Array): boolean {
  return length === 0 || length === 20;
}

/** Of a waiting order that this key sent, before it is counted. */
export function uncounted(trader: Uint8Array | undefined): KeyCount | undefined {
  if (trader === undefined || trader.length === 0) return undefined;
  return { trader, quantaPerLot: UNCOUNTED };
}

/**
 * Whether an order may take off one of this account of the same owner. Always in its own sub-account, and in those that the grant names as it
 * is now, expired or not; once it is gone, in no other.
 */
export function reaches(
  { ctx, venue }: Turn,
  order: { readonly account: AccountId; readonly trader: Uint8Array | undefined },
  account: AccountId,
): boolean {
  const { trader } = order;
  if (trader === undefined || trader.length === 0 || order.account === account) return true;
  const grant = venue.state.keys.grants.get(ctx, [venue.accounts.owner(account), trader]);
  return grant?.subaccounts.includes(numberOf(account)) === true;
}
