/**
 * What the kinds of option share. Every settlement price is a mean over a window, so an option on it is worth what an option on a mean is:
 * before the window the variance of the mean of a path is that of its end less two thirds of the window; inside it the part gone by is
 * fixed, moves the strike, and only the rest is at risk, with a third of its variance. So the last mark is the payoff, and the risk of
 * the last minutes melts instead of exploding at the strike.
 */
import { WAD, YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { clamp, divCeil, divFloor, divHalfEven, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { Contract, OptionContract } from "./contract.ts";
import type { MarkInputs, UnitGreeks } from "./contract-kind.ts";

/** Volatility of marks and scenarios, 1e-18 per year: 1 % to 380 %, inside what the formulas take for the longest average. */
const VOLATILITY_MIN = 10n ** 16n;
const VOLATILITY_MAX = 38n * 10n ** 17n;

/** No underlying is worth more than a million million; the formulas go a thousand times further. */
export const SPOT_MAX: bigint = 10n ** 30n;

export function boundedPrice(price: bigint): bigint {
  return clamp(price, 1n, SPOT_MAX);
}

export function boundedVolatility(volatility: bigint): bigint {
  return clamp(volatility, VOLATILITY_MIN, VOLATILITY_MAX);
}

export function intrinsic({ right, strike }: OptionContract, price: bigint): bigint {
  return maximum(right === "call" ? price - strike : strike - price, 0n);
}

/** The option on what is still to come of the mean: pays `weight` / `whole` of what an option at this strike on the rest pays. */
export interface Residual {
  readonly strike: bigint;
  readonly seconds: bigint;
  readonly weight: bigint;
  readonly whole: bigint;
}

/** Null: nothing is at risk any more, what is left follows from the forward. */
export function residualOf(contract: Contract, inputs: MarkInputs): Residual | null {
  const { maturity, option } = contract;
  if (maturity === null || option === null) return null;
  const { averagedMs, mean, remainingMs } = inputs;
  const windowMs = BigInt(maturity.windowMs);
  if (remainingMs >= windowMs) {
    const seconds = divFloor(3n * remainingMs - 2n * windowMs, 3000n);
    return { strike: option.strike, seconds, weight: 1n, whole: 1n };
  }
  const seconds = divFloor(remainingMs, 3000n);
  const whole = averagedMs + remainingMs;
  const strike = divHalfEven(option.strike * whole - mean * averagedMs, maximum(remainingMs, 1n));
  if (seconds === 0n || strike <= 0n) return null;
  return { strike, seconds, weight: remainingMs, whole };
}

/** Spot and volatility moved: only what is still to come of the mean moves with them. */
export function shocked(inputs: MarkInputs, spotPpm: bigint, volatilityPpm: bigint): MarkInputs {
  const spot = maximum(divHalfEven(inputs.spot * (PPM + spotPpm), PPM), 1n);
  const volatility = divHalfEven(inputs.volatility * (PPM + volatilityPpm), PPM);
  const { averagedMs, mean, remainingMs } = inputs;
  const whole = averagedMs + remainingMs;
  const forward =
    averagedMs === 0n || whole === 0n
      ? spot
      : divHalfEven(mean * averagedMs + spot * remainingMs, whole);
  return { ...inputs, spot, forward, volatility: boundedVolatility(volatility) };
}

/** Seconds, rounded up. */
export function secondsOf(ms: bigint): bigint {
  return divCeil(ms, 1000n);
}

/** Greeks of the last minute are those of a minute: at the money they grow without bound. */
const GREEKS_SECONDS_MIN = 60n;

export function greeksSeconds(seconds: bigint): bigint {
  return maximum(seconds, GREEKS_SECONDS_MIN);
}

/** Once nothing is at risk any more an option is its payoff; only the part of the mean still to come moves with the underlying. */
export function settledGreeks(
  price: bigint,
  up: 1n | -1n,
  { averagedMs, remainingMs }: Pick<MarkInputs, "averagedMs" | "remainingMs">,
): UnitGreeks {
  const whole = averagedMs + remainingMs;
  const moves = price > 0n && whole > 0n ? divHalfEven(WAD * remainingMs, whole) : 0n;
  return { price, delta: up * moves, gamma: 0n, vega: 0n, theta: 0n, rho: 0n };
}

/** Those of an option on the rest, as a share `weight` / `whole` of it; discounting alone makes the rho. */
export function shareOf(
  greeks: Omit<UnitGreeks, "rho">,
  seconds: bigint,
  { weight, whole }: Pick<Residual, "weight" | "whole">,
): UnitGreeks {
  const share = (value: bigint): bigint => divHalfEven(value * weight, whole);
  const price = share(greeks.price);
  return {
    price,
    delta: share(greeks.delta),
    gamma: share(greeks.gamma),
    vega: share(greeks.vega),
    theta: share(greeks.theta),
    rho: divHalfEven(-price * seconds, YEAR_SECONDS),
  };
}

/** Without a rate an option on an expected price is worth its payoff there at least, and at most what it could be exchanged for. */
export function optionBounds(option: OptionContract, forward: bigint): readonly [bigint, bigint] {
  return [intrinsic(option, forward), option.right === "call" ? forward : option.strike];
}
