/**
 * The waiting orders of one market, in memory: found by id, by account and by client id, and the trailing stops by what they wait
 * for. Derived from the stored orders of a branch and kept in step by inverses, as books are.
 */
import { TriggerKind, type WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { UndoLog } from "../book/order-terms.ts";
import { TICKS_MAX } from "../limits.ts";
import type { MarketId, Side } from "../ports.ts";
import { type DerivativesState, type WaitingKey, waitingPrefix } from "../state.ts";
import type { TrailingStop } from "./stop-list.ts";
import { type ClassMark, Trail } from "./trails.ts";

/** Queues in the order in which a block takes due orders from them. Within each, ascending rank, then id. */
export const QUEUE = {
  /** Found due in an earlier block; rank: when. */
  due: 0,
  /** Fires at or below its trigger; highest first. */
  falling: 1,
  /** Fires at or above; lowest first. */
  rising: 2,
  /** Rank: id. Due ones by where they fire. */
  trailingSells: 3,
  trailingBuys: 4,
  /** Rank: time of the next slice. */
  timed: 5,
} as const;

const BUY = 1;

/** A sell stop and a buy take-profit wait for a lower mark, the others for a higher one. */
export function waitsForFall(kind: TriggerKind, side: Side): boolean {
  return (kind === TriggerKind.TRIGGER_KIND_TAKE_PROFIT) === (side === "buy");
}

export function waitingSide(order: WaitingOrder): Side {
  return order.side === BUY ? "buy" : "sell";
}

export function waitingHolder(order: WaitingOrder): AccountId {
  return accountId(order.owner, order.subaccount);
}

/** Where an order is stored: a function of the order alone. */
export function waitingKeyOf(order: WaitingOrder): WaitingKey {
  const id = Number(order.id);
  const { market } = order;
  if (order.dueSequence !== 0n)
    return { market, queue: QUEUE.due, rank: Number(order.dueSequence), id };
  if (order.kind === TriggerKind.TRIGGER_KIND_TWAP)
    return { market, queue: QUEUE.timed, rank: Number(order.nextMs), id };
  const side = waitingSide(order);
  if (order.kind === TriggerKind.TRIGGER_KIND_TRAILING_STOP)
    return {
      market,
      queue: side === "sell" ? QUEUE.trailingSells : QUEUE.trailingBuys,
      rank: id,
      id,
    };
  const ticks = Number(order.triggerTicks);
  return waitsForFall(order.kind, side)
    ? { market, queue: QUEUE.falling, rank: TICKS_MAX - ticks, id }
    : { market, queue: QUEUE.rising, rank: ticks, id };
}

/** Part of a trailing stop's class, as long as it was not found due. */
export function trails(order: WaitingOrder): boolean {
  return order.kind === TriggerKind.TRIGGER_KIND_TRAILING_STOP && order.dueSequence === 0n;
}

export function stopOf(order: WaitingOrder): TrailingStop {
  return { id: Number(order.id), ticks: Number(order.trailTicks), ppm: order.trailPpm };
}

interface Entry {
  readonly key: WaitingKey;
  readonly account: AccountId;
  /** Of a reduce-only order its side, null of any other. */
  readonly reduces: Side | null;
  readonly clientId: string;
}

export class WaitingIndex {
  readonly trails: Readonly<Record<Side, Trail>>;
  readonly #entries: Map<number, Entry> = new Map();
  readonly #byAccount: Map<AccountId, Set<number>> = new Map();
  readonly #byClientId: Map<string, number> = new Map();

  constructor(trails: Readonly<Record<Side, Trail>>) {
    this.trails = trails;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Where the order is stored, or undefined. */
  keyOf(id: number): WaitingKey | undefined {
    return this.#entries.get(id)?.key;
  }

  accountOf(id: number): AccountId | undefined {
    return this.#entries.get(id)?.account;
  }

  /** Side of the order when it is reduce-only; null: not, or not here. */
  reducesOf(id: number): Side | null {
    return this.#entries.get(id)?.reduces ?? null;
  }

  /** Id, or 0. */
  findByClientId(account: AccountId, clientId: string): number {
    return this.#byClientId.size === 0 ? 0 : (this.#byClientId.get(account + clientId) ?? 0);
  }

  /** Accounts with waiting orders here; the map's order means nothing. */
  get accounts(): ReadonlyMap<AccountId, unknown> {
    return this.#byAccount;
  }

  openOrders(account: AccountId): number {
    return this.#byAccount.get(account)?.size ?? 0;
  }

  /** Whether one of the account's orders is not reduce-only. */
  reserves(account: AccountId): boolean {
    for (const id of this.#byAccount.get(account) ?? [])
      if (this.reducesOf(id) === null) return true;
    return false;
  }

  /** Ids of the account's waiting orders, ascending. */
  ordersOf(account: AccountId): number[] {
    return [...(this.#byAccount.get(account) ?? [])].sort((a, b) => a - b);
  }

  /** Ids of the account's reduce-only orders of this side, ascending. */
  reducing(account: AccountId, side: Side): number[] {
    return this.ordersOf(account).filter((id) => this.reducesOf(id) === side);
  }

  /** Ids, ascending. */
  ids(): number[] {
    return [...this.#entries.keys()].sort((a, b) => a - b);
  }

  add(order: WaitingOrder, log: UndoLog): void {
    const id = Number(order.id);
    this.#link(id, {
      key: waitingKeyOf(order),
      account: waitingHolder(order),
      reduces: order.reduceOnly ? waitingSide(order) : null,
      clientId: order.clientId,
    });
    log.onRevert(() => this.#unlink(id));
  }

  remove(id: number, log: UndoLog): void {
    const entry = this.#unlink(id);
    log.onRevert(() => this.#link(id, entry));
  }

  #link(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    const own = this.#byAccount.get(entry.account);
    if (own === undefined) this.#byAccount.set(entry.account, new Set([id]));
    else own.add(id);
    if (entry.clientId !== "") this.#byClientId.set(entry.account + entry.clientId, id);
  }

  #unlink(id: number): Entry {
    const entry = this.#entries.get(id) as Entry;
    this.#entries.delete(id);
    const own = this.#byAccount.get(entry.account) as Set<number>;
    own.delete(id);
    if (own.size === 0) this.#byAccount.delete(entry.account);
    if (entry.clientId !== "") this.#byClientId.delete(entry.account + entry.clientId);
    return entry;
  }
}

export interface WaitingIndexes {
  of(ctx: ReadContext, market: MarketId): WaitingIndex;
  /** Forgets one index: its market is removed. */
  drop(ctx: ReadContext, market: MarketId): void;
  /** After orders were written past the indexes (genesis). */
  forget(ctx: ReadContext): void;
  /** A new index from the stored orders, whatever is kept. */
  rebuild(ctx: ReadContext, market: MarketId): WaitingIndex;
}

const withoutUndo: UndoLog = { onRevert: () => undefined };

/** Building charges no gas: whether an index is there already is not part of consensus. */
export function createWaitingIndexes(state: DerivativesState): WaitingIndexes {
  const owner: object = state.waiting;

  function marksOf(ctx: ReadContext, market: MarketId, side: Side): ClassMark[] {
    const marks: ClassMark[] = [];
    state.trailMarks.scan(ctx, waitingPrefix(market, trailSide(side)), ({ firstId, ticks }) => {
      marks.push({ firstId: Number(firstId), best: Number(ticks) });
    });
    return marks;
  }

  function rebuild(ctx: ReadContext, market: MarketId): WaitingIndex {
    const orders: WaitingOrder[] = [];
    const prefix = waitingPrefix(market, 0).slice(0, 4);
    state.waiting.scan(ctx, prefix, (order) => void orders.push(order));
    const trailOf = (side: Side): Trail =>
      Trail.from(
        side,
        marksOf(ctx, market, side),
        orders.filter((order) => trails(order) && waitingSide(order) === side).map(stopOf),
      );
    const index = new WaitingIndex({ buy: trailOf("buy"), sell: trailOf("sell") });
    for (const order of orders) index.add(order, withoutUndo);
    return index;
  }

  return {
    of(ctx, market) {
      let kept = ctx.state.derived.get(owner) as Map<MarketId, WaitingIndex> | undefined;
      if (kept === undefined) {
        kept = new Map();
        ctx.state.derived.set(owner, kept);
      }
      let index = kept.get(market);
      if (index === undefined) {
        index = rebuild(ctx, market);
        kept.set(market, index);
      }
      return index;
    },
    drop(ctx, market) {
      const kept = ctx.state.derived.get(owner) as Map<MarketId, WaitingIndex> | undefined;
      kept?.delete(market);
    },
    forget: (ctx) => void ctx.state.derived.delete(owner),
    rebuild,
  };
}

/** Second part of a trail mark's key. */
export function trailSide(side: Side): number {
  return side === "sell" ? 1 : 2;
}
