import { describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../kit/account-id.ts";
import { Book, type UndoLog } from "./book.ts";
import { DROP_MAKER, match, STOP_TAKER } from "./matching.ts";
import type { Side } from "./ports.ts";
import { createRandom } from "./random.ts";

interface Plain {
  id: number;
  account: AccountId;
  side: Side;
  ticks: number;
  lots: number;
  clientId: string;
  reduceOnly: boolean;
  goodTilMs: number;
}

/** The reference: one list, searched and sorted anew for every question. */
class NaiveBook {
  orders: Plain[] = [];

  best(side: Side): Plain | undefined {
    const sign = side === "buy" ? -1 : 1;
    let best: Plain | undefined;
    for (const order of this.orders) {
      if (order.side !== side) continue;
      const ahead =
        best === undefined ? -1 : sign * (order.ticks - best.ticks) || order.id - best.id;
      if (ahead < 0) best = order;
    }
    return best;
  }

  inOrder(side: Side): Plain[] {
    const sign = side === "buy" ? -1 : 1;
    return this.orders
      .filter((order) => order.side === side)
      .sort((a, b) => sign * (a.ticks - b.ticks) || a.id - b.id);
  }

  match(side: Side, limit: number, lots: number, steps: number, policy: Policy): string[] {
    const trades: string[] = [];
    let left = lots;
    for (let step = 0; left > 0 && step < steps; step++) {
      const maker = this.best(side === "buy" ? "sell" : "buy");
      if (maker === undefined) break;
      if (side === "buy" ? maker.ticks > limit : maker.ticks < limit) break;
      const verdict = policy(maker.id);
      if (verdict === STOP_TAKER) break;
      if (verdict === DROP_MAKER) {
        this.orders = this.orders.filter((order) => order !== maker);
        continue;
      }
      const traded = Math.min(left, maker.lots);
      trades.push(`${maker.id}:${traded}@${maker.ticks}`);
      left -= traded;
      this.orders = this.orders
        .map((order) => (order === maker ? { ...order, lots: order.lots - traded } : order))
        .filter((order) => order.lots > 0);
    }
    return [...trades, `left ${left}`];
  }
}

type Policy = (makerId: number) => number;

/** Most makers trade, some must leave, few stop the taker; decided by the id alone so that both books agree. */
const policy: Policy = (id) => (id % 23 === 0 ? DROP_MAKER : id % 97 === 0 ? STOP_TAKER : 1);

function accounts(count: number): AccountId[] {
  return Array.from({ length: count }, (_, i) => accountId(new Uint8Array(20).fill(i + 1), i % 3));
}

function describeBook(book: Book): unknown {
  const side = (name: Side): string[] => {
    const out: string[] = [];
    const ladder = book.ladder(name);
    ladder.each((level) => {
      const queue: string[] = [];
      for (let slot = ladder.firstOf(level); slot !== 0; slot = book.behind(slot)) {
        const order = book.read(slot);
        expect([order.side, order.ticks]).toEqual([name, ladder.ticksOf(level)]);
        queue.push(`${order.id}:${order.lots}`);
      }
      out.push(`${ladder.ticksOf(level)}: ${queue.join(" ")}`);
    });
    return out;
  };
  return { bids: side("buy"), asks: side("sell"), size: book.size };
}

function describeNaive(naive: NaiveBook): unknown {
  const side = (name: Side): string[] => {
    const levels = new Map<number, Plain[]>();
    for (const order of naive.inOrder(name)) {
      levels.set(order.ticks, [...(levels.get(order.ticks) ?? []), order]);
    }
    return [...levels].map(([ticks, orders]) => {
      const queue = orders.map((order) => `${order.id}:${order.lots}`).join(" ");
      return `${ticks}: ${queue}`;
    });
  };
  return { bids: side("buy"), asks: side("sell"), size: naive.orders.length };
}

function describeHolders(book: Book, all: readonly AccountId[]): unknown {
  return all.map((account) => {
    const ids: string[] = [];
    for (const slot of book.ordersOf(account)) {
      const order = book.read(slot);
      ids.push(`${order.id}${order.reduceOnly ? "r" : ""} ${order.clientId} ${order.goodTilMs}`);
      expect(order.account).toBe(account);
      expect(book.find(order.id)).toBe(slot);
      if (order.clientId !== "") expect(book.findByClientId(account, order.clientId)).toBe(slot);
    }
    return { ids, count: book.openOrders(account), reduceOnly: book.openReduceOnly(account) };
  });
}

function naiveHolders(naive: NaiveBook, all: readonly AccountId[]): unknown {
  return all.map((account) => {
    const own = naive.orders
      .filter((order) => order.account === account)
      .sort((a, b) => a.id - b.id);
    return {
      ids: own.map(
        (order) => `${order.id}${order.reduceOnly ? "r" : ""} ${order.clientId} ${order.goodTilMs}`,
      ),
      count: own.length,
      reduceOnly: own.filter((order) => order.reduceOnly).length,
    };
  });
}

function run(seed: number, operations: number, spread: number): void {
  const random = createRandom(seed);
  const everyone = accounts(7);
  const book = new Book();
  const naive = new NaiveBook();
  const journal: (() => void)[] = [];
  const log: UndoLog = { onRevert: (undo) => void journal.push(undo) };
  const savepoints: { mark: number; orders: Plain[] }[] = [];
  // Ids straddle 2^32: both halves of a stored id are used.
  let id = 4_294_967_296 - 20_000;

  for (let i = 0; i < operations; i++) {
    const dice = random.below(100);
    if (dice < 40) {
      const side: Side = random.below(2) === 0 ? "buy" : "sell";
      // Ranges overlap a little, so that the ladder is filled on both sides of any price.
      const ticks = 1000 + (side === "buy" ? -random.below(spread) : random.below(spread));
      const terms = {
        id: id++,
        account: everyone[random.below(everyone.length)] as AccountId,
        side,
        ticks,
        lots: 1 + random.below(20),
        reduceOnly: random.below(10) === 0,
        clientId: random.below(2) === 0 ? `c${id}` : "",
        goodTilMs: random.below(2) === 0 ? 0 : 1_700_000_000_000 + random.below(100_000),
      };
      book.insert(terms, log);
      naive.orders.push({ ...terms });
    } else if (dice < 66 && naive.orders.length > 0) {
      const victim = naive.orders[random.below(naive.orders.length)] as Plain;
      book.remove(book.find(victim.id), log);
      naive.orders = naive.orders.filter((order) => order !== victim);
    } else if (dice < 74 && naive.orders.length > 0) {
      const victim = naive.orders[random.below(naive.orders.length)] as Plain;
      const lots = 1 + random.below(victim.lots);
      book.reduce(book.find(victim.id), lots, log);
      naive.orders = naive.orders
        .map((order) => (order === victim ? { ...order, lots: order.lots - lots } : order))
        .filter((order) => order.lots > 0);
    } else if (dice < 94) {
      const side: Side = random.below(2) === 0 ? "buy" : "sell";
      const limitTicks = 1000 + (side === "buy" ? random.below(spread) : -random.below(spread));
      const lots = 1 + random.below(40);
      const stepsMax = 1 + random.below(8);
      const trades: string[] = [];
      const { remaining } = match(
        book,
        { side, limitTicks, lots, stepsMax },
        (maker, wanted) => {
          const { id: makerId, ticks } = book.read(maker);
          const verdict = policy(makerId);
          if (verdict !== 1) return verdict;
          trades.push(`${makerId}:${wanted}@${ticks}`);
          return wanted;
        },
        log,
      );
      const expected = naive.match(side, limitTicks, lots, stepsMax, policy);
      trades.push(`left ${remaining}`);
      if (trades.join() !== expected.join()) expect(trades).toEqual(expected);
    } else if (dice < 97) {
      savepoints.push({
        mark: journal.length,
        orders: naive.orders.map((order) => ({ ...order })),
      });
    } else if (savepoints.length > 0) {
      const { mark, orders } = savepoints.pop()!;
      if (random.below(3) > 0) {
        while (journal.length > mark) journal.pop()!();
        naive.orders = orders;
      }
    }
    if (i % 500 === 0) {
      expect(describeBook(book)).toEqual(describeNaive(naive));
      expect(describeHolders(book, everyone)).toEqual(naiveHolders(naive, everyone));
    }
  }
  expect(describeBook(book)).toEqual(describeNaive(naive));
  while (journal.length > 0) journal.pop()!();
  expect(describeBook(book)).toEqual({ bids: [], asks: [], size: 0 });
}

describe("the book against a naive reference", () => {
  for (const [seed, spread] of [
    [1, 12],
    [2, 400],
    [3, 990],
  ] as const) {
    it(`gives the same trades, queues and accounts over 100,000 operations (seed ${seed})`, () => {
      run(seed, 100_000, spread);
    }, 60_000);
  }
});
