/** The markets that a series' rules name. */
import type { Market, Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { assert } from "../../kit/errors.ts";
import { formatDecimal } from "../../kit/math/decimal.ts";
import { contractOf, PRICE_PLACES } from "../instruments/contract.ts";
import { symbolOf } from "../instruments/symbols.ts";

export const RIGHTS: readonly OptionRight[] = [
  OptionRight.OPTION_RIGHT_CALL,
  OptionRight.OPTION_RIGHT_PUT,
];

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
