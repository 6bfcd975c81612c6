/** What units of an asset count. Pure but for reading prices; values round down, haircuts up. */
import type { CollateralAsset, CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { ReadContext } from "../../kit/context.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  clamp,
  divCeil,
  divFloor,
  maximum,
  minimum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import { NO_RATES } from "../portfolio/model.ts";
import type { PricesPort } from "../ports.ts";

const NS_PER_MS = 1_000_000n;
const QUANTA_PER_UNIT = 1_000_000n;

/** An asset at present prices; prices 1e-18 settlement units per asset. */
export interface AssetView {
  readonly terms: CollateralTerms;
  /** What accounts' units are valued at; 0 when nothing is known. */
  readonly price: bigint;
  /** What the fund sells at before its discount. */
  readonly marketPrice: bigint;
  /** Shares of the value that count. */
  readonly initialPpm: bigint;
  readonly maintenancePpm: bigint;
  readonly frozen: boolean;
  /** Its price is good and it is not frozen: it can be sold. */
  readonly usable: boolean;
}

interface Quote {
  readonly price: bigint;
  readonly low: bigint;
  readonly fresh: boolean;
}

const UNKNOWN: Quote = { price: 0n, low: 0n, fresh: false };

function wad(mantissa: bigint, exponent: number): bigint {
  const power = exponent + 18;
  return power >= 0 ? mantissa * 10n ** BigInt(power) : divFloor(mantissa, 10n ** BigInt(-power));
}

function quoteOf(ctx: ReadContext, prices: PricesPort, feedId: number): Quote {
  const found = prices.price(ctx, feedId);
  if (found === undefined) return UNKNOWN;
  const { mantissa, exponent, confidence, fresh } = found;
  return {
    price: wad(mantissa, exponent),
    low: wad(maximum(mantissa - confidence, 0n), exponent),
    fresh,
  };
}

/** Last known price of a feed, 1e-18; 0 without one. */
export function knownPrice(ctx: ReadContext, prices: PricesPort, feedId: number): bigint {
  return quoteOf(ctx, prices, feedId).price;
}

/** As far as the attestor's word still counts. */
function attestedQuote(asset: CollateralAsset, expiresNs: bigint, nowNs: bigint): Quote {
  const price = BigInt(asset.attestedPrice);
  return { price, low: price, fresh: price > 0n && nowNs <= expiresNs };
}

/** Share left, ppm, of what has counted for nothing of initial margin since then. */
function fadedPpm(sinceNs: bigint, nowNs: bigint, fadeMs: bigint): bigint {
  const elapsed = nowNs - sinceNs;
  const whole = fadeMs * NS_PER_MS;
  if (elapsed <= 0n) return PPM;
  return elapsed >= whole ? 0n : mulDivDown(whole - elapsed, PPM, whole);
}

export function assetView(
  ctx: ReadContext,
  prices: PricesPort,
  asset: CollateralAsset,
  terms: CollateralTerms,
): AssetView {
  const { timeNs } = ctx.header;
  const { restriction, redemption, depeg, haircut = NO_RATES } = terms;
  const attested = restriction !== undefined && restriction.attestor !== "";
  const expiresNs = asset.attestedNs + (restriction?.attestationMaxAgeMs ?? 0n) * NS_PER_MS;
  let {
    low,
    price: marketPrice,
    fresh,
  } = attested ? attestedQuote(asset, expiresNs, timeNs) : quoteOf(ctx, prices, terms.feedId);
  if (redemption !== undefined) {
    const rate = quoteOf(ctx, prices, redemption.rateFeedId);
    const base =
      redemption.baseFeedId === 0
        ? { price: WAD, low: WAD, fresh: true }
        : quoteOf(ctx, prices, redemption.baseFeedId);
    const redeemed = mulDivDown(rate.low, base.low, WAD);
    low = clamp(low, mulDivDown(redeemed, redemption.floorPpm, PPM), redeemed);
    fresh &&= rate.fresh && base.fresh;
  }
  const frozen = asset.frozenNs > 0n;
  let sharePpm = PPM;
  if (frozen || (attested && !fresh)) {
    const since = frozen ? asset.frozenNs : expiresNs;
    const first = attested ? minimum(since, expiresNs) : since;
    sharePpm = fadedPpm(first, timeNs, restriction?.fadeMs ?? 0n);
  }
  const raised = PPM + depegRise(ctx, prices, depeg);
  const counted = (ppm: bigint): bigint => maximum(PPM - mulDivUp(ppm, raised, PPM), 0n);
  const usable = fresh && !frozen;
  return {
    terms,
    price: low,
    // The floor may be above the market: who bought there would sell the fund the same units again.
    marketPrice: maximum(marketPrice, low),
    initialPpm: usable ? counted(haircut.initialPpm) : 0n,
    maintenancePpm: mulDivDown(counted(haircut.maintenancePpm), sharePpm, PPM),
    frozen,
    usable,
  };
}

/** By how much haircuts are raised, ppm, rounded up. */
function depegRise(ctx: ReadContext, prices: PricesPort, depeg: CollateralTerms["depeg"]): bigint {
  if (depeg === undefined) return 0n;
  const { price } = quoteOf(ctx, prices, depeg.feedId);
  const below = maximum(depeg.thresholdPpm - divFloor(price * PPM, WAD), 0n);
  return price === 0n ? 0n : mulDivUp(below, depeg.factorPpm, PPM);
}

/** Quanta of a value: units × price × share. */
function scaleOf({ decimals }: CollateralTerms): bigint {
  return 10n ** BigInt(decimals) * WAD * PPM;
}

/** Rounded down. */
export function countedQuanta(view: AssetView, units: bigint, sharePpm: bigint): bigint {
  return divFloor(units * view.price * sharePpm * QUANTA_PER_UNIT, scaleOf(view.terms));
}

/** The fewest units that count at least `quanta` for maintenance; null when none do. */
export function unitsFor(view: AssetView, quanta: bigint): bigint | null {
  const each = view.price * view.maintenancePpm * QUANTA_PER_UNIT;
  if (each === 0n) return null;
  return divCeil(quanta * scaleOf(view.terms), each);
}

/** What the fund asks for units of its inventory, rounded up. */
export function saleCost(view: AssetView, units: bigint): bigint {
  const sharePpm = PPM - view.terms.saleDiscountPpm;
  const value = units * view.marketPrice * sharePpm * QUANTA_PER_UNIT;
  return divCeil(value, scaleOf(view.terms));
}
