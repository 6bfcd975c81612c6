/**
 * The clearing of an auction by its definition, for tests: price by price and lot by lot, with nothing remembered in between. `compareAuctions`
 * holds the real one against it on random books.
 */
import { AssertionError, assert } from "../../kit/errors.ts";
import { absolute, divFloor, minimum } from "../../kit/math/mul-div.ts";
import {
  accepts,
  allocate,
  clearingPrice,
  type Interest,
  levelsOf,
  type PriceRange,
} from "../../kit/math/uniform-price.ts";
import type { Side } from "../ports.ts";
import { createRandom, type Random } from "../random.ts";

interface Order extends Interest {
  readonly side: Side;
}

interface RandomBook {
  readonly orders: readonly Order[];
  readonly mark: number;
  readonly range: PriceRange;
}

interface Outcome {
  readonly ticks: number;
  readonly volume: bigint;
  readonly fills: ReadonlyMap<number, bigint>;
}

/** Few prices, so that levels are shared; sizes small, equal or of 31 bits, so that remainders tie and products need more than 53. */
function randomBook(random: Random): RandomBook {
  const prices = 1 + random.below(40);
  const sizes = [1, 3, 10, 1000, 2_147_483_647][random.below(5)] as number;
  const count = random.below(random.below(10) === 0 ? 120 : 24);
  const orders = Array.from({ length: count }, (_, at): Order => {
    const side = random.below(2) === 0 ? "buy" : "sell";
    return { id: at + 1, side, ticks: 1 + random.below(prices), lots: 1 + random.below(sizes) };
  });
  const low = 1 + random.below(prices);
  const range = { low, high: low + random.below(prices) };
  return { orders, mark: 1 + random.below(prices), range };
}

/** As a book hands them over: best price first; within a price in any sequence, which may not matter. */
function bestFirst(orders: readonly Order[], side: Side, random: Random): Order[] {
  const own = orders.filter((order) => order.side === side);
  for (let i = own.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const moved = own[i] as Order;
    own[i] = own[j] as Order;
    own[j] = moved;
  }
  return own.sort((a, b) => (side === "buy" ? b.ticks - a.ticks : a.ticks - b.ticks));
}

function clear(book: RandomBook, random: Random): Outcome | null {
  const bids = bestFirst(book.orders, "buy", random);
  const asks = bestFirst(book.orders, "sell", random);
  const clearing = clearingPrice(levelsOf(bids), levelsOf(asks), book.mark, book.range);
  if (clearing === null) return null;
  const { ticks, volume } = clearing;
  const fills = new Map<number, bigint>();
  for (const orders of [bids, asks]) {
    const willing = orders.filter((order) => accepts(order.side, order.ticks, ticks));
    for (const [at, lots] of allocate(willing, volume).entries()) {
      fills.set((willing[at] as Order).id, BigInt(lots));
    }
  }
  return { ticks, volume: BigInt(volume), fills };
}

function willing(orders: readonly Order[], side: Side, ticks: number): Order[] {
  return orders.filter((order) => order.side === side && accepts(side, order.ticks, ticks));
}

function lotsOf(orders: readonly Order[]): bigint {
  return orders.reduce((sum, { lots }) => sum + BigInt(lots), 0n);
}

/** Largest volume, then least left over, then nearest to mark. Also the claim that these three leave one price and need no fourth rule. */
function bestPrice({ orders, mark, range }: RandomBook): Omit<Outcome, "fills"> | null {
  const prices: { ticks: number; volume: bigint; left: bigint; distance: bigint }[] = [];
  for (let ticks = range.low; ticks <= range.high; ticks++) {
    const demand = lotsOf(willing(orders, "buy", ticks));
    const supply = lotsOf(willing(orders, "sell", ticks));
    const distance = absolute(BigInt(ticks - mark));
    prices.push({
      ticks,
      volume: minimum(demand, supply),
      left: absolute(demand - supply),
      distance,
    });
  }
  prices.sort((a, b) => Number(b.volume - a.volume || a.left - b.left || a.distance - b.distance));
  const [best, next] = prices;
  if (best === undefined || best.volume === 0n) return null;
  assert(
    next === undefined ||
      next.volume !== best.volume ||
      next.left !== best.left ||
      next.distance !== best.distance,
    "two prices are equally good",
  );
  return best;
}

/** Who gets how many of one side's lots. */
function sharesOf(orders: readonly Order[], side: Side, volume: bigint): Map<number, bigint> {
  const shares = new Map<number, bigint>();
  let left = volume;
  let open = [...orders];
  while (left > 0n) {
    const best = open.filter((one) => open.every(({ ticks }) => accepts(side, one.ticks, ticks)));
    open = open.filter((one) => !best.includes(one));
    const total = lotsOf(best);
    const given = minimum(total, left);
    const waiting = best.map((order) => {
      const whole = divFloor(BigInt(order.lots) * given, total);
      shares.set(order.id, whole);
      return { order, beyond: BigInt(order.lots) * given - whole * total };
    });
    waiting.sort(
      (a, b) =>
        Number(b.beyond - a.beyond) || b.order.lots - a.order.lots || a.order.id - b.order.id,
    );
    let more = given - best.reduce((sum, { id }) => sum + (shares.get(id) as bigint), 0n);
    for (const { order } of waiting) {
      if (more === 0n) break;
      shares.set(order.id, (shares.get(order.id) as bigint) + 1n);
      more -= 1n;
    }
    left -= given;
  }
  return shares;
}

function requireEqual(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new AssertionError(`${what}: got ${got}, expected ${expected}`);
}

export type AuctionKind = "none" | "whole" | "rationed";

/** Throws AssertionError at a difference. Says whether nothing traded, every order that traded was filled whole, or some in part. */
function compare(book: RandomBook, random: Random): AuctionKind {
  const got = clear(book, random);
  const expected = bestPrice(book);
  requireEqual("price", got?.ticks, expected?.ticks);
  requireEqual("volume", got?.volume, expected?.volume);
  if (got === null || expected === null) return "none";
  let partly = false;
  for (const side of ["buy", "sell"] as const) {
    const shares = sharesOf(willing(book.orders, side, got.ticks), side, expected.volume);
    let sum = 0n;
    for (const order of book.orders) {
      if (order.side !== side) continue;
      const lots = got.fills.get(order.id) ?? 0n;
      requireEqual(`lots of order ${order.id}`, lots, shares.get(order.id) ?? 0n);
      assert(lots <= BigInt(order.lots), `order ${order.id} got more than it asked for`);
      assert(
        lots === 0n || accepts(side, order.ticks, got.ticks),
        `order ${order.id} was filled beyond its limit`,
      );
      if (lots > 0n && lots < BigInt(order.lots)) partly = true;
      sum += lots;
    }
    requireEqual(`lots on the ${side} side`, sum, expected.volume);
  }
  // Another sequence within each price gives every order the same.
  const again = clear(book, random);
  for (const [id, lots] of got.fills) {
    requireEqual(`order ${id} in another sequence`, again?.fills.get(id), lots);
  }
  return partly ? "rationed" : "whole";
}

/** Compares the clearing of `books` random books with its definition. Throws AssertionError, with the number of the book, at a difference. */
export function compareAuctions(
  seed: number,
  books: number,
): Readonly<Record<AuctionKind, number>> {
  const random = createRandom(seed);
  const counts = { none: 0, whole: 0, rationed: 0 };
  for (let at = 0; at < books; at++) {
    try {
      counts[compare(randomBook(random), random)] += 1;
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      throw new AssertionError(`book ${at}: ${error.message}`);
    }
  }
  return counts;
}
