/** What always holds of orders that wait, and of dead men. */
import type { WaitingOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { accountId } from "../../kit/account-id.ts";
import { u32Key } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { Invariant } from "../../kit/module.ts";
import { hasFired, pairOf } from "../auction/collected.ts";
import type { Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";
import {
  trailSide,
  trails,
  type WaitingIndex,
  waitingHolder,
  waitingKeyOf,
  waitingSide,
} from "./waiting-index.ts";

/** Makes an invariant of a check of one market. */
export type InMarkets = (
  venue: Venue,
  check: (ctx: ReadContext, instrument: Instrument) => string | null,
) => Invariant;

function ordersOf(ctx: ReadContext, venue: Venue, market: number): WaitingOrder[] {
  const orders: WaitingOrder[] = [];
  venue.state.waiting.eachWithPrefix(ctx, u32Key.encode(market), (_key, order) => {
    orders.push(order);
  });
  return orders;
}

function describe(index: WaitingIndex, orders: readonly WaitingOrder[]): string[] {
  const lines = orders.map((order) => {
    const id = Number(order.id);
    const account = waitingHolder(order);
    const { market, queue, rank } = index.keyOf(id) ?? { market: 0, queue: 0, rank: 0 };
    const named = order.clientId === "" ? 0 : index.findByClientId(account, order.clientId);
    const best = trails(order) ? index.trails[waitingSide(order)].bestOf(id) : 0;
    const owned = index.accountOf(id) === account && index.ordersOf(account).includes(id);
    return [id, market, queue, rank, named, best, owned].join(" ");
  });
  const marks = [...index.trails.sell.classes, ...index.trails.buy.classes];
  return [...lines, ...marks.map(({ firstId, best }) => `${firstId}: ${best}`), `${index.size}`];
}

/** Orders lie where they say, and the index in use is the one that they give. */
export function waitingEqualsOrders(venue: Venue, inMarkets: InMarkets): Invariant {
  return inMarkets(venue, (ctx, { id }) => {
    const orders = ordersOf(ctx, venue, id);
    for (const order of orders) {
      if (venue.state.waiting.get(ctx, waitingKeyOf(order)) !== order) {
        return `waiting order ${order.id} is stored under the key of another`;
      }
    }
    const expected = describe(venue.waiting.rebuild(ctx, id), orders);
    const got = describe(venue.waiting.of(ctx, id), orders);
    const at = expected.findIndex((line, i) => line !== got[i]);
    return at < 0 && expected.length === got.length
      ? null
      : `the index of waiting orders differs: ${got[at]}, expected ${expected[at]}`;
  });
}

/** Every stored best mark is followed by some trailing stop, every trailing stop follows one. */
export function trailsFollowed(venue: Venue, inMarkets: InMarkets): Invariant {
  return inMarkets(venue, (ctx, { id: market }) => {
    for (const side of ["sell", "buy"] as const) {
      const firsts: number[] = [];
      venue.state.trailMarks.eachWithPrefix(ctx, u32Key.encode(market), ([, kind, firstId]) => {
        if (kind === trailSide(side)) firsts.push(firstId);
      });
      const followed = new Set<number>();
      for (const order of ordersOf(ctx, venue, market)) {
        if (!trails(order) || waitingSide(order) !== side) continue;
        const before = firsts.filter((firstId) => firstId <= Number(order.id));
        const follows = before[before.length - 1];
        if (follows === undefined) return `trailing stop ${order.id} follows no mark`;
        followed.add(follows);
      }
      if (followed.size !== firsts.length) {
        return `${firsts.length} best marks for ${side}s, ${followed.size} of them followed`;
      }
    }
    return null;
  });
}

/** Of a pair, each names the other or is the last that is left; and nothing waits with no size. */
export function pairsLinked(venue: Venue, inMarkets: InMarkets): Invariant {
  return inMarkets(venue, (ctx, { id: market }) => {
    const partners = new Map<bigint, bigint>();
    for (const { id, ocoId } of ordersOf(ctx, venue, market)) partners.set(id, ocoId);
    venue.state.orders.eachWithPrefix(ctx, u32Key.encode(market), (_key, { id, ocoId }) => {
      partners.set(id, ocoId);
    });
    venue.state.collected.eachWithPrefix(ctx, u32Key.encode(market), (_key, { waiting }) => {
      if (waiting !== undefined && hasFired(waiting)) partners.set(waiting.id, waiting.ocoId);
    });
    let found: string | null = null;
    venue.state.collected.eachWithPrefix(ctx, u32Key.encode(market), (_key, order) => {
      const pair = pairOf(ctx, venue, order);
      if (pair === undefined || (pair.round === order.round && pair !== order)) return false;
      found = `collected order "${order.clientId}" is paired with one of another round`;
      return true;
    });
    if (found !== null) return found;
    for (const [id, ocoId] of partners) {
      const back = ocoId === 0n ? undefined : partners.get(ocoId);
      if (back !== undefined && back !== id)
        return `order ${id} is paired with ${ocoId}, which is not`;
    }
    const empty = ordersOf(ctx, venue, market).find(({ remainingLots }) => remainingLots <= 0n);
    return empty === undefined ? null : `waiting order ${empty.id} has no size`;
  });
}

/** Every dead man stands in the queue once, at its time or before. */
export function deadMenQueued(venue: Venue): Invariant {
  return (ctx) => {
    const { deadMen, deadManQueue } = venue.state;
    let found: string | null = null;
    deadMen.each(ctx, (account, record) => {
      const { deadlineMs, owner, queuedMs, subaccount } = record;
      if (queuedMs > deadlineMs) found = "a dead man is queued behind its time";
      if (!deadManQueue.has(ctx, [Number(queuedMs), account])) found = "a dead man is not queued";
      if (accountId(owner, subaccount) !== account) found = "a dead man is stored for another";
    });
    if (found !== null) return found;
    const [men, queued] = [deadMen.size(ctx), deadManQueue.size(ctx)];
    return men === queued ? null : `${queued} dead men in the queue, expected ${men}`;
  };
}
