/** The mark price: of a perpetual the index in ticks, or a bounded median around it; of a dated contract its valuation; and the bands around it. */

import type { MarkBasis } from "@keel/proto/gen/keel/derivatives/v1/marks";
import type { ReadContext } from "../kit/context.ts";
import { divHalfEven, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { readOr } from "../kit/read-or.ts";
import { datedMark, endedMark, plainDatedMark } from "./instruments/valuation.ts";
import { type Instrument, notionalOf } from "./instruments.ts";
import { TICKS_MAX, TICKS_TO_OPEN_MIN } from "./limits.ts";
import { isOrderable, linearMark } from "./marking/linear.ts";
import { isNamed, type Mark } from "./marking/mark.ts";
import { type MarkParts, markParts } from "./marking/median.ts";
import type { OraclePrice, Side } from "./ports.ts";
import type { Venue } from "./venue.ts";

/**
 * undefined before the first price (or volatility), and never after: whoever holds lots is judged by something. Where that is nothing to trade at, it is not fresh.
 * Throws when it cannot be computed, which is a bug; whoever reads all markets then quarantines this one, and that gives it one with nothing to compute.
 */
export function markOf(ctx: ReadContext, venue: Venue, instrument: Instrument): Mark | undefined {
  if (instrument.status !== "quarantined") return computedMark(ctx, venue, instrument);
  return readOr(
    () => computedMark(ctx, venue, instrument),
    () => plainMark(ctx, venue, instrument),
  );
}

function computedMark(ctx: ReadContext, venue: Venue, instrument: Instrument): Mark | undefined {
  const ended = endedMark(ctx, venue, instrument);
  if (ended !== undefined) return ended;
  if (instrument.contract.maturity !== null) return datedMark(ctx, venue, instrument);
  const index = indexMarkOf(ctx, venue, instrument);
  if (index === undefined || instrument.terms.mark === undefined) return index;
  return medianMark(ctx, venue, instrument, index);
}

/** Without books and models: the index, or what the contract would pay at the price expected now. */
function plainMark(ctx: ReadContext, venue: Venue, instrument: Instrument): Mark | undefined {
  if (instrument.contract.maturity !== null) return plainDatedMark(ctx, venue, instrument);
  const index = indexMarkOf(ctx, venue, instrument);
  return index === undefined ? undefined : { ...index, fresh: false };
}

/** A perpetual at its index, whatever it is marked at: what funding compares its book with. Of a dated contract the index of its underlying. */
export function indexMarkOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Mark | undefined {
  const price = venue.oracle.price(ctx, instrument.market.feedId);
  return price === undefined ? undefined : indexMark(price, instrument);
}

/** What no order of the market has a part in: of a perpetual that trades its index, of all others the mark. */
export function booklessMarkOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Mark | undefined {
  const mark = markOf(ctx, venue, instrument);
  if (mark === undefined || instrument.terms.mark === undefined) return mark;
  return endedMark(ctx, venue, instrument) ?? indexMarkOf(ctx, venue, instrument);
}

/** What the median is made of; undefined: the market is marked at its index, or nothing was read of its book yet. */
export function markPartsOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): { readonly parts: MarkParts; readonly external: boolean } | undefined {
  const index = indexMarkOf(ctx, venue, instrument);
  const terms = instrument.terms.mark;
  const basis = venue.state.markBasis.get(ctx, instrument.id);
  if (index === undefined || terms === undefined || basis === undefined) return undefined;
  if (!isNamed(index, instrument.quantaPerTickLot)) return undefined;
  const external = externalTicks(ctx, venue, instrument);
  const sigmaPpm = venue.oracle.price(ctx, instrument.market.feedId)?.sigmaPpm ?? 0n;
  const parts = markParts(index.ticks, basis, terms, { sigmaPpm, external });
  return { parts, external: external !== null };
}

/** What perpetuals elsewhere trade at; null without a feed for it, or a fresh price. */
function externalTicks(ctx: ReadContext, venue: Venue, instrument: Instrument): bigint | null {
  const feedId = instrument.terms.mark?.externalFeedId ?? 0;
  const price = feedId === 0 ? undefined : venue.oracle.price(ctx, feedId);
  if (price?.fresh !== true) return null;
  const ticks = toTicks(price.mantissa, price.exponent, instrument);
  return isOrderable(ticks) ? ticks : null;
}

interface KnownMedian {
  readonly index: Mark;
  readonly basis: MarkBasis;
  readonly sigmaPpm: bigint;
  readonly external: bigint | null;
  readonly mark: Mark;
}

const medians = new WeakMap<Instrument, KnownMedian>();

function medianMark(ctx: ReadContext, venue: Venue, instrument: Instrument, index: Mark): Mark {
  const terms = instrument.terms.mark;
  const basis = venue.state.markBasis.get(ctx, instrument.id);
  // Beyond what orders can name none of them says anything.
  const said = isNamed(index, instrument.quantaPerTickLot);
  if (terms === undefined || basis === undefined || !said) return index;
  const sigmaPpm = venue.oracle.price(ctx, instrument.market.feedId)?.sigmaPpm ?? 0n;
  const external = externalTicks(ctx, venue, instrument);
  const known = medians.get(instrument);
  if (
    known?.index === index &&
    known.basis === basis &&
    known.sigmaPpm === sigmaPpm &&
    known.external === external
  ) {
    return known.mark;
  }
  const ticks = minimum(
    markParts(index.ticks, basis, terms, { sigmaPpm, external }).mark,
    BigInt(TICKS_MAX),
  );
  const quantaPerLot = ticks * instrument.quantaPerTickLot;
  const mark = { ...index, ticks, quantaPerLot, notionalPerLot: quantaPerLot };
  medians.set(instrument, { index, basis, sigmaPpm, external, mark });
  return mark;
}

// The same price is asked for by every order and health check of a block.
const last = new WeakMap<Instrument, { price: OraclePrice; mark: Mark }>();

/** The oracle's price as it is. */
function indexMark(price: OraclePrice, instrument: Instrument): Mark {
  const { mantissa, exponent, fresh, stage } = price;
  const known = last.get(instrument);
  if (
    known !== undefined &&
    known.price.mantissa === mantissa &&
    known.price.exponent === exponent &&
    known.price.fresh === fresh &&
    known.price.stage === stage
  ) {
    return known.mark;
  }
  const ticks = toTicks(mantissa, exponent, instrument);
  const mark = linearMark(ticks, instrument.quantaPerTickLot, { fresh, stage });
  last.set(instrument, { price, mark });
  return mark;
}

/** mantissa × 10^exponent in ticks, half to even. */
function toTicks(mantissa: bigint, exponent: number, { tick }: Instrument): bigint {
  const power = exponent + tick.places;
  if (power >= 0) return divHalfEven(mantissa * 10n ** BigInt(power), tick.units);
  return divHalfEven(mantissa, tick.units * 10n ** BigInt(-power));
}

/** A coin has fallen so far that one tick is a large part of its price: nothing is opened any more. */
export function isCoarse({ quantaPerTickLot }: Instrument, { notionalPerLot }: Mark): boolean {
  return notionalPerLot < TICKS_TO_OPEN_MIN * quantaPerTickLot;
}

/**
 * The worst price at which an order of `side` may execute: mark ± band × notional in ticks, never outside a valid price. An option is
 * worth little of its underlying, so its band is wide beside its price: a sale then stops at one tick.
 */
export function bandLimit(
  instrument: Instrument,
  mark: Mark,
  side: Side,
  bandPpm: bigint = instrument.terms.priceBandPpm,
): number {
  const width = mulDivDown(mark.notionalPerLot, bandPpm, PPM * instrument.quantaPerTickLot);
  if (side === "buy") {
    const limit = mark.ticks + width;
    return limit > BigInt(TICKS_MAX) ? TICKS_MAX : Number(limit);
  }
  const limit = mark.ticks - width;
  return limit < 1n ? 1 : Number(limit);
}

/** What an order's size is worth: at its price, or for an option in the underlying. */
export function sizeNotional(
  instrument: Instrument,
  mark: Mark,
  ticks: number,
  lots: number,
): bigint {
  return mark.losses === null
    ? notionalOf(instrument, ticks, lots)
    : mark.notionalPerLot * BigInt(lots);
}
