/**
 * The book that makers and keepers leave, and what taking from it does to everybody's price. Makers: so much per percent of distance. Keepers: a fixed size behind
 * them. What is taken moves the price as far as the book was eaten; 60 % of that stays until makers are back. The same on the chain, where it is added to what
 * validators report, and on the model.
 */
import { CALM_DEPTH, HALF_LIFE_MS } from "./depth.ts";

/** From mark, of what keepers stand ready with. */
export const KEEPER_DISTANCE = 0.044;
/** Settlement units a side and underlying, all keepers together, and the time in which they stand there again. */
export const KEEPERS_SIZE = 1_200_000;
const KEEPERS_BACK_MS = 40_000;
const PERMANENT = 0.6;
const TEMPORARY_HALF_LIFE_MS = 15_000;
/** Log move that one step may add, whatever is sold into nothing. */
const STEP_MAX = 0.1;

interface Side {
  /** Of what stands there now: eaten in this step. */
  taken: number;
  keepers: number;
}

interface Level {
  permanent: number;
  temporary: number;
  readonly sides: { readonly buy: Side; readonly sell: Side };
}

export class Impact {
  readonly #levels: Level[];
  readonly #calm: readonly number[];
  readonly #keepers: number;

  /** `size`: of the market, 1 with 2,000 accounts. */
  constructor(size: number) {
    this.#calm = CALM_DEPTH.map((depth) => depth * size);
    this.#keepers = KEEPERS_SIZE * size;
    const side = (): Side => ({ taken: 0, keepers: this.#keepers });
    this.#levels = this.#calm.map(() => ({
      permanent: 0,
      temporary: 0,
      sides: { buy: side(), sell: side() },
    }));
  }

  /** Settlement units within one percent of mark on one side of a calm book. */
  calm(underlying: number): number {
    return this.#calm[underlying] ?? 0;
  }

  /** What an order may still take in this step without going further from mark than `limit`. */
  fillable(underlying: number, way: "buy" | "sell", limit: number, depth: number): number {
    const level = this.#levels[underlying] as Level;
    const { taken, keepers } = level.sides[way];
    const makers = (limit / 0.01) * this.calm(underlying) * depth;
    const behind = limit > KEEPER_DISTANCE ? keepers : 0;
    return Math.max(0, makers + behind - taken);
  }

  /** Mean distance from mark at which so much is filled now; it counts as taken. */
  take(underlying: number, way: "buy" | "sell", notional: number, depth: number): number {
    const eaten = (this.#levels[underlying] as Level).sides[way];
    const before = this.#distance(underlying, eaten.taken, eaten.keepers, depth);
    eaten.taken += notional;
    return (before + this.#distance(underlying, eaten.taken, eaten.keepers, depth)) / 2;
  }

  /** How far the book is eaten when so much was taken. */
  #distance(underlying: number, taken: number, keepers: number, depth: number): number {
    const perUnit = 0.01 / (this.calm(underlying) * depth);
    const makers = taken * perUnit;
    if (makers <= KEEPER_DISTANCE) return makers;
    const behind = taken - KEEPER_DISTANCE / perUnit - keepers;
    return KEEPER_DISTANCE + Math.max(0, behind) * perUnit;
  }

  /** The step is over: prices move by what was eaten, the book stands again around them, time passes. */
  pass(ms: number, depth: number): void {
    const permanentKeep = 0.5 ** (ms / HALF_LIFE_MS);
    const temporaryKeep = 0.5 ** (ms / TEMPORARY_HALF_LIFE_MS);
    for (const [underlying, level] of this.#levels.entries()) {
      let move = 0;
      for (const way of ["buy", "sell"] as const) {
        const eaten = level.sides[way];
        const distance = this.#distance(underlying, eaten.taken, eaten.keepers, depth);
        move += (way === "buy" ? 1 : -1) * Math.min(STEP_MAX, distance);
        const behind = eaten.taken - KEEPER_DISTANCE * 100 * this.calm(underlying) * depth;
        const left = Math.max(0, eaten.keepers - Math.max(0, behind));
        eaten.keepers = Math.min(this.#keepers, left + (this.#keepers * ms) / KEEPERS_BACK_MS);
        eaten.taken = 0;
      }
      level.permanent = level.permanent * permanentKeep + PERMANENT * move;
      level.temporary = level.temporary * temporaryKeep + (1 - PERMANENT) * move;
    }
  }

  /** Factor on the index. */
  factor(underlying: number): number {
    const level = this.#levels[underlying];
    return level === undefined ? 1 : Math.exp(level.permanent + level.temporary);
  }
}
