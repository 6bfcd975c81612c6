/**
 * Who takes part in an auction: the orders of both sides that cross, best prices first, and of those only what may trade (not expired, not
 * against its own owner, not more than a position where it may only reduce).
 */
import { type AccountId, ownerKeyOf } from "../kit/account-id.ts";
import { bytesToKey } from "../kit/collections/codecs.ts";
import { absolute } from "../kit/math/mul-div.ts";
import { isBatch } from "./auction/opening.ts";
import type { OrderTerms } from "./book/order-terms.ts";
import { reaches } from "./keys/reach.ts";
import { cancelSlot } from "./orders/cancelling.ts";
import { reducible } from "./orders/execution.ts";
import { cancel, enforceReduceOnly, recordOf, takeOff, trim } from "./orders/resting.ts";
import type { Side } from "./ports.ts";
import { nowMs, type Turn } from "./venue.ts";

/** `lots` are those that take part. */
export interface Participant extends OrderTerms {
  readonly slot: number;
  /** Lots in the book. */
  readonly held: number;
}

export interface OrderFill {
  readonly order: Participant;
  readonly lots: number;
  readonly feeQuanta: bigint;
}

/** Lots of an order that left an auction unfilled, for themselves alone. */
export interface Gone {
  readonly id: number;
  readonly lots: number;
  /** "margin", "open_interest_cap", "self_trade" (beyond a grant), "reduce_only" (of one that opens, where a market closes) */
  readonly reason: string;
}

export interface Crossing {
  /** Best first. */
  readonly buy: readonly Participant[];
  readonly sell: readonly Participant[];
  /** More orders cross than one auction takes. */
  readonly more: boolean;
}

/** Orders that some order of the other side would trade with, at most as many of each side as the terms allow. */
export function crossing({ book, instrument }: Turn): Crossing {
  const most = instrument.terms.auction?.ordersMax ?? 0;
  const bid = book.bestTicks("buy");
  const ask = book.bestTicks("sell");
  let more = false;
  const reach = (side: Side, worst: number): Participant[] => {
    const orders: Participant[] = [];
    book.each(side, (slot) => {
      const order = book.read(slot);
      if (side === "buy" ? order.ticks < worst : order.ticks > worst) return true;
      if (orders.length === most) {
        more = true;
        return true;
      }
      orders.push({ ...order, slot, held: order.lots });
      return false;
    });
    return orders;
  };
  if (bid === 0 || ask === 0 || bid < ask) return { buy: [], sell: [], more };
  return { buy: reach("buy", ask), sell: reach("sell", bid), more };
}

/** Takes out of the book what may not trade. True when something left or shrank: the participants are then others. `gone` gets what was not cancelled out. */
export function makeFit(turn: Turn, { buy, sell }: Crossing, gone: Gone[]): boolean {
  const before = turn.changes;
  const now = nowMs(turn.ctx);
  const all = [...buy, ...sell];
  const { height } = turn.ctx.header;
  for (const { id, goodTilHeight, goodTilMs } of all) {
    const over = goodTilHeight !== 0 && goodTilHeight < height;
    if (!over && (goodTilMs === 0 || goodTilMs > now)) continue;
    // By id: it may have gone with its pair.
    const slot = turn.book.find(id);
    if (slot !== 0) cancelSlot(turn, slot, "expired");
  }
  // Slots are given to others once an order left, so each step starts from the book again.
  if (turn.changes !== before) return true;
  gone.push(...netOwnOrders(turn, buy, sell));
  if (turn.changes !== before) return true;
  const byAge = all.sort((a, b) => a.priority - b.priority);
  if (turn.instrument.status === "closeOnly") gone.push(...onlyReduce(turn, byAge));
  else for (const account of reducers(byAge)) enforceReduceOnly(turn, account);
  return turn.changes !== before;
}

/**
 * A pair that may only reduce stands for one position, and fills of an auction are simultaneous: where both cross, the less willing takes part with no more
 * than it has beyond the other. At one price for all that is no loss.
 */
export function pairsOnce(turn: Turn, met: Crossing): Crossing {
  if (!isBatch(turn.instrument)) return met;
  const once = (orders: readonly Participant[]): readonly Participant[] => {
    if (!orders.some(({ hooked, reduceOnly }) => hooked && reduceOnly)) return orders;
    const taken = new Map<bigint, number>();
    return orders.flatMap((order) => {
      if (!order.hooked || !order.reduceOnly) return [order];
      const other = taken.get(recordOf(turn, order).ocoId) ?? 0;
      taken.set(BigInt(order.id), order.lots);
      if (other === 0) return [order];
      return order.lots > other ? [{ ...order, lots: order.lots - other }] : [];
    });
  };
  return { ...met, buy: once(met.buy), sell: once(met.sell) };
}

function reducers(orders: readonly Participant[]): Set<AccountId> {
  return new Set(orders.filter(({ reduceOnly }) => reduceOnly).map(({ account }) => account));
}

/**
 * An owner's buys and sells that cross each other cancel out, lot for lot, best against best, an iceberg's hidden lots first. Volume with
 * oneself would be free but for fees, and it moves the price: the largest volume sets it. Afterwards every owner stands on one side of any price.
 */
function netOwnOrders(
  turn: Turn,
  buys: readonly Participant[],
  sells: readonly Participant[],
): Gone[] {
  const gone: Gone[] = [];
  const owners = new Map<string, { buys: Participant[]; sells: Participant[] }>();
  for (const order of buys) {
    const own = owners.get(ownerKeyOf(order.account));
    if (own === undefined) owners.set(ownerKeyOf(order.account), { buys: [order], sells: [] });
    else own.buys.push(order);
  }
  for (const order of sells) owners.get(ownerKeyOf(order.account))?.sells.push(order);
  for (const own of owners.values()) {
    if (own.sells.length === 0) continue;
    const before = turn.changes;
    gone.push(...removeBeyondGrants(turn, own));
    // What is left is netted when the book is looked at again.
    if (turn.changes === before) netOne(turn, own);
  }
  return gone;
}

interface OwnOrders {
  readonly buys: readonly Participant[];
  readonly sells: readonly Participant[];
}

/**
 * A trading key's order leaves where it crosses one of a sub-account outside its grant, even another key's. By account and key, so that it
 * is not looked for order by order.
 */
function removeBeyondGrants(turn: Turn, { buys, sells }: OwnOrders): Gone[] {
  const gone: Participant[] = [];
  for (const [orders, others] of [
    [buys, sells],
    [sells, buys],
  ] as const) {
    // The best of each sub-account: the first.
    const best = new Map<AccountId, Participant>();
    for (const other of others) if (!best.has(other.account)) best.set(other.account, other);
    const bounds = new Map<string, number>();
    for (const order of orders) {
      const { account, side, ticks } = order;
      const first = others[0] as Participant;
      // Best first: those behind it cross none of them either.
      if (side === "buy" ? ticks < first.ticks : ticks > first.ticks) break;
      const { trader } = recordOf(turn, order);
      if (trader.length === 0) continue;
      const name = account + bytesToKey(trader);
      let bound = bounds.get(name);
      if (bound === undefined) {
        const beyond = [...best.values()].find(
          (other) => !reaches(turn, { account, trader }, other.account),
        );
        bound = beyond?.ticks ?? 0;
        bounds.set(name, bound);
      }
      if (bound !== 0 && (side === "buy" ? bound <= ticks : bound >= ticks)) gone.push(order);
    }
  }
  return gone.map(({ slot }) => {
    const { id, lots } = cancel(turn, slot, "self_trade");
    return { id, lots, reason: "self_trade" };
  });
}

function netOne(turn: Turn, own: OwnOrders): void {
  const taken = new Map<Participant, number>();
  const left = new Map<Participant, number>();
  // Hidden ones too: otherwise each part would show in turn, and every turn is an attempt at the whole auction.
  const lotsOf = (order: Participant): number =>
    left.get(order) ?? order.lots + Number(recordOf(turn, order).hiddenLots);
  for (let b = 0, s = 0; ; ) {
    const buy = own.buys[b];
    const sell = own.sells[s];
    if (buy === undefined || sell === undefined || buy.ticks < sell.ticks) break;
    const lots = lotsOf(buy) < lotsOf(sell) ? lotsOf(buy) : lotsOf(sell);
    for (const order of [buy, sell]) {
      left.set(order, lotsOf(order) - lots);
      taken.set(order, (taken.get(order) ?? 0) + lots);
    }
    if (lotsOf(buy) === 0) b += 1;
    if (lotsOf(sell) === 0) s += 1;
  }
  for (const [{ slot }, lots] of taken) takeOff(turn, slot, lots, "self_trade");
}

/** In a market that is closing every order acts as if it were reduce-only: older ones keep their size. */
function onlyReduce(turn: Turn, byAge: readonly Participant[]): Gone[] {
  const { ctx, instrument, venue } = turn;
  const gone: Gone[] = [];
  const left = new Map<AccountId, bigint>();
  for (const order of byAge) {
    const position = venue.clearing.positionLots(ctx, order.account, instrument.id);
    const closable = reducible(position, order.side);
    const rest = closable === 0n ? 0n : (left.get(order.account) ?? absolute(position));
    const kept = rest < BigInt(order.lots) ? Number(rest) : order.lots;
    if (closable > 0n) left.set(order.account, rest - BigInt(kept));
    if (kept === order.lots) continue;
    leave(turn, order, kept, "reduce_only");
    gone.push({ id: order.id, lots: order.lots - kept, reason: "reduce_only" });
  }
  return gone;
}

function leave(turn: Turn, { slot }: Participant, lots: number, reason: string): void {
  if (lots === 0) cancel(turn, slot, reason);
  else trim(turn, slot, lots, reason);
}
