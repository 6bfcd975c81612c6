/** The markets that a series' rules name. */
import type { Market, Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { assert } from "../../kit/errors.ts";
import { formatDecimal, parseDecimal } from "../../kit/math/decimal.ts";
import { type Contract, contractOf, PRICE_PLACES } from "../instruments/contract.ts";
import { symbolOf } from "../instruments/symbols.ts";

export const RIGHTS: readonly OptionRight[] = [
  OptionRight.OPTION_RIGHT_CALL,
  OptionRight.OPTION_RIGHT_PUT,
];

/** Whether the series gives this name, at any time: to one of its expiries and strikes. */
export function givesName(series: Series, symbol: string, contract: Contract): boolean {
  const { expiries, strikes } = series;
  const { maturity, option } = contract;
  if (expiries === undefined || maturity === null) return false;
  const since = BigInt(maturity.expiryMs) - expiries.offsetMs;
  if (since < 0n || since % expiries.intervalMs !== 0n) return false;
  if ((strikes === undefined) !== (option === null)) return false;
  const strike = option?.strike ?? 0n;
  const spacing = strikes === undefined ? null : parseDecimal(strikes.spacing, PRICE_PLACES);
  if (spacing !== null && strike % spacing !== 0n) return false;
  const expiryMs = BigInt(maturity.expiryMs);
  return RIGHTS.some((right) => marketOf(series, expiryMs, strike, right).symbol === symbol);
}

/** A market of the series; strike 0 for futures. */
export function marketOf(
  series: Series,
  expiryMs: bigint,
  strike: bigint,
  right: OptionRight,
): Market {
  const { expiries, baseAsset, quoteAsset, feedId, tickSize, lotSize, terms, id } = series;
  assert(expiries !== undefined, `series ${series.name} has no expiries`);
  const { windowMs, closeOnlyMs } = expiries;
  const maturity = { expiryMs, windowMs, closeOnlyMs };
  const given = { maturity, right, strike: formatDecimal(strike, PRICE_PLACES) };
  const { datedFuture, europeanOption, digitalOption, asianOption } = series;
  const instrument = {
    ...(datedFuture === undefined ? {} : { datedFuture: { maturity } }),
    ...(europeanOption === undefined ? {} : { europeanOption: { ...europeanOption, ...given } }),
    ...(digitalOption === undefined ? {} : { digitalOption: { ...digitalOption, ...given } }),
    ...(asianOption === undefined ? {} : { asianOption: { ...asianOption, ...given } }),
  };
  const contract = contractOf(instrument);
  return {
    id: 0,
    symbol: contract === null ? "" : symbolOf(baseAsset, quoteAsset, contract),
    baseAsset,
    quoteAsset,
    feedId,
    tickSize,
    lotSize,
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms,
    listedHeight: 0n,
    activatesMs: 0n,
    closeOnlySinceMs: 0n,
    dueMs: 0n,
    seriesId: id,
    ...instrument,
  };
}
