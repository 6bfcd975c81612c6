/** The markets' own work in a block, each market by itself: a fault in one reverts that market's step and quarantines it. */
import type { WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { auctionStep } from "./auction-step.ts";
import type { Book } from "./book.ts";
import { expireOrders } from "./cancelling.ts";
import { containMarket } from "./contained.ts";
import { fireDeadMen } from "./dead-man.ts";
import * as events from "./events.ts";
import {
  advanceFunding,
  clampBound,
  type Depth,
  type FundingTerms,
  impactPrice,
  premiumPpm,
} from "./funding.ts";
import { type Instrument, instrumentOf } from "./instruments.ts";
import { FUNDING_HISTORY_MAX } from "./limits.ts";
import { markOf } from "./marks.ts";
import { collects, trades, watchInterruption } from "./opening.ts";
import type { Side } from "./ports.ts";
import { runTriggers } from "./triggers.ts";
import type { Venue } from "./venue.ts";

type Step = (ctx: WriteContext, venue: Venue, instrument: Instrument) => void;

function eachMarket(ctx: WriteContext, venue: Venue, step: Step): void {
  const instruments: Instrument[] = [];
  venue.state.markets.each(ctx, (_id, market) => void instruments.push(instrumentOf(market)));
  for (const instrument of instruments) {
    if (instrument.status === "quarantined") continue;
    containMarket(ctx, venue, instrument.id, (inner) => step(inner, venue, instrument));
  }
}

/** Funding for the time since the last block, at the rate in force and the new price. */
export function beginBlock(ctx: WriteContext, venue: Venue): void {
  eachMarket(ctx, venue, watchInterruption);
  eachMarket(ctx, venue, accrueFunding);
}

/** Dead men; then in each market what waits and is due, expiries, the block's premium, and the market's own invariant. */
export function endBlock(ctx: WriteContext, venue: Venue): void {
  fireDeadMen(ctx, venue);
  eachMarket(ctx, venue, closeBlock);
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
  const mark = markOf(ctx, venue.oracle, instrument);
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
  events.fundingRate(ctx, instrument.symbol, next.rate8hPpm, next.index);
}

function closeBlock(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  runTriggers(ctx, venue, instrument);
  expireOrders(ctx, venue, instrument);
  auctionStep(ctx, venue, instrument);
  const book = venue.books.of(ctx, instrument.id);
  const bid = book.bestTicks("buy");
  const ask = book.bestTicks("sell");
  const crossed = bid !== 0 && ask !== 0 && bid >= ask;
  // A crossed book has no price: the last reading stands until it is cleared.
  if (!crossed) readPremium(ctx, venue, instrument, book);
  assert(!crossed || collects(ctx, venue, instrument), `book crossed: bid ${bid}, ask ${ask}`);
}

function readPremium(ctx: WriteContext, venue: Venue, instrument: Instrument, book: Book): void {
  const { state } = venue;
  const funding = state.funding.get(ctx, instrument.id);
  assert(funding !== undefined, `${instrument.symbol} has no funding record`);
  const mark = markOf(ctx, venue.oracle, instrument);
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

function depthOf(book: Book, side: Side): Depth {
  return (visit) =>
    book.each(side, (slot) => {
      const { ticks, lots } = book.read(slot);
      return visit(ticks, lots);
    });
}
