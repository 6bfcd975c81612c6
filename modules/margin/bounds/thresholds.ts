/**
 * Thresholds of many holders on one falling level: which of them lie above it is found without looking at the others. A tree of maxima with
 * sixteen children a node, in typed arrays: four bytes a threshold, four for its holder, a fifteenth for the tree.
 */
import { assert } from "../../kit/errors.ts";

const CHILDREN_BITS = 4;
const CHILDREN = 1 << CHILDREN_BITS;
/** Below every level: never found. */
export const NEVER: number = -(2 ** 31);
const NONE = -1;

export class Thresholds {
  /** The thresholds, then the maxima of each sixteen, and so on up to at most sixteen. */
  #levels: Int32Array[];
  /** Holder of each place; of a free one −2 − the next free place. */
  #holders: Int32Array;
  #used = 0;
  #free = NONE;
  #size = 0;

  /** With room for as many as are expected. */
  constructor(expected = 0) {
    const length = ((expected >> CHILDREN_BITS) + 1) << CHILDREN_BITS;
    this.#holders = new Int32Array(length);
    this.#levels = levelsOf(length);
  }

  /** Holders in it. */
  get size(): number {
    return this.#size;
  }

  /** Memory held, whether used or not. */
  get byteLength(): number {
    return this.#levels.reduce((sum, level) => sum + level.byteLength, this.#holders.byteLength);
  }

  /** Returns the holder's place. */
  add(holder: number, threshold: number): number {
    let place = this.#free;
    if (place === NONE) {
      if (this.#used === this.#holders.length) this.#grow();
      place = this.#used++;
    } else {
      this.#free = -2 - (this.#holders[place] as number);
    }
    this.#holders[place] = holder;
    this.#size += 1;
    this.set(place, threshold);
    return place;
  }

  set(place: number, threshold: number): void {
    let below = this.#levels[0] as Int32Array;
    let before = below[place] as number;
    let value = threshold;
    below[place] = value;
    let index = place;
    for (let depth = 1; depth < this.#levels.length; depth++) {
      index >>= CHILDREN_BITS;
      const level = this.#levels[depth] as Int32Array;
      const most = level[index] as number;
      // Only where the largest child has become less do the others count.
      if (value < most) {
        if (before < most) return;
        value = maximumOf(below, index);
      }
      if (value === most) return;
      level[index] = value;
      before = most;
      below = level;
    }
  }

  remove(place: number): void {
    assert((this.#holders[place] as number) >= 0, "no threshold is kept in this place");
    this.set(place, NEVER);
    this.#holders[place] = -2 - this.#free;
    this.#free = place;
    this.#size -= 1;
  }

  /** Holders whose threshold lies above the level. */
  above(level: number, visit: (holder: number) => void): void {
    this.#descend(this.#levels.length - 1, 0, level, visit);
  }

  each(visit: (holder: number) => void): void {
    for (let place = 0; place < this.#used; place++) {
      const holder = this.#holders[place] as number;
      if (holder >= 0) visit(holder);
    }
  }

  #descend(depth: number, node: number, level: number, visit: (holder: number) => void): void {
    const values = this.#levels[depth] as Int32Array;
    const first = node << CHILDREN_BITS;
    const end = first + CHILDREN < values.length ? first + CHILDREN : values.length;
    for (let index = first; index < end; index++) {
      if ((values[index] as number) <= level) continue;
      if (depth === 0) visit(this.#holders[index] as number);
      else this.#descend(depth - 1, index, level, visit);
    }
  }

  /** By a half, in whole nodes. */
  #grow(): void {
    const old = this.#holders.length;
    const length = (((old + (old >> 1)) >> CHILDREN_BITS) + 1) << CHILDREN_BITS;
    const holders = new Int32Array(length);
    holders.set(this.#holders);
    this.#holders = holders;
    const levels = levelsOf(length);
    for (let depth = 0; depth < this.#levels.length; depth++)
      (levels[depth] as Int32Array).set(this.#levels[depth] as Int32Array);
    // A level that is new on top has no maxima yet.
    for (let depth = this.#levels.length; depth < levels.length; depth++) {
      const level = levels[depth] as Int32Array;
      for (let index = 0; index < level.length; index++)
        level[index] = maximumOf(levels[depth - 1] as Int32Array, index);
    }
    this.#levels = levels;
  }
}

function levelsOf(length: number): Int32Array[] {
  const levels: Int32Array[] = [];
  for (let size = length; ; size = (size + CHILDREN - 1) >> CHILDREN_BITS) {
    levels.push(new Int32Array(size).fill(NEVER));
    if (size <= CHILDREN) return levels;
  }
}

/** Of the sixteen children of a node. */
function maximumOf(children: Int32Array, node: number): number {
  const first = node << CHILDREN_BITS;
  const end = first + CHILDREN < children.length ? first + CHILDREN : children.length;
  let most = NEVER;
  for (let index = first; index < end; index++) {
    const value = children[index] as number;
    if (value > most) most = value;
  }
  return most;
}
