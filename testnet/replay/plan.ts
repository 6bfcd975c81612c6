/**
 * Who trades in a replay: traders with their stake, side and leverage, as a function of the seed. The crowd is long by three to two,
 * as it is before a crash; leverages are spread evenly over the range, so that whatever the fall, some stand just inside it.
 */
import type { Random } from "@keel/node/feeds/random";
import { seededRandom } from "@keel/node/feeds/random";

export interface TraderPlan {
  readonly index: number;
  readonly side: "buy" | "sell";
  /** First deposit, whole settlement units. */
  readonly stake: number;
  /** Kept in the wallet for a second try after a liquidation. */
  readonly reserve: number;
  /** Notional of the first position / stake. */
  readonly leverage: number;
  /** Of this trader's own choices while the market moves. */
  readonly seed: number;
}

export const LEVERAGE_MIN = 3;
/** The market allows 20×; fees, spread and rounding need room. */
export const LEVERAGE_MAX = 17;
const LONG_SHARE = 0.6;
const STAKE_MEDIAN = 8_000;
const STAKE_MIN = 1_000;
const STAKE_MAX = 60_000;

export function planTraders(count: number, seed: number): TraderPlan[] {
  const random = seededRandom(seed);
  const longs = Math.round(count * LONG_SHARE);
  const sides = shuffled(
    Array.from({ length: count }, (_, i): "buy" | "sell" => (i < longs ? "buy" : "sell")),
    random,
  );
  const leverages = { buy: spread(longs, random), sell: spread(count - longs, random) };
  return sides.map((side, index) => {
    const stake = Math.round(
      Math.min(STAKE_MAX, Math.max(STAKE_MIN, STAKE_MEDIAN * Math.exp(0.8 * random.normal()))),
    );
    return {
      index,
      side,
      stake,
      reserve: Math.round(stake * (0.5 + random.next())),
      leverage: leverages[side].pop() as number,
      seed: Math.floor(random.next() * 2 ** 31),
    };
  });
}

/** One leverage per equal part of the range, in random order. */
function spread(count: number, random: Random): number[] {
  const width = (LEVERAGE_MAX - LEVERAGE_MIN) / count;
  const each = Array.from({ length: count }, (_, i) => LEVERAGE_MIN + width * (i + random.next()));
  return shuffled(each, random);
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
