/** What a market's contract is, read once from its record: kind, end, and for options right and strike. Prices are 1e-18 of the quote. */
import type {
  AsianOption,
  DigitalOption,
  EuropeanOption,
  Market,
  Maturity as WireMaturity,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { parseDecimal } from "../../kit/math/decimal.ts";

export type Kind =
  | "linearPerpetual"
  | "datedFuture"
  | "europeanOption"
  | "digitalOption"
  | "asianOption";

/** Unix milliseconds and milliseconds. */
export interface Maturity {
  readonly expiryMs: number;
  /** The settlement price is the mean over this long before the expiry. */
  readonly windowMs: number;
  readonly closeOnlyMs: number;
}

export interface OptionContract {
  readonly right: "call" | "put";
  readonly strike: bigint;
  /** One of the two; the other is 0. */
  readonly volatilityFeedId: number;
  readonly volatilitySurfaceId: number;
  /** Cash of a digital option; 0 otherwise. */
  readonly payout: bigint;
}

export interface Contract {
  readonly kind: Kind;
  /** Null: it never ends. */
  readonly maturity: Maturity | null;
  readonly option: OptionContract | null;
}

/** Places of settlement money: quanta are 1e-6. */
export const MONEY_PLACES = 6;

/** Places of prices inside this module: 1e-18 of the quote asset. */
export const PRICE_PLACES = 18;

export const PERPETUAL: Contract = { kind: "linearPerpetual", maturity: null, option: null };

/** Null: the record names no contract, or one that cannot be read. */
export function contractOf(
  market: Pick<
    Market,
    "linearPerpetual" | "datedFuture" | "europeanOption" | "digitalOption" | "asianOption"
  >,
): Contract | null {
  if (market.linearPerpetual !== undefined) return PERPETUAL;
  const future = market.datedFuture;
  if (future !== undefined) return dated("datedFuture", future.maturity, null);
  const european = market.europeanOption;
  if (european !== undefined) return optional("europeanOption", european, 0n);
  const asian = market.asianOption;
  if (asian !== undefined) return optional("asianOption", asian, 0n);
  const digital = market.digitalOption;
  if (digital === undefined) return null;
  const payout = parseDecimal(digital.payout, PRICE_PLACES);
  return payout === null || payout <= 0n ? null : optional("digitalOption", digital, payout);
}

function optional(
  kind: Kind,
  terms: EuropeanOption | DigitalOption | AsianOption,
  payout: bigint,
): Contract | null {
  const strike = parseDecimal(terms.strike, PRICE_PLACES);
  const { right, volatilityFeedId, volatilitySurfaceId } = terms;
  const known = right === OptionRight.OPTION_RIGHT_CALL || right === OptionRight.OPTION_RIGHT_PUT;
  if (strike === null || strike <= 0n || !known) return null;
  return dated(kind, terms.maturity, {
    right: right === OptionRight.OPTION_RIGHT_CALL ? "call" : "put",
    strike,
    volatilityFeedId,
    volatilitySurfaceId,
    payout,
  });
}

function dated(
  kind: Kind,
  maturity: WireMaturity | undefined,
  option: OptionContract | null,
): Contract | null {
  if (maturity === undefined) return null;
  const expiryMs = Number(maturity.expiryMs);
  const windowMs = Number(maturity.windowMs);
  const closeOnlyMs = Number(maturity.closeOnlyMs);
  const safe = [expiryMs, windowMs, closeOnlyMs].every(Number.isSafeInteger);
  if (!safe || windowMs > expiryMs || closeOnlyMs > expiryMs) return null;
  return { kind, maturity: { expiryMs, windowMs, closeOnlyMs }, option };
}
