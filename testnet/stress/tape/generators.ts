/**
 * Eight bad days. At size 1 each has the extremes that were measured on the day named beside it; sizes multiply moves as logarithms, so a fall of
 * 27.9 % at size 3 is one of 62.5 % and no price becomes negative.
 */
import { seededRandom } from "@keel/node/feeds/random";
import { type Anchor, CALM_MINUTE, levelAt, noise } from "./path.ts";
import { MINUTE_MS, SECOND_MS, type Tape, type TapeStep } from "./tape.ts";

export const GENERATORS = [
  "flash-crash",
  "grind",
  "gap",
  "black-hole",
  "oracle-lag",
  "depeg",
  "volatility-spike",
  "correlated-collapse",
] as const;
export type GeneratorName = (typeof GENERATORS)[number];

interface Shape {
  readonly about: string;
  readonly minutes: number;
  /** Log moves of BTC at size 1. */
  readonly btc: readonly Anchor[];
  /** Of ETH; absent: 1.5 times BTC's. */
  readonly eth?: readonly Anchor[];
  /** Deviation of a minute at size 1; absent: calm. */
  readonly noise?: (minute: number) => number;
  /** Minutes in which validators report the price of the first of them, and in which the chain stands still. */
  readonly frozen?: readonly [from: number, to: number];
  readonly halted?: readonly [from: number, to: number];
  /** Most of calm depth. */
  readonly depth?: (minute: number) => number;
  /** Quoted volatility as a multiple of 60 %, at size 1. */
  readonly volatility?: readonly Anchor[];
}

const ALT_BETA = 1.5;
const QUOTED = 0.6;
const log = (share: number): number => Math.log(1 + share);
const during =
  (from: number, to: number, value: number, otherwise: number) =>
  (minute: number): number =>
    minute >= from && minute < to ? value : otherwise;

const SHAPES: Readonly<Record<GeneratorName, Shape>> = {
  "flash-crash": {
    about:
      "10 October 2025: −13.1 % in 31 minutes, −7.8 % of it in five, and 77 % of it back 25 minutes later",
    minutes: 40,
    btc: [
      [2, 0],
      [10, log(-0.034)],
      [16, log(-0.052)],
      [18, log(-0.066)],
      [23, log(-0.131)],
      [26, log(-0.102)],
      [34, log(-0.047)],
      [40, log(-0.03)],
    ],
    noise: during(8, 30, 8 * CALM_MINUTE, 2 * CALM_MINUTE),
    volatility: [
      [2, 1],
      [23, 1.6],
      [40, 1.3],
    ],
  },
  grind: {
    about: "5 August 2024: −15.1 % without a rebound, its five hours told in one",
    minutes: 60,
    btc: [
      [2, 0],
      [58, log(-0.151)],
    ],
    noise: () => 3 * CALM_MINUTE,
    volatility: [
      [2, 1],
      [58, 1.4],
    ],
  },
  gap: {
    about: "12 March 2020: −17.1 % in ten minutes, in which the chain stands still",
    minutes: 25,
    btc: [
      [5, 0],
      [15, log(-0.171)],
      [25, log(-0.15)],
    ],
    halted: [5, 15],
    noise: during(5, 25, 4 * CALM_MINUTE, CALM_MINUTE),
    volatility: [
      [5, 1],
      [15, 1.8],
    ],
  },
  "black-hole": {
    about:
      "19 May 2021, 13:12 to 14:10: a twentieth of the depth while minutes range over ±5 %, told in half an hour",
    minutes: 35,
    btc: [
      [2, 0],
      [6, log(-0.06)],
      [8, log(-0.01)],
      [12, log(-0.08)],
      [14, log(-0.02)],
      [18, log(-0.09)],
      [21, log(0.01)],
      [25, log(-0.07)],
      [28, log(0.02)],
      [32, log(-0.04)],
    ],
    noise: during(2, 32, 0.017, CALM_MINUTE),
    depth: during(2, 32, 0.05, 1),
    volatility: [
      [2, 1],
      [12, 2],
    ],
  },
  "oracle-lag": {
    about:
      "12 March 2020: −20.5 % in fifteen minutes that validators do not see, as in May 2022 with a feed that had stopped",
    minutes: 30,
    btc: [
      [4, 0],
      [19, log(-0.205)],
      [30, log(-0.16)],
    ],
    frozen: [4, 19],
    noise: during(4, 24, 6 * CALM_MINUTE, CALM_MINUTE),
    volatility: [
      [4, 1],
      [19, 1.6],
    ],
  },
  depeg: {
    about:
      "11 March 2023: the settlement asset falls to 0.88 and comes back, so all prices in it rise together, told in half an hour",
    minutes: 32,
    btc: [
      [2, 0],
      [14, -log(-0.12)],
      [18, -log(-0.1)],
      [30, -log(-0.02)],
    ],
    eth: [
      [2, 0],
      [14, -log(-0.12)],
      [18, -log(-0.1)],
      [30, -log(-0.02)],
    ],
    noise: () => 2 * CALM_MINUTE,
  },
  "volatility-spike": {
    about:
      "quoted volatility from 60 to 150 %, minutes of 1 % both ways and no direction, as in the stress minutes of all three crashes",
    minutes: 30,
    btc: [[0, 0]],
    noise: during(3, 27, 0.01, CALM_MINUTE),
    volatility: [
      [3, 1],
      [6, 2.5],
      [27, 2],
    ],
  },
  "correlated-collapse": {
    about:
      "19 May 2021: BTC −22.1 % in 22 minutes and ETH −40 %: one direction for all, and the legs of a hedge 18 % apart",
    minutes: 35,
    btc: [
      [3, 0],
      [25, log(-0.221)],
      [35, log(-0.13)],
    ],
    eth: [
      [3, 0],
      [25, log(-0.4)],
      [35, log(-0.28)],
    ],
    noise: during(3, 30, 6 * CALM_MINUTE, CALM_MINUTE),
    volatility: [
      [3, 1],
      [25, 2],
    ],
  },
};

/** One of the eight at a size, a step a second. */
export function generate(name: GeneratorName, size: number, seed: number): Tape {
  const shape = SHAPES[name];
  const stepMs = SECOND_MS;
  const steps = (shape.minutes * MINUTE_MS) / stepMs;
  const random = seededRandom(seed * 31 + GENERATORS.indexOf(name));
  const deviation = (minute: number): number => size * (shape.noise?.(minute) ?? CALM_MINUTE);
  const common = noise(random, steps, stepMs, deviation);
  const own = noise(random, steps, stepMs, (minute) => deviation(minute) / 2);
  const levels = Array.from({ length: steps }, (_, step): readonly number[] => {
    const minute = (step * stepMs) / MINUTE_MS;
    const btc = size * levelAt(shape.btc, minute);
    const eth = shape.eth === undefined ? ALT_BETA * btc : size * levelAt(shape.eth, minute);
    const shared = common[step] ?? 0;
    return [Math.exp(btc + shared), Math.exp(eth + shared + (own[step] ?? 0))];
  });
  return { name, size, stepMs, about: shape.about, steps: told(shape, size, stepMs, levels) };
}

function told(
  shape: Shape,
  size: number,
  stepMs: number,
  levels: readonly (readonly number[])[],
): TapeStep[] {
  const within = (range: readonly [number, number] | undefined, minute: number): boolean =>
    range !== undefined && minute >= range[0] && minute < range[1];
  let reported = levels[0] ?? [];
  return levels.map((index, step) => {
    const minute = (step * stepMs) / MINUTE_MS;
    if (!within(shape.frozen, minute)) reported = index;
    const above = shape.volatility === undefined ? 0 : levelAt(shape.volatility, minute) - 1;
    return {
      atMs: step * stepMs,
      index,
      reported,
      open: !within(shape.halted, minute),
      volatility: QUOTED * (1 + size * above),
      depthMax: shape.depth?.(minute) ?? 1,
    };
  });
}

/** Of a path that is not generated: a second underlying that moves with the first one. */
export function altOf(btc: number, own: number): number {
  return Math.exp(ALT_BETA * Math.log(btc) + own);
}
