/** The cap on open interest in an auction: judged for all fills together, since each alone says nothing. */
import type { AccountId } from "../../kit/account-id.ts";
import { absolute, maximum, minimum } from "../../kit/math/mul-div.ts";
import type { OrderTerms } from "../book/order-terms.ts";
import { reducible } from "../orders/execution.ts";
import { cancel } from "../orders/resting.ts";
import { crossing, type OrderFill, type Participant } from "../participants.ts";
import type { Turn } from "../venue.ts";

function positionOf({ ctx, instrument, venue }: Turn, account: AccountId): bigint {
  return venue.clearing.positionLots(ctx, account, instrument.id);
}

function openInterest({ ctx, instrument, venue }: Turn): bigint {
  return venue.clearing.openInterestLots(ctx, instrument.id);
}

/** The fills together would raise open interest, to above the cap. */
export function raisesBeyondCap(turn: Turn, fills: readonly OrderFill[]): boolean {
  const cap = turn.instrument.terms.openInterestMaxLots;
  if (cap === 0n) return false;
  const bought = new Map<AccountId, bigint>();
  for (const { order, lots } of fills) {
    const change = order.side === "buy" ? BigInt(lots) : -BigInt(lots);
    bought.set(order.account, (bought.get(order.account) ?? 0n) + change);
  }
  let growth = 0n;
  for (const [account, change] of bought) {
    const before = positionOf(turn, account);
    growth += maximum(before + change, 0n) - maximum(before, 0n);
  }
  return growth > 0n && openInterest(turn) + growth > cap;
}

/** Lots that can trade without passing the cap, whoever trades them: a lot raises open interest by one at most. */
export function roomUnderCap(turn: Turn): number {
  const room = turn.instrument.terms.openInterestMaxLots - openInterest(turn);
  return room > 0n ? Number(room) : 0;
}

/** The orders cut to what reduces their accounts' positions, better prices first. The orders in the book stay as they are. */
export function reducingOnly(turn: Turn, orders: readonly Participant[]): Participant[] {
  const used = new Map<AccountId, bigint>();
  const parts: Participant[] = [];
  for (const order of orders) {
    const position = positionOf(turn, order.account);
    if (reducible(position, order.side) === 0n) continue;
    const taken = used.get(order.account) ?? 0n;
    const lots = minimum(BigInt(order.lots), absolute(position) - taken);
    if (lots === 0n) continue;
    used.set(order.account, taken + lots);
    parts.push({ ...order, lots: Number(lots) });
  }
  return parts;
}

/**
 * With no room left: where what opens a position and still crosses meets another such, the younger leaves, as where matching is continuous: every block would look at both for nothing.
 * What reduces a position stays, and whoever may take it over. Returns what left.
 */
export function leaveAtCap(turn: Turn): readonly OrderTerms[] {
  const gone: OrderTerms[] = [];
  if (roomUnderCap(turn) > 0) return gone;
  const met = crossing(turn);
  const opens = ({ account, side }: Participant): boolean =>
    reducible(positionOf(turn, account), side) === 0n;
  const buys = met.buy.filter(opens);
  const sells = met.sell.filter(opens);
  for (let b = 0, s = 0; ; ) {
    const buy = buys[b];
    const sell = sells[s];
    if (buy === undefined || sell === undefined || buy.ticks < sell.ticks) return gone;
    const younger = buy.id > sell.id ? buy : sell;
    gone.push(cancel(turn, younger.slot, "open_interest_cap"));
    if (younger === buy) b += 1;
    else s += 1;
  }
}
