/** The most leveraged first, found only as far as they are asked for: of a side of a hundred thousand a deleveraging wants a few. */
import type { AccountId } from "../../kit/account-id.ts";
import { compareLeverage } from "./deleverage-math.ts";

export interface Ranked {
  readonly id: AccountId;
  readonly lots: bigint;
  readonly equity: bigint;
}

export class Ranking<T extends Ranked> {
  /** A binary heap of those who have not been asked for. */
  readonly #heap: T[];
  readonly #ranked: T[] = [];

  constructor(all: Iterable<T>) {
    this.#heap = [...all];
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** Undefined: there are no more. */
  at(place: number): T | undefined {
    while (this.#ranked.length <= place) {
      const top = this.#heap[0];
      const last = this.#heap.pop();
      if (top === undefined || last === undefined) return undefined;
      if (this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      this.#ranked.push(top);
    }
    return this.#ranked[place];
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const item = heap[from] as T;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && compareLeverage(heap[right] as T, heap[child] as T) < 0)
        child = right;
      if (compareLeverage(item, heap[child] as T) <= 0) break;
      heap[i] = heap[child] as T;
      i = child;
    }
    heap[i] = item;
  }
}
