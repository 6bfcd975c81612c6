/**
 * What a margin model prices a market by. Everything it is made of goes in steps: the index to eleven binary digits (within 0.05 %), volatility
 * to half a point, the forward's basis to 0.05 %, time to the minute, ten minutes or the hour. So it is the same in block after block, and what a model makes of it is
 * computed when a step is taken and not for every price; all of it a function of state and block time.
 */
import type { ReadContext } from "../../kit/context.ts";
import { divCeil, divHalfEven, PPM } from "../../kit/math/mul-div.ts";
import { bitLength } from "../../kit/math/square-root.ts";
import type { Instrument } from "../instruments.ts";
import type { OraclePrice } from "../ports.ts";
import { endOf } from "../settlement/ended.ts";
import { outlookOf, toPrice } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import type { MarkInputs } from "./contract-kind.ts";
import { lotScale } from "./lot-value.ts";
import { SPOT_MAX } from "./option-pricing.ts";
import { scenarioPricer } from "./scenario-price.ts";
import { volatilityOf, withBasis } from "./volatility.ts";

const DIGITS = 11;
const VOLATILITY_STEP = 5n * 10n ** 15n;
const BASIS_STEP_PPM = 500n;
const WIDTH_STEP_PPM = 500n;
const MINUTE_MS = 60_000n;
const HOUR_MS = 60n * MINUTE_MS;
const DAY_MS = 24n * HOUR_MS;

export interface MarketRisk {
  readonly underlying: {
    readonly name: string;
    /** 1e-18. */
    readonly price: bigint;
    /** 0: no market says; what the model assumes counts. */
    readonly volatility: bigint;
    readonly oracleWidthPpm: bigint;
  };
  readonly instrument: {
    readonly kind: "perpetual" | "future" | "option";
    readonly expiry: string;
    readonly remainingMs: bigint;
    readonly strike: bigint;
    readonly forward: bigint;
    readonly volatility: bigint;
    readonly price: (movePpm: bigint, volatility: bigint) => bigint;
    readonly units: bigint;
    readonly scale: bigint;
    readonly fundingPpmPerHour: bigint;
  };
}

/** To the nearest number of so many binary digits, half to even. */
function stepped(value: bigint): bigint {
  const drop = bitLength(value) - DIGITS;
  if (drop <= 0) return value;
  const unit = 1n << BigInt(drop);
  return divHalfEven(value, unit) * unit;
}

function timeStepped(ms: bigint): bigint {
  const step = ms > 7n * DAY_MS ? HOUR_MS : ms > DAY_MS ? 10n * MINUTE_MS : MINUTE_MS;
  return divCeil(ms, step) * step;
}

/** Half-width of the confidence as a share of the price, in steps, rounded up. */
function widthOf({ mantissa, confidence }: OraclePrice): bigint {
  if (mantissa <= 0n) return 0n;
  return divCeil(confidence * PPM, mantissa * WIDTH_STEP_PPM) * WIDTH_STEP_PPM;
}

const last = new WeakMap<Instrument, { readonly key: string; readonly risk: MarketRisk }>();

/** undefined without a price, and once the settlement price is known or the market was ended. */
export function marketRisk(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): MarketRisk | undefined {
  const { contract } = instrument;
  const { feedId } = instrument.market;
  if (endOf(ctx, venue, instrument) !== undefined) return undefined;
  const quoted = venue.oracle.price(ctx, feedId);
  if (quoted === undefined || quoted.mantissa <= 0n) return undefined;
  const found = inputsOf(ctx, venue, instrument, quoted);
  if (found === undefined) return undefined;
  const { inputs, index, volatility } = found;
  const funding = venue.state.funding.get(ctx, instrument.id)?.rate8hPpm ?? 0n;
  const fundingPpmPerHour = divHalfEven(funding, 8n);
  const oracleWidthPpm = widthOf(quoted);
  const name = venue.oracle.feed(ctx, feedId)?.symbol ?? `feed-${feedId}`;
  const { spot, forward, averagedMs, mean, remainingMs } = inputs;
  const parts = [
    index,
    spot,
    forward,
    averagedMs,
    mean,
    remainingMs,
    volatility,
    fundingPpmPerHour,
  ];
  const key = [...parts, oracleWidthPpm, name].join("/");
  const known = last.get(instrument);
  if (known?.key === key) return known.risk;
  const [units, scale] = lotScale(instrument);
  const { option, maturity } = contract;
  const risk: MarketRisk = {
    underlying: {
      name,
      price: index,
      volatility: 0n,
      oracleWidthPpm,
    },
    instrument: {
      kind: option !== null ? "option" : maturity === null ? "perpetual" : "future",
      expiry: maturity === null ? "" : `${maturity.expiryMs}`,
      remainingMs,
      strike: option?.strike ?? 0n,
      forward,
      volatility,
      price: scenarioPricer(contract, inputs),
      units,
      scale,
      fundingPpmPerHour,
    },
  };
  last.set(instrument, { key, risk });
  return risk;
}

function inputsOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  price: OraclePrice,
):
  | { readonly inputs: MarkInputs; readonly index: bigint; readonly volatility: bigint }
  | undefined {
  const { option } = instrument.contract;
  const key = instrument.settlementKey;
  const index = stepped(toPrice(price.mantissa, price.exponent));
  if (key === null) {
    const none = { averagedMs: 0n, mean: 0n, remainingMs: 0n, volatility: 0n };
    return { inputs: { spot: index, forward: index, ...none }, index, volatility: 0n };
  }
  const outlook = outlookOf(ctx, venue, key);
  if (outlook === undefined || outlook.final) return undefined;
  const quoted = option === null ? null : volatilityOf(ctx, venue, instrument, index);
  if (quoted === undefined) return undefined;
  const { averagedMs, mean } = outlook;
  const tooHigh = index > SPOT_MAX || mean > SPOT_MAX;
  // Formulas do not take it.
  if (quoted !== null && (tooHigh || !quoted.priceable)) return undefined;
  const opened = averagedMs > 0n;
  const basis = divHalfEven(quoted?.basisPpm ?? 0n, BASIS_STEP_PPM) * BASIS_STEP_PPM;
  // Inside the settlement window the part gone by is fixed, and every block fixes more of it.
  const { spot, forward } = withBasis(
    { ...outlook, spot: index, forward: opened ? outlook.forward : index },
    basis,
  );
  const remainingMs = opened ? outlook.remainingMs : timeStepped(outlook.remainingMs);
  const steps = divHalfEven(quoted?.volatility ?? 0n, VOLATILITY_STEP);
  return {
    inputs: { spot, forward, averagedMs, mean, remainingMs, volatility: 0n },
    index,
    volatility: steps * VOLATILITY_STEP,
  };
}
