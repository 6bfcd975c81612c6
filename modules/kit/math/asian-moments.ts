/**
 * First two moments of a sum of equally spaced fixings of a lognormal price, in units of the first fixing's forward. Fixings double in
 * number with every step, so a thousand cost ten steps, and only positive terms are added: nothing cancels.
 */
import { mulQ, Q_ONE } from "./fixed-point.ts";

/** Sums over fixings i, j = 0 … count−1, x being the growth of the forward from one to the next and p = e^(σ²·interval); Q. */
export interface Moments {
  readonly count: bigint;
  /** Σ x^i: the mean. */
  readonly mean: bigint;
  /** Σ Σ x^(i+j)·p^min(i,j): the mean of the square. */
  readonly square: bigint;
  /** Derivative of `square` by ln p: the same sum with each term times min(i,j). */
  readonly squareSlope: bigint;
}

interface Block extends Moments {
  /** Σ (xp)^i, and the same with each term times i. */
  readonly tilted: bigint;
  readonly tiltedSlope: bigint;
  /** x^count, (xp)^count. */
  readonly x: bigint;
  readonly xp: bigint;
}

/** The sums over a's fixings followed by b's. A pair across the two has its smaller index in a. */
function join(a: Block, b: Block): Block {
  const xxp = mulQ(a.x, a.xp);
  const ahead = 2n * mulQ(a.x, b.mean);
  return {
    count: a.count + b.count,
    mean: a.mean + mulQ(a.x, b.mean),
    square: a.square + mulQ(xxp, b.square) + mulQ(a.tilted, ahead),
    squareSlope:
      a.squareSlope + mulQ(xxp, b.squareSlope + a.count * b.square) + mulQ(a.tiltedSlope, ahead),
    tilted: a.tilted + mulQ(a.xp, b.tilted),
    tiltedSlope: a.tiltedSlope + mulQ(a.xp, b.tiltedSlope + a.count * b.tilted),
    x: mulQ(a.x, b.x),
    xp: mulQ(a.xp, b.xp),
  };
}

/** Moments of `count` ≥ 1 fixings; relative error at most 64·count·2^-120, nearly all of it that of x and p, raised to the count. */
export function momentsOf(count: bigint, x: bigint, p: bigint): Moments {
  const one: Block = {
    count: 1n,
    mean: Q_ONE,
    square: Q_ONE,
    squareSlope: 0n,
    tilted: Q_ONE,
    tiltedSlope: 0n,
    x,
    xp: mulQ(x, p),
  };
  let block = one;
  for (const bit of count.toString(2).slice(1)) {
    block = join(block, block);
    if (bit === "1") block = join(block, one);
  }
  return block;
}
