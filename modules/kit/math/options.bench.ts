/** Kernels and prices. Run: npx vitest bench modules/kit/math */
import { bench, describe } from "vitest";
import { asianGreeks, asianPrice } from "./asian.ts";
import { black76Greeks, black76Price } from "./black-76.ts";
import { blackScholesGreeks } from "./black-scholes.ts";
import { digitalGreeks } from "./digital.ts";
import { expQ } from "./exp.ts";
import { Q_ONE, WAD } from "./fixed-point.ts";
import { lnRatioQ } from "./log.ts";
import { cdfQ } from "./normal.ts";
import { integerSqrt } from "./square-root.ts";

const DAY = 86_400n;
const RATE = WAD / 20n;

/** Ten expiries of fifty strikes around 60,000, calls and puts. */
const surface = Array.from({ length: 500 }, (_, i) => ({
  kind: i % 2 === 0 ? ("call" as const) : ("put" as const),
  forward: 60_000n * WAD,
  strike: BigInt(30_000 + 1_200 * (i % 50)) * WAD,
  rate: 0n,
  volatility: (BigInt(40 + (i % 37)) * WAD) / 100n,
  seconds: DAY * BigInt(1 + Math.floor(i / 50)),
}));
const stocks = surface.map((terms) => ({
  ...terms,
  spot: terms.forward,
  rate: RATE,
  carry: RATE,
  payout: WAD,
}));
const averages = stocks.map((terms) => ({
  ...terms,
  fixings: 30n,
  fixedCount: 0n,
  fixedSum: 0n,
  secondsToNextFixing: terms.seconds - 29n * 60n,
  fixingIntervalSeconds: 60n,
}));
let turn = 0;
const at = <T>(list: readonly T[]): T => list[(turn += 1) % list.length] as T;

describe("math::kernels", () => {
  const numbers = surface.map((terms) => -(terms.strike * Q_ONE) / (terms.forward * 3n));
  bench("exp", () => void expQ(at(numbers)));
  bench("normal distribution", () => void cdfQ(at(numbers)));
  bench("ln of a ratio", () => {
    const { forward, strike } = at(surface);
    lnRatioQ(forward, strike);
  });
  bench("square root of 240 bits", () => void integerSqrt(at(numbers) ** 2n));
});

describe("math::options", () => {
  bench("Black-76 price", () => void black76Price(at(surface)));
  bench("Black-76 price and Greeks", () => void black76Greeks(at(surface)));
  bench("Black-Scholes price and Greeks, with rates", () => void blackScholesGreeks(at(stocks)));
  bench("digital price and Greeks, with rates", () => void digitalGreeks(at(stocks)));
  bench("Asian price, 30 fixings, with rates", () => void asianPrice(at(averages)));
  bench("Asian price and Greeks, 30 fixings, with rates", () => void asianGreeks(at(averages)));
  bench("surface of 500: Black-76 price and Greeks", () => {
    for (const terms of surface) black76Greeks(terms);
  });
});
