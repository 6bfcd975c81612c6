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
  DEAD_MAN_LOOKS_PER_BLOCK_MAX,
  DEAD_MAN_RETRY_MS,
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
 * What a block cancels for the dead, in this order: what could make a position; then reduce-only orders that wait, which reserve nothing,
 * so that many of those hold nobody up; then what stands in quarantined markets, where nothing trades and cancelling may fail.
 */
const PASSES = [
  { sparesReducing: true, quarantined: false },
  { sparesReducing: false, quarantined: false },
  { sparesReducing: false, quarantined: true },
] as const;

/**
 * Fires those whose time has come, earliest first, then by account. A dead man that is not finished goes on in the next block; one without
 * orders takes no turn from those that have some; one whose orders cannot be cancelled is set anew, for later.
 */
export function fireDeadMen(
  ctx: WriteContext,
  venue: Venue,
  looks: number = DEAD_MAN_LOOKS_PER_BLOCK_MAX,
): void {
  const queued = dueNow(ctx, venue);
  if (queued.length === 0) return;
  const markets = marketsWithOrders(ctx, venue.state);
  const due = queued.slice(0, howMany(ctx, venue, markets, { due: queued.length, looks }));
  const quarantined = findOrders(ctx, venue, markets, due);

  const failed = new Set<AccountId>();
  let cancels = DEAD_MAN_CANCELS_PER_BLOCK_MAX;
  for (const { sparesReducing, quarantined: last } of PASSES) {
    for (const { account, places } of due) {
      if (cancels === 0) break;
      for (const place of places) {
        if (cancels === 0) break;
        const { done, market, reserves } = place;
        if (done || quarantined.has(market) !== last || (sparesReducing && !reserves)) continue;
        const bounds = { most: cancels, sparesReducing };
        const { tried, left } = cancelIn(ctx, venue, market, account, bounds);
        cancels -= tried;
        place.done = left === 0;
        if (left !== null) continue;
        quarantined.add(market);
        if (last) failed.add(account);
      }
    }
  }
  let idle = DEAD_MEN_IDLE_PER_BLOCK_MAX;
  for (const { account, places, record } of due) {
    if (failed.has(account)) {
      setLater(ctx, venue, account, record);
    } else if (places.length === 0 ? idle > 0 : places.every(({ done }) => done)) {
      if (places.length === 0) idle -= 1;
      forget(ctx, venue, account, record);
      events.deadManFired(ctx, venue, account, record.deadlineMs);
    }
  }
}

/** Not forgotten while an order stands, and not in the way of others either. */
function setLater(ctx: WriteContext, venue: Venue, account: AccountId, record: DeadMan): void {
  const deadline = nowMs(ctx) + DEAD_MAN_RETRY_MS;
  moveInQueue(ctx, venue, account, { ...record, deadlineMs: BigInt(deadline) });
  events.deadManSet(ctx, venue, account, deadline);
}

/** Queues it at its deadline, wherever it stood. */
function moveInQueue(ctx: WriteContext, venue: Venue, account: AccountId, record: DeadMan): void {
  const { deadMen, deadManQueue } = venue.state;
  deadManQueue.delete(ctx, [Number(record.queuedMs), account]);
  deadManQueue.set(ctx, [Number(record.deadlineMs), account], true);
  deadMen.set(ctx, account, { ...record, queuedMs: record.deadlineMs });
}

interface Due {
  readonly account: AccountId;
  readonly record: DeadMan;
  /** Where it has open orders, by market. */
  readonly places: Place[];
}

interface Place {
  readonly market: MarketId;
  /** Some of them could make a position. */
  readonly reserves: boolean;
  done: boolean;
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
      due.push({ account, record, places: [] });
    } else if (moves > 0) {
      moves -= 1;
      moveInQueue(ctx, venue, account, record);
    }
  }
  return due;
}

/** How many of those due can be found in these markets with so many looks: all, half of them, a quarter, … */
function howMany(
  ctx: WriteContext,
  venue: Venue,
  markets: readonly MarketId[],
  { due, looks }: { readonly due: number; readonly looks: number },
): number {
  const holders = markets.flatMap((market) => [
    venue.books.of(ctx, market).accounts.size,
    venue.waiting.of(ctx, market).accounts.size,
  ]);
  let men = due;
  while (men > 1 && holders.reduce((sum, size) => sum + lesser(size, men), 0) > looks) men >>>= 1;
  return men;
}

function lesser(a: number, b: number): number {
  return a < b ? a : b;
}

/** Fills in the places of all who are due. Returns the markets that are quarantined. */
function findOrders(
  ctx: WriteContext,
  venue: Venue,
  markets: readonly MarketId[],
  due: readonly Due[],
): Set<MarketId> {
  const men = new Map(due.map((man) => [man.account, man]));
  const quarantined = new Set<MarketId>();
  for (const market of markets) {
    const book = venue.books.of(ctx, market).accounts;
    const waiting = venue.waiting.of(ctx, market);
    const collected = new Set<AccountId>();
    venue.state.collected.eachWithPrefix(ctx, u32Key.encode(market), ([, account]) => {
      collected.add(account);
    });
    const enters = (account: AccountId): boolean => book.has(account) || collected.has(account);
    const add = ({ places }: Due, reserves: boolean): void =>
      void places.push({ market, reserves, done: false });
    eachOf(collected, men, (man) => add(man, true));
    eachOf(book, men, (man) => {
      if (!collected.has(man.account)) add(man, true);
    });
    eachOf(waiting.accounts, men, (man) => {
      if (!enters(man.account)) add(man, waiting.reserves(man.account));
    });
    if (instrumentById(ctx, venue, market)?.status === "quarantined") quarantined.add(market);
  }
  return quarantined;
}

interface Holders {
  readonly size: number;
  has(account: AccountId): boolean;
  keys(): Iterable<AccountId>;
}

/** Those of the dead men who hold something there. Walks the fewer of the two: neither many of them nor many traders may cost more. */
function eachOf(
  holders: Holders,
  men: ReadonlyMap<AccountId, Due>,
  visit: (man: Due) => void,
): void {
  if (holders.size < men.size) {
    for (const account of holders.keys()) {
      const man = men.get(account);
      if (man !== undefined) visit(man);
    }
  } else {
    for (const [account, man] of men) if (holders.has(account)) visit(man);
  }
}

/** `left`: orders that stay open; null: cancelling failed, nothing changed, and the market is quarantined. `tried` counts failures too. */
function cancelIn(
  ctx: WriteContext,
  venue: Venue,
  market: MarketId,
  account: AccountId,
  bounds: CancelBounds,
): { readonly tried: number; readonly left: number | null } {
  const instrument = instrumentById(ctx, venue, market);
  assert(instrument !== undefined, `market ${market} has orders but no record`);
  let cancelled = 0;
  let left = 0;
  const stands = containMarket(ctx, venue, market, (inner) => {
    cancelled = cancelAllIn(inner, venue, instrument, account, "dead_man", bounds);
    left = openOrdersIn(inner, venue, instrument, account);
  });
  if (stands) return { tried: cancelled, left };
  const open = openOrdersIn(ctx, venue, instrument, account);
  return { tried: lesser(bounds.most, open === 0 ? 1 : open), left: null };
}
