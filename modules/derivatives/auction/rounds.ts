/**
 * Rounds: in a market whose auctions go by inclusion lists, the proposer of a block does not decide what its auction is held on. An order or cancel takes
 * part in the round that validators' lists name its transaction for, or else in the round after the block that holds it, so what a proposer sees
 * last, it can neither use nor keep from others: whatever it places, leaves out or delays is for a later round, where all of it meets.
 */
import type { CollectedCancel } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import { u32Key } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { GAS } from "../../kit/gas.ts";
import { remembered } from "../../kit/remembered.ts";
import { holderOf } from "../book/books.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { type Instrument, instrumentOf } from "../instruments.ts";
import { COLLECTED_CANCEL_GAS, LISTED_LIFE_MS } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import { type CancelKey, roundKey } from "../state.ts";
import { findMarketId, nowMs, type Venue } from "../venue.ts";
import { isBatch, trades } from "./opening.ts";

/** Also of a market that stands still: what was collected keeps its round. */
export function byLists(instrument: Instrument): boolean {
  return isBatch(instrument) && instrument.terms.auction?.inclusionLists === true;
}

/**
 * The round of what a transaction orders or cancels in this market: the height whose auction it takes part in. 0: rounds are not given here, or the
 * market stands still, and what it does is done at once.
 */
export function roundOf({ header }: ReadContext, instrument: Instrument): number {
  if (!byLists(instrument) || !trades(instrument)) return 0;
  return header.round ?? header.height + 1;
}

/** What a cancel names: one order by client id or by id, or with neither all that rests when its round begins. */
export interface CancelName {
  readonly clientId: string;
  readonly orderId: bigint;
}

export function cancelKeyOf(cancel: CollectedCancel): CancelKey {
  const { clientId, market, orderId, round } = cancel;
  return [[market, Number(round)], [holderOf(cancel), Number(orderId)], clientId];
}

/**
 * Pays for what its round will do without gas: for each of so many orders that it may reach, as many as the account has in the market where it names none,
 * and for one at least, since those that it is for may be still to come. Throws ModuleError when as many wait as the account may have orders.
 */
export function collectCancel(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  account: AccountId,
  {
    clientId,
    orderId,
    orders,
    round,
  }: CancelName & {
    readonly orders: number;
    readonly round: number;
  },
): void {
  if (clientId !== "" || orderId !== 0n) requireCancelRoom(ctx, venue, instrument, account, round);
  ctx.gas.consume((orders === 0 ? 1 : orders) * COLLECTED_CANCEL_GAS, "collected cancel");
  const cancel: CollectedCancel = {
    market: instrument.id,
    round: BigInt(round),
    owner: venue.accounts.owner(account),
    subaccount: numberOf(account),
    clientId,
    orderId,
  };
  venue.state.collectedCancels.set(ctx, cancelKeyOf(cancel), cancel);
  events.cancelAccepted(ctx, venue, instrument, { account, clientId, orderId, round });
}

/** Of a round, whatever they name: one order has two names, and any number has none. A cancel of everything always has room. */
function requireCancelRoom(
  ctx: WriteContext,
  { state }: Venue,
  { id, symbol, terms }: Instrument,
  account: AccountId,
  round: number,
): void {
  let waiting = 0;
  state.collectedCancels.scan(ctx, roundKey.encode([id, round]) + account, () => {
    waiting += 1;
  });
  ctx.gas.consume(waiting * GAS.iterNextFlat, "IterNextFlat");
  if (waiting < terms.openOrdersMax) return;
  throw refuse(
    "tooManyCancels",
    `expected at most ${terms.openOrdersMax} cancels of a round in ${symbol}: cancel all instead`,
  );
}

/** Those of rounds up to this one, by round, sub-account, id, client id; they are taken out. */
export function takeCancels(
  ctx: WriteContext,
  { state }: Venue,
  market: MarketId,
  round: number,
): readonly CollectedCancel[] {
  const cancels: CollectedCancel[] = [];
  state.collectedCancels.eachWithPrefix(ctx, u32Key.encode(market), (_key, cancel) => {
    if (cancel.round > BigInt(round)) return true;
    cancels.push(cancel);
    return false;
  });
  for (const cancel of cancels) state.collectedCancels.delete(ctx, cancelKeyOf(cancel));
  return cancels;
}

const asked = new WeakMap<Venue, (ctx: ReadContext, key: number) => boolean>();

/** Whether any market gives rounds. Asked in every block and vote, so remembered while markets stand. */
export function someGiveRounds(ctx: ReadContext, venue: Venue): boolean {
  let ask = asked.get(venue);
  if (ask === undefined) {
    ask = remembered((inner) => {
      let some = false;
      venue.state.markets.each(inner, (_id, market) => {
        some = byLists(instrumentOf(market));
        return some;
      });
      return some;
    });
    asked.set(venue, ask);
  }
  return ask(ctx, 0);
}

/** Of what a message orders or cancels: the market, and how long it is good, Unix milliseconds; 0 or absent: until cancelled. */
export interface ListedPart {
  readonly market: string;
  readonly goodTilMs?: bigint;
}

/**
 * Whether validators name a transaction with a message of these parts: when all of them are of markets that give rounds, or it cancels in all markets,
 * and none ends so soon that leaving it out would end it.
 */
export function createListed(
  venue: Venue,
): (ctx: ReadContext, parts: readonly ListedPart[]) => boolean {
  const gives = (ctx: ReadContext, symbol: string): boolean => {
    const id = findMarketId(ctx, venue, symbol);
    const market = id === undefined ? undefined : venue.state.markets.get(ctx, id);
    return market !== undefined && byLists(instrumentOf(market));
  };
  return (ctx, parts) => {
    if (!someGiveRounds(ctx, venue)) return false;
    const soon = BigInt(nowMs(ctx) + LISTED_LIFE_MS);
    return parts.every(
      ({ goodTilMs = 0n, market }) =>
        (market === "" || gives(ctx, market)) && (goodTilMs === 0n || goodTilMs > soon),
    );
  };
}
