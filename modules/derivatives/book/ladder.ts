/**
 * One side of a book: its price levels, sorted. Ranks lie in small chunks of a sorted list with the best level at the very end, so
 * that work happens where arrays are cheap to change; a sparse book costs levels, never ticks. Everything is in typed arrays: with
 * a hundred thousand levels the time goes into cache misses, and objects add one indirection each.
 */
import { AssertionError } from "../../kit/errors.ts";
import type { Side } from "../ports.ts";

/** Levels per chunk: so many ranks, and behind them their levels, in one array for all chunks. */
const CHUNK = 128;
const CHUNK_INTS = 2 * CHUNK;
/** Ints per level: ticks, first order, last order, next free level. */
const STRIDE = 4;

/** Levels are numbered from 1; 0 is none. */
export class Ladder {
  readonly side: Side;
  /** Chunks by number, ascending by rank, none empty; `#highest` holds the best rank of each. */
  readonly #order: number[] = [];
  readonly #highest: number[] = [];
  /** By chunk number. */
  #cells: Int32Array = new Int32Array(CHUNK_INTS);
  readonly #counts: number[] = [];
  readonly #freeChunks: number[] = [];
  #levels: Int32Array = new Int32Array(64 * STRIDE);
  #used = 1;
  #free = 0;
  #size = 0;

  constructor(side: Side) {
    this.side = side;
  }

  /** Number of levels. */
  get size(): number {
    return this.#size;
  }

  /** The best level, or 0. */
  best(): number {
    const chunk = this.#order[this.#order.length - 1];
    if (chunk === undefined) return 0;
    const last = (this.#counts[chunk] as number) - 1;
    return this.#cells[chunk * CHUNK_INTS + CHUNK + last] as number;
  }

  ticksOf(level: number): number {
    return this.#levels[level * STRIDE] as number;
  }

  firstOf(level: number): number {
    return this.#levels[level * STRIDE + 1] as number;
  }

  lastOf(level: number): number {
    return this.#levels[level * STRIDE + 2] as number;
  }

  setFirst(level: number, order: number): void {
    this.#levels[level * STRIDE + 1] = order;
  }

  setLast(level: number, order: number): void {
    this.#levels[level * STRIDE + 2] = order;
  }

  /** The level at this price, added when there is none. */
  obtain(ticks: number): number {
    const rank = this.#rank(ticks);
    if (this.#order.length === 0) {
      this.#order.push(this.#newChunk());
      this.#highest.push(rank);
    }
    const index = this.#chunkFor(rank);
    const chunk = this.#order[index] as number;
    const count = this.#counts[chunk] as number;
    const start = chunk * CHUNK_INTS;
    const at = this.#placeIn(start, count, rank);
    const cells = this.#cells;
    if (at < start + count && cells[at] === rank) return cells[at + CHUNK] as number;
    const level = this.#newLevel(ticks);
    for (let i = start + count; i > at; i--) {
      cells[i] = cells[i - 1] as number;
      cells[i + CHUNK] = cells[i - 1 + CHUNK] as number;
    }
    cells[at] = rank;
    cells[at + CHUNK] = level;
    this.#counts[chunk] = count + 1;
    if (at === start + count) this.#highest[index] = rank;
    if (count + 1 === CHUNK) this.#split(index);
    this.#size += 1;
    return level;
  }

  remove(level: number): void {
    const rank = this.#rank(this.ticksOf(level));
    const index = this.#chunkFor(rank);
    const chunk = this.#order[index] as number;
    const count = (this.#counts[chunk] as number) - 1;
    const start = chunk * CHUNK_INTS;
    const at = this.#placeIn(start, count + 1, rank);
    const cells = this.#cells;
    if (cells[at + CHUNK] !== level) {
      throw new AssertionError(`book: level ${level} is out of place`);
    }
    for (let i = at; i < start + count; i++) {
      cells[i] = cells[i + 1] as number;
      cells[i + CHUNK] = cells[i + 1 + CHUNK] as number;
    }
    this.#counts[chunk] = count;
    if (count === 0) {
      this.#order.splice(index, 1);
      this.#highest.splice(index, 1);
      this.#freeChunks.push(chunk);
    } else if (at === start + count) {
      this.#highest[index] = cells[at - 1] as number;
    }
    this.#levels[level * STRIDE + 3] = this.#free;
    this.#free = level;
    this.#size -= 1;
  }

  /** From the best level on; the callback returns true to stop. */
  each(visit: (level: number) => unknown): void {
    for (let c = this.#order.length - 1; c >= 0; c--) {
      const chunk = this.#order[c] as number;
      const start = chunk * CHUNK_INTS + CHUNK;
      for (let i = (this.#counts[chunk] as number) - 1; i >= 0; i--) {
        if (visit(this.#cells[start + i] as number) === true) return;
      }
    }
  }

  /** Higher is better: the price for bids, its negative for asks. */
  #rank(ticks: number): number {
    return this.side === "buy" ? ticks : -ticks;
  }

  #newLevel(ticks: number): number {
    let level = this.#free;
    if (level !== 0) {
      this.#free = this.#levels[level * STRIDE + 3] as number;
    } else {
      level = this.#used++;
      if (level * STRIDE >= this.#levels.length) {
        const larger = new Int32Array(this.#levels.length * 2);
        larger.set(this.#levels);
        this.#levels = larger;
      }
    }
    const base = level * STRIDE;
    this.#levels[base] = ticks;
    this.#levels[base + 1] = 0;
    this.#levels[base + 2] = 0;
    return level;
  }

  /** The first chunk whose best rank is not below `rank`, else the last. */
  #chunkFor(rank: number): number {
    const highest = this.#highest;
    let low = 0;
    let high = highest.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((highest[middle] as number) >= rank) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #split(index: number): void {
    const lower = this.#order[index] as number;
    const upper = this.#newChunk();
    const half = CHUNK >> 1;
    const from = lower * CHUNK_INTS;
    const to = upper * CHUNK_INTS;
    this.#cells.copyWithin(to, from + half, from + CHUNK);
    this.#cells.copyWithin(to + CHUNK, from + CHUNK + half, from + CHUNK_INTS);
    this.#counts[lower] = half;
    this.#counts[upper] = half;
    this.#order.splice(index + 1, 0, upper);
    this.#highest.splice(index + 1, 0, this.#highest[index] as number);
    this.#highest[index] = this.#cells[from + half - 1] as number;
  }

  #newChunk(): number {
    const free = this.#freeChunks.pop();
    if (free !== undefined) return free;
    const chunk = this.#counts.push(0) - 1;
    if ((chunk + 1) * CHUNK_INTS > this.#cells.length) {
      const larger = new Int32Array(this.#cells.length * 2);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    return chunk;
  }

  /** The first place among `count` from `start` on whose rank is not below `rank`. */
  #placeIn(start: number, count: number, rank: number): number {
    const cells = this.#cells;
    let low = start;
    let high = start + count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cells[middle] as number) >= rank) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
