/** Contracts priced straight from the formulas, for tests and benches: a lot is 0.001 of the underlying unless said otherwise. */
import { black76Price } from "../../../kit/math/black-76.ts";
import { divNearest, WAD } from "../../../kit/math/fixed-point.ts";
import { clamp, maximum, PPM } from "../../../kit/math/mul-div.ts";
import type { RiskInstrument } from "../risk-array.ts";

const DAY_MS = 86_400_000n;
/** What the exchange's formulas take. */
const VOLATILITY_MIN = WAD / 100n;
const VOLATILITY_MAX = (38n * WAD) / 10n;

const scale = { units: WAD / 1000n, scale: 10n ** 30n, fundingPpmPerHour: 0n };

function moved(price: bigint, movePpm: bigint): bigint {
  return maximum(divNearest(price * (PPM + movePpm), PPM), 1n);
}

/** Prices in whole units. */
export function perpetual(price: bigint, fundingPpmPerHour = 0n): RiskInstrument {
  return {
    ...scale,
    kind: "perpetual",
    expiry: "",
    remainingMs: 0n,
    strike: 0n,
    forward: price * WAD,
    volatility: 0n,
    fundingPpmPerHour,
    price: (movePpm) => moved(price * WAD, movePpm),
  };
}

export function future(price: bigint, days: bigint): RiskInstrument {
  return {
    ...perpetual(price),
    kind: "future",
    expiry: days.toString(),
    remainingMs: days * DAY_MS,
  };
}

export function option(terms: {
  readonly right: "call" | "put";
  readonly forward: bigint;
  readonly strike: bigint;
  readonly days: bigint;
  readonly volatilityPpm: bigint;
}): RiskInstrument {
  const { right, days } = terms;
  const forward = terms.forward * WAD;
  const strike = terms.strike * WAD;
  return {
    ...scale,
    kind: "option",
    expiry: days.toString(),
    remainingMs: days * DAY_MS,
    strike,
    forward,
    volatility: (terms.volatilityPpm * WAD) / PPM,
    price: (movePpm, volatility) =>
      black76Price({
        kind: right,
        forward: moved(forward, movePpm),
        strike,
        rate: 0n,
        volatility: clamp(volatility, VOLATILITY_MIN, VOLATILITY_MAX),
        seconds: days * 86_400n,
      }),
  };
}
