/**
 * The dead-man switch: a time at which all orders of a sub-account are cancelled unless it was moved before. Moving it ahead writes one
 * record; its place in the queue follows when its old time comes.
 */
import type { DeadMan } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import { heightKey, u32Key } from "../../kit/collections/codecs.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { containMarket } from "../contain-market.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import {
  DEAD_MAN_CANCELS_PER_BLOCK_MAX,
  DEAD_MEN_DUE_MAX,
  DEAD_MEN_IDLE_PER_BLOCK_MAX,
} from "../limits.ts";
import { marketsWithOrders } from "../occupied.ts";
import { type CancelBounds, cancelAllIn, openOrdersIn } from "../orders/cancelling.ts";
import type { MarketId } from "../ports.ts";
import { instrumentById, nowMs, type Venue } from "../venue.ts";

/** `deadlineMs` 0 switches it off. Throws ModuleError to refuse. */
export function setDeadMan(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  deadlineMs: bigint,
): void {
  const { deadMen, deadManQueue, params } = venue.state;
  const present = deadMen.get(ctx, account);
  if (deadlineMs === 0n) {
    if (present !== undefined) forget(ctx, venue, account, present);
    events.deadManSet(ctx, venue, account, 0);
    return;
  }
  if (!venue.clearing.exists(ctx, account)) {
    throw refuse("unknownAccount", "the sub-account holds no collateral");
  }
  const now = nowMs(ctx);
  const latest = now + Number(params.require(ctx).goodTilMaxMs);
  if (deadlineMs <= BigInt(now) || deadlineMs > BigInt(latest)) {
    throw refuse(
      "invalidDeadline",
      `expected a time after ${now} and up to ${latest}, got ${deadlineMs}`,
    );
  }
  const deadline = Number(deadlineMs);
  const stays = present !== undefined && present.queuedMs <= deadlineMs;
  const queuedMs = stays ? present.queuedMs : deadlineMs;
  if (!stays) {
    if (present !== undefined) deadManQueue.delete(ctx, [Number(present.queuedMs), account]);
    deadManQueue.set(ctx, [deadline, account], true);
  }
  const owner = venue.accounts.owner(account);
  deadMen.set(ctx, account, { owner, subaccount: numberOf(account), deadlineMs, queuedMs });
  events.deadManSet(ctx, venue, account, deadline);
}

function forget(ctx: WriteContext, venue: Venue, account: AccountId, record: DeadMan): void {
  venue.state.deadManQueue.delete(ctx, [Number(record.queuedMs), account]);
  venue.state.deadMen.delete(ctx, account);
}

/**
 * Fires those whose time has come, earliest first, then by account. A block first cancels what could make a position, of all of them; then
 * reduce-only orders that wait, which reserve nothing: so many of those hold nobody up. A dead man that is not finished goes on in the next
 * block; one without orders takes no turn from those that have some.
 */
export function fireDeadMen(ctx: WriteContext, venue: Venue): void {
  const due = dueNow(ctx, venue);
  if (due.length === 0) return;
  const occupied = marketsByAccount(ctx, venue, new Set(due.map(({ account }) => account)));
  const left = new Set<AccountId>();
  let cancels = DEAD_MAN_CANCELS_PER_BLOCK_MAX;
  for (const sparesReducing of [true, false]) {
    left.clear();
    for (const { account } of due) {
      for (const market of occupied.get(account) ?? []) {
        const bounds = { most: cancels, sparesReducing };
        const { cancelled, finished } = cancelIn(ctx, venue, market, account, bounds);
        cancels -= cancelled;
        if (!finished) left.add(account);
      }
    }
  }
  let idle = DEAD_MEN_IDLE_PER_BLOCK_MAX;
  for (const { account, record } of due) {
    const had = occupied.has(account);
    if (had ? left.has(account) : idle === 0) continue;
    if (!had) idle -= 1;
    forget(ctx, venue, account, record);
    events.deadManFired(ctx, venue, account, record.deadlineMs);
  }
}

interface Due {
  readonly account: AccountId;
  readonly record: DeadMan;
}

/** Those whose deadline has passed. What was moved ahead goes to its new place, or next time when there are many: it may stand before it. */
function dueNow(ctx: WriteContext, venue: Venue): readonly Due[] {
  const { deadMen, deadManQueue } = venue.state;
  const now = nowMs(ctx);
  const queued: AccountId[] = [];
  deadManQueue.eachBetween(
    ctx,
    "",
    heightKey.encode(now + 1),
    ([, account]) => queued.push(account) >= DEAD_MEN_DUE_MAX,
  );
  const due: Due[] = [];
  let moves = DEAD_MEN_IDLE_PER_BLOCK_MAX;
  for (const account of queued) {
    const record = deadMen.get(ctx, account);
    if (record === undefined) continue;
    if (record.deadlineMs <= BigInt(now)) {
      due.push({ account, record });
    } else if (moves > 0) {
      moves -= 1;
      deadManQueue.delete(ctx, [Number(record.queuedMs), account]);
      deadManQueue.set(ctx, [Number(record.deadlineMs), account], true);
      deadMen.set(ctx, account, { ...record, queuedMs: record.deadlineMs });
    }
  }
  return due;
}

/** Of these accounts, those with open orders, and the markets of each, ascending. */
function marketsByAccount(
  ctx: WriteContext,
  venue: Venue,
  accounts: ReadonlySet<AccountId>,
): ReadonlyMap<AccountId, readonly MarketId[]> {
  const found = new Map<AccountId, MarketId[]>();
  for (const market of marketsWithOrders(ctx, venue.state)) {
    const add = (account: AccountId): void => {
      const known = found.get(account);
      if (known === undefined) found.set(account, [market]);
      else if (known[known.length - 1] !== market) known.push(market);
    };
    const { books, state, waiting } = venue;
    state.collected.eachWithPrefix(ctx, u32Key.encode(market), ([, account]) => {
      if (accounts.has(account)) add(account);
    });
    for (const holders of [books.of(ctx, market).accounts, waiting.of(ctx, market).accounts]) {
      // The fewer of the two: neither many dead men nor many traders may cost more than the other.
      if (holders.size < accounts.size) {
        for (const account of holders.keys()) if (accounts.has(account)) add(account);
      } else {
        for (const account of accounts) if (holders.has(account)) add(account);
      }
    }
  }
  return found;
}

/** `finished`: the account has no order left there, or the market cannot cancel and is quarantined. */
function cancelIn(
  ctx: WriteContext,
  venue: Venue,
  market: MarketId,
  account: AccountId,
  bounds: CancelBounds,
): { readonly cancelled: number; readonly finished: boolean } {
  const instrument = instrumentById(ctx, venue, market);
  assert(instrument !== undefined, `market ${market} has orders but no record`);
  let cancelled = 0;
  let finished = false;
  const stands = containMarket(ctx, venue, market, (inner) => {
    if (bounds.most > 0)
      cancelled = cancelAllIn(inner, venue, instrument, account, "dead_man", bounds);
    finished = openOrdersIn(inner, venue, instrument, account) === 0;
  });
  return stands ? { cancelled, finished } : { cancelled: 0, finished: true };
}
