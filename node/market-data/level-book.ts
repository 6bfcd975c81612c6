/** An order book by levels, kept from single orders, and what of it changed since one last asked. */
import type { Side } from "@keel/modules/derivatives/ports";

export interface Level {
  readonly ticks: number;
  /** 0: gone. */
  readonly lots: number;
  readonly orders: number;
}

interface Held {
  lots: number;
  orders: number;
}

const none: Held = { lots: 0, orders: 0 };

/** One side, best price first. */
class Ladder {
  readonly #levels = new Map<number, Held>();
  /** Before the first change since `takeChanges`. */
  readonly #touched = new Map<number, Held>();
  /** 1 for asks, −1 for bids. */
  readonly #sign: number;
  /** Prices from best to worst; null until someone asks. */
  #sorted: number[] | null = null;

  constructor(side: Side) {
    this.#sign = side === "buy" ? -1 : 1;
  }

  get size(): number {
    return this.#levels.size;
  }

  /** `orders` 1 adds, −1 takes away. */
  change(ticks: number, lots: number, orders: 1 | -1): void {
    const held = this.#levels.get(ticks);
    if (!this.#touched.has(ticks))
      this.#touched.set(ticks, held === undefined ? none : { ...held });
    if (held === undefined) {
      if (orders < 0) throw new Error(`no level at ${ticks} to take an order from`);
      this.#levels.set(ticks, { lots, orders: 1 });
      this.#sorted?.splice(this.#placeOf(ticks), 0, ticks);
      return;
    }
    held.lots += orders * lots;
    held.orders += orders;
    if (held.lots < 0 || held.orders < 0) throw new Error(`more taken from ${ticks} than is there`);
    if (held.orders > 0) return;
    this.#levels.delete(ticks);
    this.#sorted?.splice(this.#placeOf(ticks), 1);
  }

  best(count: number): Level[] {
    this.#sorted ??= [...this.#levels.keys()].sort((a, b) => this.#sign * (a - b));
    return this.#sorted.slice(0, count).map((ticks) => this.#at(ticks));
  }

  /** Best first. */
  takeChanges(): Level[] {
    const changed: Level[] = [];
    for (const [ticks, before] of this.#touched) {
      const now = this.#at(ticks);
      if (now.lots !== before.lots || now.orders !== before.orders) changed.push(now);
    }
    this.#touched.clear();
    return changed.sort((a, b) => this.#sign * (a.ticks - b.ticks));
  }

  #at(ticks: number): Level {
    const { lots, orders } = this.#levels.get(ticks) ?? none;
    return { ticks, lots, orders };
  }

  /** Where `ticks` stands, or would, in the order of prices. */
  #placeOf(ticks: number): number {
    const sorted = this.#sorted as number[];
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sign * ((sorted[middle] as number) - ticks) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class LevelBook {
  readonly bids: Ladder = new Ladder("buy");
  readonly asks: Ladder = new Ladder("sell");
  /** As the chain counts: grows with every change of the book. */
  sequence = 0;

  add(side: Side, ticks: number, lots: number): void {
    this.#of(side).change(ticks, lots, 1);
  }

  remove(side: Side, ticks: number, lots: number): void {
    this.#of(side).change(ticks, lots, -1);
  }

  #of(side: Side): Ladder {
    return side === "buy" ? this.bids : this.asks;
  }
}
