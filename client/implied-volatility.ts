/**
 * The volatility at which Black-76 gives an option's price, and the price at a volatility. What must be exact is: bounds of arbitrage and the
 * time value are compared and taken in integers; floating point begins with a ratio between 0 and 1.
 */
import { density, timeValueShare } from "./black-76.ts";
import { type Amount, type Decimal, formatUnits, MONEY_PLACES, readDecimal } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";

export interface OptionQuote {
  readonly kind: "call" | "put";
  /** Forward price of the underlying for the option's expiry: decimal. */
  readonly forward: string;
  readonly strike: string;
  /** Value today of 1 at expiry: decimal; default "1". */
  readonly discount?: string;
  /** To expiry; a year has 31,536,000. */
  readonly seconds: number | bigint;
}

export interface PricedOption extends OptionQuote {
  /** Premium of one option: decimal text in units of money, or quanta. */
  readonly price: Amount;
  /**
   * Least time value, as a share of discounted forward or strike, whichever is less, that still says something about volatility; as much is
   * kept from the top. Default 1e-7: a price in quanta says nothing finer about an option on 10 units of money. 0 takes any.
   */
  readonly timeValueFloor?: number;
}

const YEAR_SECONDS = 31_536_000;
/** Places of the answer: more would be noise. */
const VOLATILITY_PLACES = 12;
const FLOOR_DEFAULT = 1e-7;
const STEPS_MAX = 100;

/** An option as integers over one scale: `digits` of money have `places`, those already discounted `paidPlaces`. */
interface Exact {
  readonly forward: bigint;
  readonly strike: bigint;
  readonly discount: bigint;
  readonly paidPlaces: number;
  readonly years: number;
}

function atPlaces({ digits, places }: Decimal, wanted: number): bigint {
  return digits * 10n ** BigInt(wanted - places);
}

function positive(field: string, text: string): Decimal {
  const value = readDecimal(field, text);
  if (value.digits === 0n)
    throw new KeelInputError("invalid-decimal", field, "expected more than zero, got 0");
  return value;
}

function readQuote(quote: OptionQuote, extraPlaces: number): Exact {
  if (quote.kind !== "call" && quote.kind !== "put")
    throw new KeelInputError("invalid-option", "kind", `expected "call" or "put"`);
  const years = Number(quote.seconds) / YEAR_SECONDS;
  if (!(years > 0 && years < Number.POSITIVE_INFINITY))
    throw new KeelInputError(
      "invalid-option",
      "seconds",
      `expected more than zero, got ${quote.seconds}`,
    );
  const forward = positive("forward", quote.forward);
  const strike = positive("strike", quote.strike);
  const discount = positive("discount", quote.discount ?? "1");
  const places = Math.max(forward.places, strike.places, extraPlaces - discount.places);
  return {
    forward: atPlaces(forward, places),
    strike: atPlaces(strike, places),
    discount: discount.digits,
    paidPlaces: places + discount.places,
    years,
  };
}

/** a / b as a float; a ≥ 0, b > 0. Relative error 2^-52 however large or small they are. */
function quotient(a: bigint, b: bigint): number {
  if (a === 0n) return 0;
  const shift = 64 + b.toString(2).length - a.toString(2).length;
  const scaled = shift >= 0 ? (a << BigInt(shift)) / b : a / (b << BigInt(-shift));
  return Number(scaled) * 2 ** -shift;
}

/** |ln(F/K)|. */
function moneyness({ forward, strike }: Exact): number {
  const [high, low] = forward > strike ? [forward, strike] : [strike, forward];
  return Math.log1p(quotient(high - low, low));
}

/** Discounted intrinsic value, and the most the option can be worth; both at `paidPlaces`. */
function boundsOf(kind: "call" | "put", { forward, strike, discount }: Exact): [bigint, bigint] {
  const [received, paid] = kind === "call" ? [forward, strike] : [strike, forward];
  return [received > paid ? discount * (received - paid) : 0n, discount * received];
}

/**
 * Volatility as decimal text with up to 12 places. Relative error below 1e-11 while the time value is above the default floor.
 *
 * Throws KeelInputError: `below-intrinsic` or `above-maximum` for a price no volatility can give (both compared exactly), `ill-conditioned`
 * for one so near either bound that it hardly depends on volatility.
 */
export function impliedVolatility(option: PricedOption): string {
  const price: Decimal =
    typeof option.price === "bigint"
      ? { digits: option.price, places: MONEY_PLACES }
      : readDecimal("price", option.price);
  const exact = readQuote(option, price.places);
  const [intrinsic, most] = boundsOf(option.kind, exact);
  const paid = atPlaces(price, exact.paidPlaces);
  const show = (value: bigint): string => formatUnits(value, exact.paidPlaces);
  if (paid < intrinsic)
    throw new KeelInputError(
      "below-intrinsic",
      "price",
      `expected at least the discounted intrinsic value ${show(intrinsic)}, got ${show(paid)}`,
    );
  if (paid >= most)
    throw new KeelInputError(
      "above-maximum",
      "price",
      `expected less than the discounted ${option.kind === "call" ? "forward" : "strike"} ${show(most)}, got ${show(paid)}`,
    );
  const timeValue = paid - intrinsic;
  const scale = most - intrinsic;
  const share = quotient(timeValue, scale);
  const complement = quotient(scale - timeValue, scale);
  const floor = option.timeValueFloor ?? FLOOR_DEFAULT;
  if (timeValue === 0n || share < floor || complement < floor)
    throw new KeelInputError(
      "ill-conditioned",
      "price",
      `expected a time value between ${floor} and 1 - ${floor} of ${show(scale)}, got ${show(timeValue)}`,
    );
  const s = deviation(moneyness(exact), Math.log(share), complement);
  const volatility = s / Math.sqrt(exact.years);
  return formatUnits(BigInt(Math.round(volatility * 10 ** VOLATILITY_PLACES)), VOLATILITY_PLACES);
}

/**
 * s with c(k, s) = the share given by its logarithm and its complement. Newton inside a bracket, in the coordinates in which the curve is nearly
 * straight: ln c against s^-2 below the inflection √(2k), c against s above it, ln(1 − c) against s beyond a half.
 */
function deviation(k: number, log: number, complement: number): number {
  const inflection = Math.sqrt(2 * k);
  const below = k > 0 && timeValueShare(k, inflection).log > log;
  let low = below ? 0 : inflection;
  let high = below ? inflection : Math.max(1, 2 * inflection);
  if (!below) while (timeValueShare(k, high).complement > complement) high *= 2;
  let s = below || inflection > 0 ? inflection : Math.exp(log) * Math.sqrt(2 * Math.PI);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const at = timeValueShare(k, s);
    const tooHigh = complement < 0.5 ? at.complement < complement : at.log > log;
    if (tooHigh) high = Math.min(high, s);
    else low = Math.max(low, s);
    const next = newton(k, s, at, log, complement, below);
    const guarded = next > low && next < high ? next : (low + high) / 2;
    // Newton's next step would be the square of this one.
    if (Math.abs(guarded - s) <= 1e-12 * s) return guarded;
    s = guarded;
  }
  return s;
}

function newton(
  k: number,
  s: number,
  at: { readonly log: number; readonly complement: number },
  log: number,
  complement: number,
  below: boolean,
): number {
  const slope = density(k / s - s / 2);
  if (below) {
    const logSlope = Math.exp(-((k / s - s / 2) ** 2) / 2 - at.log) / Math.sqrt(2 * Math.PI);
    // ds^-2 = −2 s^-3 ds
    const inverseSquare = s ** -2 + ((at.log - log) / logSlope) * 2 * s ** -3;
    return inverseSquare > 0 ? inverseSquare ** -0.5 : Number.POSITIVE_INFINITY;
  }
  if (complement < 0.5) return s + (Math.log(at.complement / complement) * at.complement) / slope;
  return s + (Math.exp(log) - Math.exp(at.log)) / slope;
}

export interface OptionAtVolatility extends OptionQuote {
  /** Decimal: "0.6" is 60 % per square root of a year. */
  readonly volatility: string;
}

const PRICE_PLACES_MAX = 18;

/** Price of one option as decimal text, by Black-76: 13 significant digits of the time value over the exact intrinsic value, at most 18 places. */
export function optionPrice(option: OptionAtVolatility): string {
  const volatility = positive("volatility", option.volatility);
  const exact = readQuote(option, 0);
  const [intrinsic, most] = boundsOf(option.kind, exact);
  const sigma = quotient(volatility.digits, 10n ** BigInt(volatility.places));
  const { log } = timeValueShare(moneyness(exact), sigma * Math.sqrt(exact.years));
  // The share as an integer of 53 bits, so that the rest is exact again.
  const bits = Math.min(900, 52 - Math.floor(log / Math.LN2));
  const share = BigInt(Math.round(Math.exp(log) * 2 ** bits));
  const unit = 1n << BigInt(bits);
  const total = intrinsic * unit + share * (most - intrinsic);
  const drop = 10n ** BigInt(Math.max(0, exact.paidPlaces - PRICE_PLACES_MAX)) * unit;
  const lift = 10n ** BigInt(Math.max(0, PRICE_PLACES_MAX - exact.paidPlaces));
  return formatUnits((total * lift * 2n + drop) / (2n * drop), PRICE_PLACES_MAX);
}
