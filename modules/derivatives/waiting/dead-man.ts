/**
 * The dead-man switch: a time at which all orders of a sub-account are cancelled unless it was moved before. Moving it ahead writes one
 * record; its place in the queue follows when its old time comes.
 */
import type { DeadMan } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import { heightKey } from "../../kit/collections/codecs.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { containMarket } from "../contain-market.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { DEAD_MAN_CANCELS_PER_BLOCK_MAX, DEAD_MEN_PER_BLOCK_MAX } from "../limits.ts";
import { marketsWithOrders } from "../occupied.ts";
import { cancelAllIn } from "../orders/cancelling.ts";
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

/** Fires those whose time has come, earliest first, then by account, up to the block's bounds. One not finished goes on next block. */
export function fireDeadMen(ctx: WriteContext, venue: Venue): void {
  const { deadMen, deadManQueue } = venue.state;
  const now = nowMs(ctx);
  const due: (readonly [number, AccountId])[] = [];
  deadManQueue.eachBetween(
    ctx,
    "",
    heightKey.encode(now + 1),
    (key) => due.push(key) >= DEAD_MEN_PER_BLOCK_MAX,
  );
  let budget = DEAD_MAN_CANCELS_PER_BLOCK_MAX;
  for (const [queuedMs, account] of due) {
    const record = deadMen.get(ctx, account);
    if (record === undefined) continue;
    if (record.deadlineMs > BigInt(now)) {
      deadManQueue.delete(ctx, [queuedMs, account]);
      deadManQueue.set(ctx, [Number(record.deadlineMs), account], true);
      deadMen.set(ctx, account, { ...record, queuedMs: record.deadlineMs });
      continue;
    }
    budget -= cancelEverywhere(ctx, venue, account, budget);
    if (budget === 0) return;
    forget(ctx, venue, account, record);
    events.deadManFired(ctx, venue, account, record.deadlineMs);
  }
}

/** Cancels at most `most` orders; returns how many. */
function cancelEverywhere(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  most: number,
): number {
  let cancelled = 0;
  for (const id of marketsWithOrders(ctx, venue.state)) {
    const instrument = instrumentById(ctx, venue, id);
    assert(instrument !== undefined, `market ${id} has orders but no record`);
    containMarket(ctx, venue, instrument.id, (inner) => {
      cancelled += cancelAllIn(inner, venue, instrument, account, "dead_man", most - cancelled);
    });
  }
  return cancelled;
}
