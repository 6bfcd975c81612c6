/**
 * Price-time priority: an incoming order meets the best level's oldest order until it is filled, its limit is reached, its
 * steps are used up, or it is told to stop. What a meeting comes to (clearing, refusals, self-trades) is the caller's business.
 */
import type { Book } from "../book/book.ts";
import type { UndoLog } from "../book/order-terms.ts";
import type { Side } from "../ports.ts";

export interface Taker {
  readonly side: Side;
  /** Worst acceptable price. */
  readonly limitTicks: number;
  readonly lots: number;
  /** Makers it may meet. */
  readonly stepsMax: number;
}

/** The maker leaves the book untraded. */
export const DROP_MAKER = 0;
/** The taker stops; the maker stays as it is. */
export const STOP_TAKER = -1;

/**
 * Trades up to `lots` with the maker in this slot: returns the traded lots, DROP_MAKER or STOP_TAKER, or what `requeued` says of the
 * lots. Touches no other order in front of the maker, and the maker only when it was requeued.
 */
export type Meet = (maker: number, lots: number) => number;

/** The lots were traded, and the book is changed already: the maker showed its next part at the end of its level. */
export function requeued(lots: number): number {
  return -1 - lots;
}

export interface Matched {
  readonly remaining: number;
  readonly steps: number;
  /** filled, or why matching ended before. */
  readonly end: "filled" | "limit" | "steps" | "stopped";
}

export function match(book: Book, taker: Taker, meet: Meet, log: UndoLog): Matched {
  const buying = taker.side === "buy";
  const ladder = buying ? book.asks : book.bids;
  let remaining = taker.lots;
  let steps = 0;
  while (remaining > 0) {
    const level = ladder.best();
    if (level === 0) return { remaining, steps, end: "limit" };
    const ticks = ladder.ticksOf(level);
    const inReach = buying ? ticks <= taker.limitTicks : ticks >= taker.limitTicks;
    if (!inReach) return { remaining, steps, end: "limit" };
    if (steps >= taker.stepsMax) return { remaining, steps, end: "steps" };
    steps += 1;
    const maker = ladder.firstOf(level);
    const held = book.lotsOf(maker);
    const traded = meet(maker, held < remaining ? held : remaining);
    if (traded === STOP_TAKER) return { remaining, steps, end: "stopped" };
    if (traded === DROP_MAKER) {
      book.remove(maker, log);
      continue;
    }
    if (traded < STOP_TAKER) {
      remaining += traded + 1;
      continue;
    }
    book.reduce(maker, traded, log);
    remaining -= traded;
  }
  return { remaining, steps, end: "filled" };
}
