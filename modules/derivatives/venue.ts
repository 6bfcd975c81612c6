/** What every part of this module works with, and a turn: one operation on one market's book. */
import type { MarketCounters } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import type { BlockHeader, ReadContext, WriteContext } from "../kit/context.ts";
import { AssertionError } from "../kit/errors.ts";
import { divFloor } from "../kit/math/mul-div.ts";
import type { VerifySignature } from "../kit/signature.ts";
import type { Accounts } from "./accounts.ts";
import type { Book } from "./book/book.ts";
import type { Books } from "./book/books.ts";
import { refuse } from "./errors.ts";
import { type Instrument, instrumentAt } from "./instruments.ts";
import { SYMBOL_BYTES_MAX } from "./limits.ts";
import type {
  BankPort,
  ClearingPort,
  GuardPort,
  KeyAccountsPort,
  MarketId,
  MarketRestriction,
  OraclePort,
} from "./ports.ts";
import { restricted } from "./restricted.ts";
import type { DerivativesState } from "./state.ts";
import type { WaitingIndex, WaitingIndexes } from "./waiting/waiting-index.ts";

export interface Venue {
  readonly state: DerivativesState;
  readonly books: Books;
  readonly waiting: WaitingIndexes;
  readonly clearing: ClearingPort;
  readonly oracle: OraclePort;
  readonly bank: BankPort;
  readonly addresses: Addresses;
  readonly accounts: Accounts;
  readonly verify: VerifySignature;
  readonly keyAccounts: KeyAccountsPort;
  readonly guard: GuardPort;
}

// Every look at a market asks for it.
const blockTimes = new WeakMap<BlockHeader, number>();

/** Block time in Unix milliseconds, rounded down. */
export function nowMs({ header }: ReadContext): number {
  let known = blockTimes.get(header);
  if (known === undefined) {
    known = Number(divFloor(header.timeNs, 1_000_000n));
    blockTimes.set(header, known);
  }
  return known;
}

const STOPPED: MarketRestriction = { level: "halted", openInterestMaxLots: 0n };

/** As it is now: by time, by what the guard restricts, and by what clearing has stopped. */
export function instrumentById(
  ctx: ReadContext,
  venue: Venue,
  market: MarketId,
): Instrument | undefined {
  const record = venue.state.markets.get(ctx, market);
  if (record === undefined) return undefined;
  const now = restricted(instrumentAt(record, nowMs(ctx)), venue.guard.restriction(ctx, market));
  if (venue.state.stops.size(ctx) === 0 || !venue.state.stops.has(ctx, market)) return now;
  return restricted(now, STOPPED);
}

export function findMarketId(ctx: ReadContext, venue: Venue, symbol: string): MarketId | undefined {
  const wellFormed = symbol.length <= SYMBOL_BYTES_MAX && /^[\x20-\x7e]+$/.test(symbol);
  return wellFormed ? venue.state.symbols.get(ctx, symbol) : undefined;
}

export function requireInstrument(ctx: ReadContext, venue: Venue, symbol: string): Instrument {
  const id = findMarketId(ctx, venue, symbol);
  if (id === undefined) throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
  const instrument = instrumentById(ctx, venue, id);
  if (instrument === undefined) throw new AssertionError(`symbol ${symbol} names no market`);
  return instrument;
}

/** One operation on one book. Counters are written once, when it is closed; an exception before that is reverted by the caller. */
export interface Turn {
  readonly ctx: WriteContext;
  readonly venue: Venue;
  readonly instrument: Instrument;
  readonly book: Book;
  readonly waiting: WaitingIndex;
  readonly before: MarketCounters;
  nextOrderId: number;
  /** Changes of the book so far. */
  changes: number;
  lastTradeTicks: number;
}

const UNUSED: MarketCounters = { nextOrderId: 1n, sequence: 0n, lastTradeTicks: 0n };

export function openTurn(ctx: WriteContext, venue: Venue, instrument: Instrument): Turn {
  const before = venue.state.counters.get(ctx, instrument.id) ?? UNUSED;
  return {
    ctx,
    venue,
    instrument,
    book: venue.books.of(ctx, instrument.id),
    waiting: venue.waiting.of(ctx, instrument.id),
    before,
    nextOrderId: Number(before.nextOrderId),
    changes: 0,
    lastTradeTicks: Number(before.lastTradeTicks),
  };
}

/** A number no order of this market has yet: an id, or a place behind all others. */
export function nextNumber(turn: Turn): number {
  const number = turn.nextOrderId;
  turn.nextOrderId += 1;
  return number;
}

export function closeTurn(turn: Turn): void {
  const { before } = turn;
  const nextOrderId = BigInt(turn.nextOrderId);
  if (turn.changes === 0 && nextOrderId === before.nextOrderId) return;
  turn.venue.state.counters.set(turn.ctx, turn.instrument.id, {
    nextOrderId,
    sequence: before.sequence + BigInt(turn.changes),
    lastTradeTicks: BigInt(turn.lastTradeTicks),
  });
}
