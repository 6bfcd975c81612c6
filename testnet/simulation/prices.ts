/** Block times, and what each validator sees of prices: seeded walks with jumps, crashes, validators that are silent, and outages. */
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import type { PriceReport } from "@keel/modules/oracle/extension";
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";

/** Feed ids; `volatility` is what options on BTC are marked by. Mantissas have four places. */
export const FEEDS = { btc: 1, volatility: 2, eth: 3, sol: 4 } as const;

/** The surface of BTC. */
export const SURFACE = 1;

export const GENESIS_MS = 1_790_000_000_000;
const SCALE = 10_000;
const GAP_PPM = 80_000;
const YEAR_MS = 365 * 86_400_000;

export interface Weather {
  /** Block time of the next height, nanoseconds. */
  next(): bigint;
  readonly timeNs: bigint;
  /** Longer than any price is fresh since the block before. */
  readonly outage: boolean;
  /** What validator `index` reports with its vote for the newest height. */
  reports(index: number): readonly PriceReport[];
  /** And what it says about the surface of BTC, at the expiries its options may have. */
  surfaces(index: number): readonly SurfaceVote[];
}

interface Walk {
  readonly low: number;
  readonly high: number;
  readonly stepPpm: number;
  value: number;
}

export function createWeather(seed: number): Weather {
  const random = createRandom(seed);
  let timeMs = GENESIS_MS;
  let outage = false;
  /** Blocks in which so many validators say nothing. */
  let silent = { blocks: 0, validators: 0 };
  let noise = 0;
  let crashed = Math.floor((timeMs + CRASH_AHEAD_MS) / EXPIRY_STEP_MS);
  const walks: Record<number, Walk> = {
    [FEEDS.btc]: { low: 40_000, high: 90_000, stepPpm: 900, value: 60_000 },
    [FEEDS.volatility]: { low: 0.25, high: 1.5, stepPpm: 4_000, value: 0.6 },
    [FEEDS.eth]: { low: 2_000, high: 5_000, stepPpm: 1_200, value: 3_000 },
    [FEEDS.sol]: { low: 60, high: 300, stepPpm: 1_500, value: 150 },
  };
  return {
    get timeNs() {
      return BigInt(timeMs) * 1_000_000n;
    },
    get outage() {
      return outage;
    },
    next() {
      outage = random.below(90) === 0;
      timeMs += outage ? 40_000 + random.below(200_000) : 1_000 + random.below(11_000);
      // What nobody reported in between comes at once.
      for (const walk of Object.values(walks)) move(walk, random, outage ? GAP_PPM : 0);
      const halfHour = Math.floor((timeMs + CRASH_AHEAD_MS) / EXPIRY_STEP_MS);
      if (halfHour !== crashed && random.below(3) > 0) crash(walks[FEEDS.btc], random);
      crashed = halfHour;
      if (silent.blocks > 0) silent = { ...silent, blocks: silent.blocks - 1 };
      else if (random.below(60) === 0)
        silent = { blocks: 1 + random.below(6), validators: 1 + random.below(4) };
      noise = random.below(1_000_000);
      return BigInt(timeMs) * 1_000_000n;
    },
    reports(index) {
      if (silent.blocks > 0 && index < silent.validators) return [];
      return Object.entries(walks).map(([id, { value }]) => {
        const mantissa = BigInt(Math.round(value * SCALE));
        // A few parts in a million apart, the same for everybody who asks.
        const apart = (mantissa * BigInt((noise + index * 7) % 11)) / 1_000_000n;
        return { feedId: Number(id), mantissa: mantissa + apart, confidence: 1n };
      });
    },
    surfaces(index) {
      if (silent.blocks > 0 && index < silent.validators) return [];
      const volatility = walks[FEEDS.volatility]?.value ?? 0;
      // A hostile one among four, who says anything at all.
      if (index === 3 && noise % 5 === 0) return [wild(noise)];
      return [votedSurface(volatility, timeMs, noise + index)];
    },
  };
}

/** By a tenth to a quarter, up or down. */
function crash(walk: Walk | undefined, random: Random): void {
  if (walk === undefined) return;
  const size = 0.1 + random.below(150_000) / 1_000_000;
  walk.value *= random.below(2) === 0 ? 1 + size : 1 - size;
}

const EXPIRY_STEP_MS = 30 * 60_000;
/** The window in which a series settles has just begun. */
const CRASH_AHEAD_MS = 4 * 60_000 + 30_000;
const OFFSET_MS = 10 * 60_000;

/** The next expiries of a series every half hour, ten minutes past, and one far ahead; a flat term structure that follows the walk. */
function votedSurface(volatility: number, nowMs: number, noise: number): SurfaceVote {
  const first = Math.floor((nowMs - OFFSET_MS) / EXPIRY_STEP_MS) + 1;
  const expiries = [0, 1, 2, 48].map((ahead) => (first + ahead) * EXPIRY_STEP_MS + OFFSET_MS);
  return {
    surfaceId: SURFACE,
    rhoPpm: -250_000 + (noise % 1000),
    etaPpm: 900_000 + (noise % 777),
    gammaPpm: 400_000 + (noise % 555),
    expiries: expiries.map((expiryMs) => ({
      expiryMs: BigInt(expiryMs),
      theta:
        BigInt(Math.round((volatility ** 2 * (expiryMs - nowMs) * 1e15) / YEAR_MS)) * 1000n + 1n,
      basisPpm: (noise % 7) - 3,
    })),
  };
}

function wild(noise: number): SurfaceVote {
  const expiries = [{ expiryMs: 1n, theta: 1n, basisPpm: 1_000_000 }];
  return { surfaceId: SURFACE, rhoPpm: 999_999, etaPpm: 1 + (noise % 9), gammaPpm: 1, expiries };
}

function move(walk: Walk, random: Random, gapPpm: number): void {
  const dice = random.below(900);
  // Now and then a jump within the reach of margins, seldom one that nobody is prepared for.
  const reach = dice < 2 ? 180_000 : dice < 12 ? 45_000 : Math.max(walk.stepPpm, gapPpm);
  const drift = random.below(2 * reach + 1) - reach;
  walk.value *= 1 + drift / 1_000_000;
  if (walk.value < walk.low) walk.value = walk.low * 1.02;
  if (walk.value > walk.high) walk.value = walk.high * 0.98;
}
