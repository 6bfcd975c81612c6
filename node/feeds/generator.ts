/**
 * Seeded jump-diffusion with two regimes. Calm: small volatility, rare small jumps, a slow
 * pull back to the start. Crash: high volatility, downward drift, frequent jumps mostly down. The path is a function of (seed, start time, chain time), so every node that shares them sees the same prices.
 */
import type { Random } from "./random.ts";
import { seededRandom } from "./random.ts";
import type { NowMs, PriceFeed, Quote } from "./types.ts";
import { E8 } from "./types.ts";

export interface GeneratorOptions {
  readonly symbol: string;
  readonly seed: number;
  /** Chain time of the first price. */
  readonly startMs: number;
  readonly startPrice: number;
}

type Regime = {
  readonly volatility: number;
  readonly drift: number;
  /** Share of the log distance to the start price regained per hour. */
  readonly pullPerHour: number;
  readonly jumpsPerHour: number;
  readonly jumpMean: number;
  readonly jumpDeviation: number;
  readonly exitPerHour: number;
};

// Annual volatility and drift, jump sizes as log returns. The crash regime is sized after the worst hours of March 2020, May 2021 and
// October 2025: 10 to 20 % within ten minutes, minute moves up to 6 %.
const CALM: Regime = {
  volatility: 0.45,
  drift: 0,
  pullPerHour: 0.15,
  jumpsPerHour: 0.5,
  jumpMean: 0,
  jumpDeviation: 0.0025,
  exitPerHour: 0.25,
};
const CRASH: Regime = {
  volatility: 3.5,
  drift: -2200,
  pullPerHour: 0,
  jumpsPerHour: 45,
  jumpMean: -0.008,
  jumpDeviation: 0.012,
  exitPerHour: 4,
};

const STEP_MS = 1000;
const YEAR_STEPS = (365 * 86_400_000) / STEP_MS;
const HOUR_STEPS = 3_600_000 / STEP_MS;
/** A price below this share of the start would make sizes and ticks meaningless. */
const FLOOR_SHARE = 0.02;
/** One call never walks further than this: a day of seconds. A clock further ahead is caught up over the next calls. */
const STEPS_PER_CALL_MAX = 86_400;

export function createGenerator(options: GeneratorOptions, now: NowMs): PriceFeed {
  const random = seededRandom(options.seed);
  let price = options.startPrice;
  let regime = CALM;
  let steps = 0;
  return {
    latest() {
      const due = Math.floor((now() - options.startMs) / STEP_MS);
      const until = Math.min(due, steps + STEPS_PER_CALL_MAX);
      for (; steps < until; steps++) {
        regime = nextRegime(regime, random);
        price = Math.max(
          nextPrice(price, options.startPrice, regime, random),
          options.startPrice * FLOOR_SHARE,
        );
      }
      const confidencePpm = regime === CALM ? 200 : 2000;
      return [quote(options.symbol, price, confidencePpm)];
    },
    stop() {},
  };
}

function nextRegime(regime: Regime, random: Random): Regime {
  if (random.next() >= regime.exitPerHour / HOUR_STEPS) return regime;
  return regime === CALM ? CRASH : CALM;
}

function nextPrice(price: number, startPrice: number, regime: Regime, random: Random): number {
  const variance = (regime.volatility * regime.volatility) / YEAR_STEPS;
  const pull = (regime.pullPerHour / HOUR_STEPS) * Math.log(startPrice / price);
  let logReturn =
    pull + regime.drift / YEAR_STEPS - variance / 2 + Math.sqrt(variance) * random.normal();
  if (random.next() < regime.jumpsPerHour / HOUR_STEPS) {
    logReturn += regime.jumpMean + regime.jumpDeviation * random.normal();
  }
  return price * Math.exp(logReturn);
}

export function quote(symbol: string, price: number, confidencePpm: number): Quote {
  const priceE8 = BigInt(Math.round(price * E8));
  return { symbol, priceE8, confidenceE8: (priceE8 * BigInt(confidencePpm)) / 1_000_000n };
}
