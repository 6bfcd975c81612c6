/**
 * Questions that need what is derived of state, an order book, at a height that is not the newest: it is made anew for them, on the thread that
 * votes, so of its time they have a share. What was made is kept of one height at a time.
 */
import type { Branch } from "@keel/modules/kit/store";
import { DERIVED_BURST_MS, DERIVED_SHARE } from "./limits.ts";

/** The share is used up. */
export class OldHeightsBusy extends Error {
  constructor() {
    super(
      "earlier heights have had their share of this node's time: ask the newest, or again later",
    );
  }
}

export class OldHeights {
  readonly #nowMs: () => number;
  /** Time used and not yet given back. */
  #usedMs = 0;
  #seenMs: number;
  #last: Branch | null = null;

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#seenMs = nowMs();
  }

  /** Throws OldHeightsBusy. */
  answer<T>(branch: Branch, work: () => T): T {
    const began = this.#nowMs();
    this.#usedMs = Math.max(0, this.#usedMs - (began - this.#seenMs) / DERIVED_SHARE);
    this.#seenMs = began;
    if (this.#usedMs > DERIVED_BURST_MS) throw new OldHeightsBusy();
    if (this.#last !== branch) this.#last?.forgetDerived();
    this.#last = branch;
    try {
      return work();
    } finally {
      this.#seenMs = this.#nowMs();
      this.#usedMs += this.#seenMs - began;
    }
  }
}
