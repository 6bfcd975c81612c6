/**
 * Listing by anyone against a bond. The proposer chooses feed, steps and contract; the chain names the market after the feed, so that nobody lists a
 * second thing under a known name, or a thing of its own under one that a series gives, and gives it the terms that the authority set for such markets, a perpetual the usual funding. The feed must meet a rule of quality at
 * that moment. For a notice time the market is only proposed, which is when the authority refuses it at the least cost.
 */
import type { Market, Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { defaultFunding } from "../defaults.ts";
import { refuse } from "../errors.ts";
import { type Contract, contractOf } from "../instruments/contract.ts";
import { instrumentParams } from "../instruments/params.ts";
import { symbolOf } from "../instruments/symbols.ts";
import { instrumentOf } from "../instruments.ts";
import { isNamed } from "../marking/mark.ts";
import { markOf } from "../marks.ts";
import { nowMs, type Venue } from "../venue.ts";
import { lockBond } from "./bonds.ts";
import { listMarket } from "./markets.ts";
import { givesName } from "./series-markets.ts";

const FEED_SYMBOL = /^([A-Z0-9.]{1,16})-([A-Z0-9.]{1,16})$/;
const MINUTE_MS = 60_000;
/** One lot may not be worth more than this: a market in lots of a thousand units keeps small traders out. */
const LOT_VALUE_MAX = 1_000_000_000n;
/**
 * Ticks in the price of the underlying, at least. A mark is in whole ticks: where one is a large part of the price, a small move of the index is a large one of
 * the mark, or the settlement lies far from it, and who holds both sides leaves what the loser has no margin for to the insurance fund.
 */
const TICKS_LEAST = 1_000n;

export function listByAnyone(
  ctx: WriteContext,
  venue: Venue,
  sender: string,
  wanted: Market,
): Market {
  const { openListing } = instrumentParams(ctx, venue);
  if (openListing === undefined) throw refuse("listingClosed", "only the authority lists markets");
  if (venue.state.bonds.size(ctx) >= openListing.bondsMax) {
    throw refuse("listingClosed", `expected at most ${openListing.bondsMax} bonds`);
  }
  const contract = contractOf(wanted);
  if (contract === null) {
    throw refuse("invalidTerms", "expected an instrument with its maturity, right and strike");
  }
  const { baseAsset, quoteAsset } = requireQuality(ctx, venue, wanted.feedId, openListing);
  if (contract.option !== null && contract.option.volatilityFeedId !== 0) {
    requireQuality(ctx, venue, contract.option.volatilityFeedId, openListing, false);
    requireKnownVolatility(ctx, venue, wanted.feedId, contract.option.volatilityFeedId);
  }
  const now = nowMs(ctx);
  const activatesMs = BigInt(now) + openListing.noticeMs;
  if (contract.maturity !== null) {
    const { closeOnlyMs, expiryMs, windowMs } = contract.maturity;
    const latest = now + Number(openListing.timeToExpiryMaxMs);
    // Its name says no more: another second would take the name, and the place in a series, of a contract that is another.
    if (expiryMs % MINUTE_MS !== 0) {
      throw refuse("invalidTerms", `expected an expiry at a whole minute, got ${expiryMs} ms`);
    }
    if (BigInt(expiryMs - windowMs) <= activatesMs || expiryMs > latest) {
      throw refuse(
        "invalidTerms",
        `expected a settlement window after ${activatesMs} and an expiry up to ${latest}`,
      );
    }
    requireOpenTime(closeOnlyMs, BigInt(expiryMs) - activatesMs);
  }
  const symbol = symbolOf(baseAsset, quoteAsset, contract);
  requireFreeName(ctx, venue, symbol, contract);
  const terms = contract.option === null ? openListing.linearTerms : openListing.optionTerms;
  const market = listMarket(ctx, venue, {
    ...wanted,
    symbol,
    baseAsset,
    quoteAsset,
    status: MarketStatus.MARKET_STATUS_PROPOSED,
    terms,
    linearPerpetual: wanted.linearPerpetual === undefined ? undefined : defaultFunding(),
    activatesMs,
    seriesId: 0,
  });
  requireModestSteps(ctx, venue, market);
  lockBond(ctx, venue, market, {
    owner: sender,
    denom: openListing.bondDenom,
    amount: BigInt(openListing.bondAmount),
    returnsMs: activatesMs + openListing.standingMs,
  });
  return market;
}

/** Else a bond would hold a name for a market in which nobody can open a position. */
function requireOpenTime(closeOnlyMs: number, lifeMs: bigint): void {
  if (2n * BigInt(closeOnlyMs) > lifeMs) {
    throw refuse(
      "invalidTerms",
      `expected it close-only for at most half of its ${lifeMs} ms, got ${closeOnlyMs} ms`,
    );
  }
}

/** A name says nothing of window, tick and lot: under a series' it would stand where the series' own market belongs. */
function requireFreeName(
  ctx: ReadContext,
  { state }: Venue,
  symbol: string,
  contract: Contract,
): void {
  state.series.each(ctx, (_id, { series }) => {
    if (series !== undefined && givesName(series, symbol, contract)) {
      throw refuse("marketExists", `${symbol} is a market of series ${series.name}`);
    }
  });
}

/** The feed is fresh, enough power stands behind its last price and the validators agree on it closely enough. */
function requireQuality(
  ctx: ReadContext,
  venue: Venue,
  feedId: number,
  rule: { readonly reportingPowerMinPpm: bigint; readonly confidenceMaxPpm: bigint },
  names = true,
): { readonly baseAsset: string; readonly quoteAsset: string } {
  const price = venue.oracle.price(ctx, feedId);
  const [, baseAsset = "", quoteAsset = ""] =
    FEED_SYMBOL.exec(venue.oracle.feed(ctx, feedId)?.symbol ?? "") ?? [];
  if (price === undefined || (names && baseAsset === "")) {
    throw refuse("feedQuality", `feed ${feedId} has no price or does not name a pair like BTC-USD`);
  }
  if (!price.fresh) throw refuse("feedQuality", `the price of feed ${feedId} is stale`);
  if (price.reportingPowerPpm < rule.reportingPowerMinPpm) {
    throw refuse(
      "feedQuality",
      `expected ${rule.reportingPowerMinPpm} ppm of power behind feed ${feedId}, got ${price.reportingPowerPpm}`,
    );
  }
  if (price.confidence * PPM > price.mantissa * rule.confidenceMaxPpm) {
    throw refuse(
      "feedQuality",
      `expected a confidence within ${rule.confidenceMaxPpm} ppm of feed ${feedId}`,
    );
  }
  return { baseAsset, quoteAsset };
}

/**
 * Any feed could be named as the volatility of any index, and an option marked by it. The authority's first option or series on an index says which is;
 * everybody's name the same.
 */
function requireKnownVolatility(
  ctx: ReadContext,
  { state }: Venue,
  feedId: number,
  volatilityFeedId: number,
): void {
  let known = false;
  const look = (listed: Market | Series): boolean => {
    const { asianOption, digitalOption, europeanOption } = listed;
    known ||=
      listed.feedId === feedId &&
      [asianOption, digitalOption, europeanOption].some(
        (option) => option?.volatilityFeedId === volatilityFeedId,
      );
    return known;
  };
  state.series.each(ctx, (_id, { series }) => series !== undefined && look(series));
  if (!known) state.markets.each(ctx, (_id, market) => look(market));
  if (known) return;
  throw refuse(
    "feedQuality",
    `no option on feed ${feedId} that the authority listed has its volatility from feed ${volatilityFeedId}`,
  );
}

function requireModestSteps(ctx: ReadContext, venue: Venue, market: Market): void {
  const instrument = instrumentOf(market);
  const mark = markOf(ctx, venue, instrument);
  if (mark !== undefined && !isNamed(mark, instrument.quantaPerTickLot)) {
    throw refuse("invalidTerms", "expected a price of 1 to 2,147,483,647 ticks");
  }
  if (mark === undefined || mark.notionalPerLot > LOT_VALUE_MAX) {
    throw refuse("invalidTerms", `expected a lot worth at most ${LOT_VALUE_MAX} quanta`);
  }
  if (mark.notionalPerLot < TICKS_LEAST * instrument.quantaPerTickLot) {
    throw refuse(
      "invalidTerms",
      `expected a tick of at most one part in ${TICKS_LEAST} of the underlying's price`,
    );
  }
}
