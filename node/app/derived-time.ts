/**
 * Questions that need what is derived of state, an order book: it is made anew for them, once for each state, on the thread that votes. So of its time
 * they have a share, whoever asks: at the newest height a larger one than at earlier ones, of which one state's is kept at a time.
 */
import type { Branch } from "@keel/modules/kit/store";

/** The share is used up. */
export class DerivedTimeUsedUp extends Error {}

export interface DerivedTimeTerms {
  /** One part in so many of the time that passes. */
  readonly share: number;
  /** And as much at once. */
  readonly burstMs: number;
  /** What who is refused can do. */
  readonly advice: string;
}

export class DerivedTime {
  readonly #terms: DerivedTimeTerms;
  readonly #nowMs: () => number;
  /** Time used and not yet given back. */
  #usedMs = 0;
  #seenMs: number;

  /** `nowMs` never goes back. */
  constructor(terms: DerivedTimeTerms, nowMs: () => number = () => performance.now()) {
    this.#terms = terms;
    this.#nowMs = nowMs;
    this.#seenMs = nowMs();
  }

  /** Throws DerivedTimeUsedUp. */
  answer<T>(work: () => T): T {
    const { advice, burstMs, share } = this.#terms;
    const began = this.#nowMs();
    this.#usedMs = Math.max(0, this.#usedMs - (began - this.#seenMs) / share);
    this.#seenMs = began;
    if (this.#usedMs > burstMs) throw new DerivedTimeUsedUp(advice);
    try {
      return work();
    } finally {
      this.#seenMs = this.#nowMs();
      this.#usedMs += this.#seenMs - began;
    }
  }
}

/** Of earlier heights only the last one asked for keeps what was made of it. */
export class OldHeights {
  readonly #time: DerivedTime;
  #last: Branch | null = null;

  constructor(time: DerivedTime) {
    this.#time = time;
  }

  /** Throws DerivedTimeUsedUp. */
  answer<T>(branch: Branch, work: () => T): T {
    return this.#time.answer(() => {
      if (this.#last !== branch) this.#last?.forgetDerived();
      this.#last = branch;
      return work();
    });
  }
}
