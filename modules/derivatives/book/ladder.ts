/**
 * One side of a book: its price levels, sorted. Ranks lie in small chunks of a sorted list with the best level at the very end, so
 * that work happens where arrays are cheap to change; a sparse book costs levels, never ticks. Everything is in typed arrays: with
 * a hundred thousand levels the time goes into cache misses, and objects add one indirection each.
 */
import { AssertionError } from "../../kit/errors.ts";
import type { Side } from "../ports.ts";

const CHUNK = 128;
/** Ints per level: ticks, first order, last order, next free level. */
const STRIDE = 4;

interface Chunk {
  readonly ranks: Int32Array;
  readonly levels: Int32Array;
  count: number;
}

/** Levels are numbered from 1; 0 is none. */
export class Ladder {
  readonly side: Side;
  /** Ascending, no chunk empty; `#highest` holds the best rank of each. */
  readonly #chunks: Chunk[] = [];
  readonly #highest: number[] = [];
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
    const chunk = this.#chunks[this.#chunks.length - 1];
    return chunk === undefined ? 0 : (chunk.levels[chunk.count - 1] as number);
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
    const chunks = this.#chunks;
    if (chunks.length === 0) {
      chunks.push({ ranks: new Int32Array(CHUNK), levels: new Int32Array(CHUNK), count: 0 });
      this.#highest.push(rank);
    }
    const index = this.#chunkFor(rank);
    const chunk = chunks[index] as Chunk;
    const position = positionIn(chunk, rank);
    if (position < chunk.count && chunk.ranks[position] === rank) {
      return chunk.levels[position] as number;
    }
    const level = this.#newLevel(ticks);
    insertAt(chunk, position, rank, level);
    if (position === chunk.count - 1) this.#highest[index] = rank;
    if (chunk.count === CHUNK) this.#split(index);
    this.#size += 1;
    return level;
  }

  remove(level: number): void {
    const rank = this.#rank(this.ticksOf(level));
    const index = this.#chunkFor(rank);
    const chunk = this.#chunks[index] as Chunk;
    const position = positionIn(chunk, rank);
    if (chunk.levels[position] !== level) {
      throw new AssertionError(`book: level ${level} is out of place`);
    }
    removeAt(chunk, position);
    if (chunk.count === 0) {
      this.#chunks.splice(index, 1);
      this.#highest.splice(index, 1);
    } else if (position === chunk.count) {
      this.#highest[index] = chunk.ranks[position - 1] as number;
    }
    this.#levels[level * STRIDE + 3] = this.#free;
    this.#free = level;
    this.#size -= 1;
  }

  /** From the best level on; the callback returns true to stop. */
  each(visit: (level: number) => unknown): void {
    for (let c = this.#chunks.length - 1; c >= 0; c--) {
      const chunk = this.#chunks[c] as Chunk;
      for (let i = chunk.count - 1; i >= 0; i--) {
        if (visit(chunk.levels[i] as number) === true) return;
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
    const chunk = this.#chunks[index] as Chunk;
    const half = CHUNK >> 1;
    const upper = { ranks: new Int32Array(CHUNK), levels: new Int32Array(CHUNK), count: half };
    upper.ranks.set(chunk.ranks.subarray(half));
    upper.levels.set(chunk.levels.subarray(half));
    chunk.count = half;
    this.#chunks.splice(index + 1, 0, upper);
    this.#highest.splice(index + 1, 0, this.#highest[index] as number);
    this.#highest[index] = chunk.ranks[half - 1] as number;
  }
}

/** The first position whose rank is not below `rank`. */
function positionIn(chunk: Chunk, rank: number): number {
  const { ranks } = chunk;
  let low = 0;
  let high = chunk.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranks[middle] as number) >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

function insertAt(chunk: Chunk, position: number, rank: number, level: number): void {
  const { ranks, levels } = chunk;
  for (let i = chunk.count; i > position; i--) {
    ranks[i] = ranks[i - 1] as number;
    levels[i] = levels[i - 1] as number;
  }
  ranks[position] = rank;
  levels[position] = level;
  chunk.count += 1;
}

function removeAt(chunk: Chunk, position: number): void {
  const { ranks, levels } = chunk;
  chunk.count -= 1;
  for (let i = position; i < chunk.count; i++) {
    ranks[i] = ranks[i + 1] as number;
    levels[i] = levels[i + 1] as number;
  }
}
