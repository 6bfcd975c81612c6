/**
 * When a market collects orders instead of matching them at once: always, where its terms say batch auction; for a stated time after a halt or an
 * interruption otherwise. What it collected opens it, in one auction at the end of a block.
 */
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import * as events from "../events.ts";
import { type Instrument, instrumentOf } from "../instruments.ts";
import { markOf } from "../marks.ts";
import { nowMs, type Venue } from "../venue.ts";

export function isBatch({ terms }: Instrument): boolean {
  return terms.auction?.matching === MatchingMode.MATCHING_MODE_BATCH_AUCTION;
}

/** Block time at or after which the market opens, Unix milliseconds; 0 when it is open. */
export function openingMs(ctx: ReadContext, venue: Venue, { id, terms }: Instrument): number {
  // Auction terms are never taken away, so a market without them has no record to look for.
  if (terms.auction === undefined) return 0;
  return Number(venue.state.auctions.get(ctx, id)?.openingMs ?? 0n);
}

export function isOpening(ctx: ReadContext, venue: Venue, instrument: Instrument): boolean {
  return openingMs(ctx, venue, instrument) !== 0;
}

export function collects(ctx: ReadContext, venue: Venue, instrument: Instrument): boolean {
  return isBatch(instrument) || isOpening(ctx, venue, instrument);
}

export function trades({ status }: Instrument): boolean {
  return status === "active" || status === "closeOnly";
}

const halted = new WeakMap<Instrument, Instrument>();

/** As margin sees it: an opening belongs to the halt before it, so nothing is liquidated into it. */
export function outsideOpenings(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Instrument {
  if (!trades(instrument) || !isOpening(ctx, venue, instrument)) return instrument;
  let known = halted.get(instrument);
  if (known === undefined) {
    known = { ...instrument, status: "halted" };
    halted.set(instrument, known);
  }
  return known;
}

function beginOpening(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  opening: { readonly delayMs: number; readonly reason: string },
): void {
  const now = nowMs(ctx);
  // A second reason never makes it shorter.
  const running = openingMs(ctx, venue, instrument);
  const until = running > now + opening.delayMs ? running : now + opening.delayMs;
  const record = { openingMs: BigInt(until), tradedMs: BigInt(now) };
  venue.state.auctions.set(ctx, instrument.id, record);
  events.auctionOpening(ctx, instrument.symbol, until, opening.reason);
}

/**
 * A call auction of at least this length, whatever else the market does. False, and nothing is done: it does not trade, or has no auction terms.
 */
export function callAuction(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  opening: { readonly delayMs: number; readonly reason: string },
): boolean {
  if (instrument.terms.auction === undefined || !trades(instrument)) return false;
  beginOpening(ctx, venue, instrument, opening);
  return true;
}

/** After a halt that was none of the market's status: it opens as after one that was. */
export function openAfterHalt(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const delayMs = Number(instrument.terms.auction?.openingMs ?? 0n);
  if (delayMs > 0) callAuction(ctx, venue, instrument, { delayMs, reason: "halt" });
}

/** The auction of the opening left nothing that crosses. */
export function endOpening(ctx: WriteContext, venue: Venue, { id, terms }: Instrument): void {
  const record = venue.state.auctions.get(ctx, id);
  if (record === undefined || record.openingMs === 0n) return;
  if ((terms.auction?.interruptionMs ?? 0n) === 0n) venue.state.auctions.delete(ctx, id);
  else venue.state.auctions.set(ctx, id, { ...record, openingMs: 0n });
}

/** At the begin of a block, on its prices: a market that had no fresh price, or no block, for too long collects first. */
export function watchInterruption(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const { auction } = instrument.terms;
  if (auction === undefined || auction.interruptionMs === 0n || !trades(instrument)) return;
  if (markOf(ctx, venue, instrument)?.fresh !== true) return;
  const now = nowMs(ctx);
  const record = venue.state.auctions.get(ctx, instrument.id);
  const gap = record === undefined ? 0n : BigInt(now) - record.tradedMs;
  if (gap >= auction.interruptionMs && auction.openingMs > 0n) {
    const delayMs = Number(auction.openingMs);
    beginOpening(ctx, venue, instrument, { delayMs, reason: "interruption" });
    return;
  }
  const opening = record?.openingMs ?? 0n;
  venue.state.auctions.set(ctx, instrument.id, { openingMs: opening, tradedMs: BigInt(now) });
}

/** A dated market that must notice interruptions is watched from its listing: only perpetuals are looked at in every block. */
export function watchDated(ctx: WriteContext, venue: Venue, instrument: Instrument): void {
  const { contract, id, terms } = instrument;
  if (contract.maturity === null || (terms.auction?.interruptionMs ?? 0n) === 0n) return;
  if (venue.state.auctions.get(ctx, id) !== undefined) return;
  venue.state.auctions.set(ctx, id, { openingMs: 0n, tradedMs: BigInt(nowMs(ctx)) });
}

/** After the authority changed a market: a halt ends with an opening, and so does batch matching, whose book may cross. */
export function followUpdate(ctx: WriteContext, venue: Venue, before: Market, after: Market): void {
  const old = instrumentOf(before);
  const next = instrumentOf(after);
  const delayMs = Number(next.terms.auction?.openingMs ?? 0n);
  if (!trades(old) && trades(next) && delayMs > 0) {
    beginOpening(ctx, venue, next, { delayMs, reason: "halt" });
  } else if (isBatch(old) && !isBatch(next) && !isOpening(ctx, venue, next)) {
    beginOpening(ctx, venue, next, { delayMs: 0, reason: "terms" });
  }
}
