/** The markets' own work in a block, each market by itself: a fault in one reverts that market's step and quarantines it. */
import type { WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { collects, trades, watchInterruption } from "./auction/opening.ts";
import { byLists, someGiveRounds } from "./auction/rounds.ts";
import { auctionStep, roundStep } from "./auction/step.ts";
import type { Book } from "./book/book.ts";
import { depthOf } from "./book/depth.ts";
import { containMarket } from "./contain-market.ts";
import * as events from "./events.ts";
import {
  advanceFunding,
  clampBound,
  explainFunding,
  type FundingTerms,
  impactPrice,
  premiumPpm,
} from "./funding.ts";
import { type Instrument, instrumentOf } from "./instruments.ts";
import { FUNDING_HISTORY_MAX } from "./limits.ts";
import { returnBonds } from "./listing/bonds.ts";
import { advanceMarkets } from "./listing/life-cycle.ts";
import { quarantineMarket } from "./listing/markets.ts";
import { listSeries } from "./listing/series.ts";
import { sampleMark } from "./marking/sampling.ts";
import { indexMarkOf } from "./marks.ts";
import { marketsWith } from "./occupied.ts";
import type { MarketId, Side } from "./ports.ts";
import { advanceSettlementPrices } from "./settlement/prices.ts";
import { cancelExpired } from "./settlement/settling.ts";
import { instrumentById, type Venue } from "./venue.ts";
import { fireDeadMen } from "./waiting/dead-man.ts";
import { endIdle } from "./waiting/reducing.ts";
import { runTriggers } from "./waiting/triggers.ts";

type Step = (ctx: WriteContext, venue: Venue, instrument: Instrument) => void;

function eachOf(ctx: WriteContext, venue: Venue, ids: readonly MarketId[], step: Step): void {
  for (const id of ids) {
    const instrument = instrumentById(ctx, venue, id);
    assert(instrument !== undefined, `market ${id} has work but no record`);
    if (instrument.status === "quarantined") continue;
    containMarket(ctx, venue, instrument.id, (inner) => step(inner, venue, instrument));
  }
}

/** Only what has funding works in every block. */
function perpetuals(ctx: WriteContext, venue: Venue): MarketId[] {
  const ids: MarketId[] = [];
  venue.state.funding.each(ctx, (id) => void ids.push(id));
  return ids;
}

/** Markets that may have to open or hold an auction, beside the perpetuals: with a record, or with orders under auction terms. */
function auctioning(ctx: WriteContext, venue: Venue): MarketId[] {
  const { state } = venue;
  const ids: MarketId[] = [];
  state.auctions.each(ctx, (id) => void ids.push(id));
  const batch = marketsWith(ctx, state.orders).filter(
    (id) => instrumentById(ctx, venue, id)?.terms.auction !== undefined,
  );
  return [
    ...ids,
    ...batch,
    ...marketsWith(ctx, state.collected),
    ...marketsWith(ctx, state.collectedCancels),
  ];
}

/** With orders that wait, or that end at a time or height. */
function timed(ctx: WriteContext, { state }: Venue): MarketId[] {
  return [state.expiries, state.heightExpiries, state.waiting].flatMap((queue) =>
    marketsWith(ctx, queue),
  );
}

function ascending(...lists: readonly (readonly MarketId[])[]): MarketId[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** Settlement prices, steps in the lives of markets, new listings of series, and funding for the time since the last block. */
export function beginBlock(ctx: WriteContext, venue: Venue): void {
  const quarantine = (id: MarketId, reason: string): void =>
    quarantineMarket(ctx, venue, id, reason);
  advanceSettlementPrices(ctx, venue);
  advanceMarkets(ctx, venue, quarantine);
  returnBonds(ctx, venue);
  listSeries(ctx, venue);
  const funded = perpetuals(ctx, venue);
  const watched: MarketId[] = [];
  venue.state.auctions.each(ctx, (id) => void watched.push(id));
  eachOf(ctx, venue, ascending(funded, watched), watchInterruption);
  eachOf(ctx, venue, funded, accrueFunding);
  eachOf(ctx, venue, funded, sampleMark);
}

/** Dead men; then in each market with work what waits and is due, expiries, auctions, the block's premium, the market's own invariant, and the orders of expired markets. */
export function endBlock(ctx: WriteContext, venue: Venue): void {
  fireDeadMen(ctx, venue);
  const busy = ascending(perpetuals(ctx, venue), timed(ctx, venue), auctioning(ctx, venue));
  eachOf(ctx, venue, busy, closeBlock);
  cancelExpired(ctx, venue, (id, reason) => quarantineMarket(ctx, venue, id, reason));
}

/** The round of the context's block, in markets that give rounds. */
export function endRound(ctx: WriteContext, venue: Venue): void {
  if (!someGiveRounds(ctx, venue)) return;
  const { height } = ctx.header;
  const ids = ascending(timed(ctx, venue), auctioning(ctx, venue)).filter((id) => {
    const record = venue.state.markets.get(ctx, id);
    return record !== undefined && byLists(instrumentOf(record));
  });
  eachOf(ctx, venue, ids, (inner, _venue, instrument) =>
    roundStep(inner, venue, instrument, height),
  );
}

export function fundingTerms(
  instrument: Instrument,
  stepMaxMs: bigint,
): FundingTerms & { readonly premiumClampPpm: bigint; readonly impactNotional: bigint } {
  const perpetual = instrument.market.linearPerpetual;
  const tier = instrument.tiers[0];
  assert(perpetual !== undefined && tier !== undefined, `${instrument.symbol} has no funding`);
  return {
    interestPpm: perpetual.interestRate8hPpm,
    rateClampPpm: clampBound(perpetual.rateClampPpm, tier),
    premiumClampPpm: clampBound(perpetual.premiumClampPpm, tier),
    impactNotional: perpetual.impactNotional,
    stepMaxMs,
  };
}

function accrueFunding(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const { state } = venue;
  const funding = state.funding.get(ctx, instrument.id);
  assert(funding !== undefined, `${instrument.symbol} has no funding record`);
  const mark = indexMarkOf(ctx, venue, instrument);
  const accrues = trades(instrument) && mark?.fresh === true;
  const lotValue = accrues ? mark.ticks * instrument.quantaPerTickLot : 0n;
  const terms = fundingTerms(instrument, state.params.require(ctx).fundingStepMaxMs);
  const next = advanceFunding(funding, ctx.header.timeNs, lotValue, terms);
  if (next === funding) return;
  state.funding.set(ctx, instrument.id, next);
  if (next.hour === funding.hour) return;
  const points = state.fundingHistory.get(ctx, instrument.id)?.points ?? [];
  const point = { hourS: next.hour * 3600n, rate8hPpm: next.rate8hPpm, index: next.index };
  const kept = [...points, point].slice(-FUNDING_HISTORY_MAX);
  state.fundingHistory.set(ctx, instrument.id, { points: kept });
  events.fundingRate(ctx, instrument.symbol, next, () => explainFunding(funding, next, terms));
}

function closeBlock(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  runTriggers(ctx, venue, instrument);
  endIdle(ctx, venue, instrument);
  auctionStep(ctx, venue, instrument);
  const book = venue.books.of(ctx, instrument.id);
  const bid = book.bestTicks("buy");
  const ask = book.bestTicks("sell");
  const crossed = bid !== 0 && ask !== 0 && bid >= ask;
  // A crossed book has no price: the last reading stands until it is cleared.
  const funded = instrument.market.linearPerpetual !== undefined;
  if (!crossed && funded) readPremium(ctx, venue, instrument, book);
  assert(!crossed || collects(ctx, venue, instrument), `book crossed: bid ${bid}, ask ${ask}`);
}

function readPremium(ctx: WriteContext, venue: Venue, instrument: Instrument, book: Book): void {
  const { state } = venue;
  const funding = state.funding.get(ctx, instrument.id);
  assert(funding !== undefined, `${instrument.symbol} has no funding record`);
  const mark = indexMarkOf(ctx, venue, instrument);
  let premium = 0n;
  if (trades(instrument) && mark?.fresh === true) {
    const terms = fundingTerms(instrument, 0n);
    const impact = (side: Side) =>
      impactPrice(depthOf(book, side), terms.impactNotional, instrument.quantaPerTickLot);
    premium = premiumPpm(mark.ticks, impact("buy"), impact("sell"), terms.premiumClampPpm);
  }
  if (premium !== funding.premiumPpm) {
    state.funding.set(ctx, instrument.id, { ...funding, premiumPpm: premium });
  }
}
