/**
 * Greeks for people, made when they are asked for and kept nowhere: they follow from state. Per unit they are those of the formula at the
 * volatility of now; what a position is exposed to is said in quanta.
 */
import type { Exposure } from "@keel/proto/gen/keel/derivatives/v1/query";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { divHalfEven } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import { type Outlook, outlookOf, toPrice } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import type { UnitGreeks } from "./contract-kind.ts";
import { kinds } from "./kinds.ts";
import { lotScale } from "./lot-value.ts";
import { settledGreeks } from "./option-pricing.ts";
import { volatilityOf, withBasis } from "./volatility.ts";

const DAYS_PER_YEAR = 365n;

export interface Sensitivity {
  /** Per unit of size. */
  readonly greeks: UnitGreeks;
  /** 1e-18 of the quote. */
  readonly index: bigint;
  readonly forward: bigint;
  /** Null without an option. */
  readonly volatility: bigint | null;
  readonly fresh: boolean;
}

/** Quanta, long positive. */
export interface ExposureQuanta {
  readonly delta: bigint;
  readonly gamma: bigint;
  readonly vega: bigint;
  readonly theta: bigint;
  readonly rho: bigint;
}

export const NO_EXPOSURE: ExposureQuanta = { delta: 0n, gamma: 0n, vega: 0n, theta: 0n, rho: 0n };

const NO_CURVE = { gamma: 0n, vega: 0n, theta: 0n, rho: 0n };

/** undefined without a price, or for an option without a volatility. */
export function sensitivityOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Sensitivity | undefined {
  const key = instrument.settlementKey;
  if (key !== null) {
    const outlook = outlookOf(ctx, venue, key);
    return outlook === undefined ? undefined : datedSensitivity(ctx, venue, instrument, outlook);
  }
  const price = venue.oracle.price(ctx, instrument.market.feedId);
  if (price === undefined) return undefined;
  const index = toPrice(price.mantissa, price.exponent);
  const greeks = { price: index, delta: WAD, ...NO_CURVE };
  return { greeks, index, forward: index, volatility: null, fresh: price.fresh };
}

function datedSensitivity(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  outlook: Outlook,
): Sensitivity | undefined {
  const { contract } = instrument;
  const { payoff, greeks: of } = kinds[contract.kind];
  const index = outlook.spot;
  if (outlook.final) {
    const { forward } = outlook;
    const greeks = { price: payoff(contract, forward), delta: 0n, ...NO_CURVE };
    return { greeks, index, forward, volatility: null, fresh: true };
  }
  if (contract.option === null) {
    const { forward, fresh } = outlook;
    // As much of it as is still to come of the mean.
    const greeks = settledGreeks(forward, 1n, outlook);
    return { greeks, index, forward, volatility: null, fresh };
  }
  const quoted = volatilityOf(ctx, venue, instrument, index);
  if (quoted === undefined || !quoted.priceable) return undefined;
  assert(of !== undefined, `${contract.kind} has no Greeks`);
  const { volatility } = quoted;
  const expected = withBasis(outlook, quoted.basisPpm);
  return {
    greeks: of(contract, { ...expected, volatility }),
    index,
    forward: expected.forward,
    volatility,
    fresh: outlook.fresh && quoted.fresh,
  };
}

/** Of so many lots, signed; each figure to the nearest quantum, half to even. */
export function exposureOf(
  instrument: Instrument,
  { greeks, index }: Pick<Sensitivity, "greeks" | "index">,
  lots: bigint,
): ExposureQuanta {
  const [units, scale] = lotScale(instrument);
  const size = lots * units;
  return {
    delta: divHalfEven(size * greeks.delta * index, scale * WAD),
    gamma: divHalfEven(size * greeks.gamma * index * index, scale * WAD * WAD * 100n),
    vega: divHalfEven(size * greeks.vega, scale * 100n),
    theta: divHalfEven(size * greeks.theta, scale * DAYS_PER_YEAR),
    rho: divHalfEven(size * greeks.rho, scale * 100n),
  };
}

export function plus(a: ExposureQuanta, b: ExposureQuanta): ExposureQuanta {
  return {
    delta: a.delta + b.delta,
    gamma: a.gamma + b.gamma,
    vega: a.vega + b.vega,
    theta: a.theta + b.theta,
    rho: a.rho + b.rho,
  };
}

export function exposureText({ delta, gamma, vega, theta, rho }: ExposureQuanta): Exposure {
  return {
    delta: delta.toString(),
    gamma: gamma.toString(),
    vega: vega.toString(),
    theta: theta.toString(),
    rho: rho.toString(),
  };
}
