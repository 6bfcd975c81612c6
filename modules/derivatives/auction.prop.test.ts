import { describe, expect, it } from "vitest";
import { minimum } from "../kit/math/mul-div.ts";
import {
  accepts,
  allocate,
  clearingPrice,
  type Interest,
  levelsOf,
  type PriceRange,
} from "./auction.ts";
import type { Side } from "./ports.ts";
import { createRandom, type Random } from "./random.ts";

/** `npm run fuzz -- auction --seed 1 --runs 100000`; a short run otherwise. */
const SEED = Number(process.env["KEEL_FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["KEEL_FUZZ_RUNS"] ?? 4000);

interface Order extends Interest {
  readonly side: Side;
}

interface RandomBook {
  readonly orders: readonly Order[];
  readonly mark: number;
  readonly range: PriceRange;
}

/** Few prices, so that levels are shared; sizes small, equal or of 31 bits, so that remainders tie and products overflow 53 bits. */
function randomBook(random: Random): RandomBook {
  const prices = 1 + random.below(40);
  const sizes = [1, 3, 10, 1000, 2_147_483_647][random.below(5)] as number;
  const count = random.below(random.below(10) === 0 ? 120 : 24);
  const orders = Array.from({ length: count }, (_, id): Order => {
    const side = random.below(2) === 0 ? "buy" : "sell";
    return { id: id + 1, side, ticks: 1 + random.below(prices), lots: 1 + random.below(sizes) };
  });
  const low = 1 + random.below(prices);
  return {
    orders,
    mark: 1 + random.below(prices),
    range: { low, high: low + random.below(prices) },
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** As the book hands them over: best price first; within a price in any sequence, which may not matter. */
function bestFirst(orders: readonly Order[], side: Side, random: Random): Order[] {
  const direction = side === "buy" ? -1 : 1;
  const own = shuffled(
    orders.filter((order) => order.side === side),
    random,
  );
  return own.sort((a, b) => direction * (a.ticks - b.ticks));
}

interface Outcome {
  readonly ticks: number;
  readonly volume: number;
  readonly fills: ReadonlyMap<number, number>;
}

function clear(book: RandomBook, random: Random): Outcome | null {
  const bids = bestFirst(book.orders, "buy", random);
  const asks = bestFirst(book.orders, "sell", random);
  const clearing = clearingPrice(levelsOf(bids), levelsOf(asks), book.mark, book.range);
  if (clearing === null) return null;
  const fills = new Map<number, number>();
  for (const orders of [bids, asks]) {
    const willing = orders.filter(({ side, ticks }) => accepts(side, ticks, clearing.ticks));
    allocate(willing, clearing.volume).forEach((lots, at) => {
      fills.set((willing[at] as Order).id, lots);
    });
  }
  return { ticks: clearing.ticks, volume: clearing.volume, fills };
}

/** The definition, price by price, with nothing remembered between two prices. */
function bruteForce({ orders, mark, range }: RandomBook): { ticks: number; volume: bigint } | null {
  const lots = (side: Side, at: number): bigint => {
    let sum = 0n;
    for (const order of orders) {
      if (order.side !== side) continue;
      if (side === "buy" ? order.ticks >= at : order.ticks <= at) sum += BigInt(order.lots);
    }
    return sum;
  };
  let best: { ticks: number; volume: bigint; imbalance: bigint; distance: number } | null = null;
  let ties = 0;
  for (let ticks = range.low; ticks <= range.high; ticks++) {
    const demand = lots("buy", ticks);
    const supply = lots("sell", ticks);
    const volume = minimum(demand, supply);
    if (volume === 0n) continue;
    const imbalance = demand > supply ? demand - supply : supply - demand;
    const distance = Math.abs(ticks - mark);
    const order =
      best === null
        ? -1
        : volume !== best.volume
          ? Number(best.volume - volume)
          : imbalance !== best.imbalance
            ? Number(imbalance - best.imbalance)
            : distance - best.distance;
    if (order < 0) {
      best = { ticks, volume, imbalance, distance };
      ties = 0;
    } else if (order === 0) ties += 1;
  }
  // The three conditions leave one price: the claim on which no further rule rests.
  expect(ties).toBe(0);
  return best;
}

/** Quotas by their definition, the lots beyond their whole parts one by one to whoever deserves the next. */
function fairShares(orders: readonly Order[], side: Side, at: number, volume: bigint) {
  const willing = orders.filter((one) => one.side === side && accepts(side, one.ticks, at));
  const fills = new Map<number, bigint>(willing.map(({ id }) => [id, 0n]));
  let left = volume;
  while (left > 0n) {
    const open = willing.filter((one) => fills.get(one.id) === 0n);
    const best = open.reduce(
      (price, { ticks }) => (accepts(side, price, ticks) ? price : ticks),
      open[0]!.ticks,
    );
    const worst = open.reduce(
      (price, { ticks }) => (accepts(side, ticks, price) ? ticks : price),
      best,
    );
    const level = open.filter(({ ticks }) => ticks === worst);
    const total = level.reduce((sum, { lots }) => sum + BigInt(lots), 0n);
    if (total <= left) {
      for (const { id, lots } of level) fills.set(id, BigInt(lots));
      left -= total;
      continue;
    }
    const given = level.map((one) => ({ one, whole: (BigInt(one.lots) * left) / total }));
    let beyond = left - given.reduce((sum, { whole }) => sum + whole, 0n);
    for (const { one, whole } of given) fills.set(one.id, whole);
    const waiting = new Set(given);
    for (; beyond > 0n; beyond -= 1n) {
      let next: (typeof given)[number] | undefined;
      for (const entry of waiting) {
        if (next === undefined) next = entry;
        const a = (BigInt(entry.one.lots) * left) % total;
        const b = (BigInt(next.one.lots) * left) % total;
        if (a > b) next = entry;
        else if (a === b && entry.one.lots > next.one.lots) next = entry;
        else if (a === b && entry.one.lots === next.one.lots && entry.one.id < next.one.id)
          next = entry;
      }
      waiting.delete(next!);
      fills.set(next!.one.id, fills.get(next!.one.id)! + 1n);
    }
    left = 0n;
  }
  return fills;
}

function check(book: RandomBook, random: Random): "none" | "whole" | "rationed" {
  const outcome = clear(book, random);
  const expected = bruteForce(book);
  if (expected === null || outcome === null) {
    expect(outcome).toBe(expected);
    return "none";
  }
  expect([outcome.ticks, BigInt(outcome.volume)]).toEqual([expected.ticks, expected.volume]);
  for (const side of ["buy", "sell"] as const) {
    const shares = fairShares(book.orders, side, outcome.ticks, expected.volume);
    let sum = 0n;
    for (const order of book.orders) {
      if (order.side !== side) continue;
      const lots = outcome.fills.get(order.id) ?? 0;
      sum += BigInt(lots);
      if (lots > order.lots || BigInt(lots) !== (shares.get(order.id) ?? 0n)) {
        throw new Error(`order ${order.id}: got ${lots}, expected ${shares.get(order.id)}`);
      }
      // The one price is never worse than a filled order's limit.
      if (
        lots > 0 &&
        (side === "buy" ? order.ticks < outcome.ticks : order.ticks > outcome.ticks)
      ) {
        throw new Error(`order ${order.id} was filled beyond its limit`);
      }
    }
    expect(sum).toBe(expected.volume);
  }
  // Another sequence within each price gives every order the same.
  const again = clear(book, random);
  for (const [id, lots] of outcome.fills) {
    if (again?.fills.get(id) !== lots) throw new Error(`order ${id} depends on the sequence`);
  }
  const partly = book.orders.some(({ id, lots }) => {
    const filled = outcome.fills.get(id) ?? 0;
    return filled > 0 && filled < lots;
  });
  return partly ? "rationed" : "whole";
}

describe("the clearing of a batch auction", () => {
  it(`equals the definition on ${RUNS} random books from seed ${SEED}: price, volume, shares, in any sequence`, {
    timeout: 600_000,
  }, () => {
    const counts = { none: 0, whole: 0, rationed: 0 };
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED * 1_000_003 + run;
      try {
        counts[check(randomBook(createRandom(seed)), createRandom(seed + 7))] += 1;
      } catch (error) {
        throw new Error(`book ${run} of seed ${SEED}`, { cause: error });
      }
    }
    if (process.env["KEEL_FUZZ_RUNS"] !== undefined) {
      console.log(`seed ${SEED}: ${RUNS} books, ${JSON.stringify(counts)}`);
    }
    expect(counts.rationed).toBeGreaterThan(RUNS / 10);
    expect(counts.whole).toBeGreaterThan(RUNS / 100);
    expect(counts.none).toBeGreaterThan(RUNS / 100);
  });
});
