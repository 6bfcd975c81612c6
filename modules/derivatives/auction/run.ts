/**
 * One auction over a book: the price, the fills, and the orders that have to leave because their account cannot bear its fills. All of it is a
 * function of the book, the accounts and the mark, so no order of transactions can change it.
 */
import type { AccountId } from "../../kit/account-id.ts";
import {
  accepts,
  allocate,
  clearingPrice,
  levelsOf,
  type PriceRange,
} from "../../kit/math/uniform-price.ts";
import * as events from "../events.ts";
import { type Party, UniformFees } from "../fees/desk.ts";
import { notionalOf } from "../instruments.ts";
import { AUCTION_LOOKS_MAX, AUCTION_ROUNDS, ICEBERG_PARTS_MAX } from "../limits.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit } from "../marks.ts";
import {
  cancel,
  enforceReduceOnly,
  makerRelease,
  recordFill,
  recordOf,
} from "../orders/resting.ts";
import {
  type Crossing,
  crossing,
  type Gone,
  makeFit,
  type OrderFill,
  type Participant,
  pairsOnce,
} from "../participants.ts";
import type { AuctionFill } from "../ports.ts";
import type { Turn } from "../venue.ts";
import { afterMakerFill, type Filled, hooksOf } from "../waiting/links.ts";
import { leaveAtCap, raisesBeyondCap, reducingOnly, roomUnderCap } from "./cap.ts";

interface Strike {
  readonly ticks: number;
  readonly volume: number;
  readonly imbalance: number;
  /** By id. */
  readonly fills: readonly OrderFill[];
}

/** What an auction is held on. */
interface Terms {
  readonly reference: number;
  readonly range: PriceRange;
  readonly fees: UniformFees;
}

/**
 * The auctions of an opening, one after another in the same block, as long as icebergs show parts that cross: with one part a block, two owners who trade
 * a lot in each would keep a market shut, and everybody from being liquidated, for as long as they liked. Returns whether orders that cross are left.
 */
export function holdOpening(turn: Turn, mark: Mark): boolean {
  let looks = 0;
  for (let part = 0; part < ICEBERG_PARTS_MAX && looks < AUCTION_LOOKS_MAX; part++) {
    const held = holdAuction(turn, mark);
    looks += held.looks;
    if (held.left === "nothing" || !crosses(turn)) return false;
    if (held.left === "orders") return true;
  }
  return true;
}

function crosses({ book }: Turn): boolean {
  const bid = book.bestTicks("buy");
  const ask = book.bestTicks("sell");
  return bid !== 0 && ask !== 0 && bid >= ask;
}

export interface Held {
  /** What may cross yet: orders that there was no room or time for, or no more than the next parts of icebergs. */
  readonly left: "nothing" | "orders" | "parts";
  /** Orders that were looked at. */
  readonly looks: number;
  readonly fills: readonly OrderFill[];
  /** What left before anything of it was filled, or after, and was not cancelled out: with the lots that left, of an order perhaps more than once. */
  readonly gone: readonly Gone[];
}

export function holdAuction(turn: Turn, mark: Mark): Held {
  const fees = new UniformFees(turn);
  const range = {
    low: bandLimit(turn.instrument, mark, "sell"),
    high: bandLimit(turn.instrument, mark, "buy"),
  };
  const gone: Gone[] = [];
  const without = { fills: [], gone };
  let looks = 0;
  for (let round = 0; round < AUCTION_ROUNDS || looks < AUCTION_LOOKS_MAX; round++) {
    const met = crossing(turn);
    if (met.buy.length === 0) return { left: "nothing", looks, ...without };
    looks += met.buy.length + met.sell.length;
    if (makeFit(turn, met, gone)) continue;
    const reference = Number(mark.ticks);
    const { atCap, strike } = strikeUnderCap(turn, pairsOnce(turn, met), {
      reference,
      range,
      fees,
    });
    const refused = strike === null ? null : clear(turn, strike);
    if (strike !== null && refused !== null) {
      for (const { order } of strike.fills) {
        if (!refused.has(order.account)) continue;
        const { id, lots } = cancel(turn, order.slot, "margin");
        gone.push({ id, lots, reason: "margin" });
      }
      continue;
    }
    // A part that an iceberg shows next may cross as well: it waits for the next auction.
    const refilled = strike !== null && record(turn, strike, fees);
    if (atCap) {
      for (const { id, lots } of leaveAtCap(turn))
        gone.push({ id, lots, reason: "open_interest_cap" });
    }
    if (strike === null) return { left: "nothing", looks, ...without };
    const left = met.more ? "orders" : refilled ? "parts" : "nothing";
    return { left, looks, fills: strike.fills, gone };
  }
  return { left: "orders", looks, ...without };
}

function strike(
  turn: Turn,
  { buy, sell }: Pick<Crossing, "buy" | "sell">,
  { reference, range, fees }: Terms,
  volumeMax: number,
): Strike | null {
  const clearing = clearingPrice(levelsOf(buy), levelsOf(sell), reference, range);
  if (clearing === null) return null;
  const { ticks, demand, supply } = clearing;
  const volume = clearing.volume < volumeMax ? clearing.volume : volumeMax;
  const fills: OrderFill[] = [];
  for (const orders of [buy, sell]) {
    const willing = orders.filter((order) => accepts(order.side, order.ticks, ticks));
    for (const [at, lots] of allocate(willing, volume).entries()) {
      const order = willing[at] as Participant;
      if (lots > 0)
        fills.push({ order, lots, feeQuanta: feeOf(turn, fees, order, { ticks, lots }) });
    }
  }
  fills.sort((a, b) => a.order.id - b.order.id);
  return { ticks, volume, imbalance: demand - supply, fills };
}

/** One rate of the market for all, whole quanta, rounded up against whoever pays, once per order. */
function feeOf(
  turn: Turn,
  fees: UniformFees,
  order: Participant,
  { ticks, lots }: { readonly ticks: number; readonly lots: number },
): bigint {
  const notional = notionalOf(turn.instrument, ticks, lots);
  return fees.charge(notional, ratePpm(turn), partyOf(turn, order));
}

function ratePpm({ instrument }: Turn): bigint {
  return BigInt(instrument.terms.auction?.feePpm ?? 0);
}

function partyOf(turn: Turn, order: Participant): Party {
  const builder = order.hooked ? recordOf(turn, order).builder : undefined;
  return { account: order.account, builder };
}

/**
 * When the fills would raise open interest above the market's cap, the volume is cut to what certainly fits under it; with nothing left under it,
 * one side only reduces positions: the one of which more trades, else that of the sellers. What opens and still crosses leaves when none is left.
 */
function strikeUnderCap(turn: Turn, met: Crossing, terms: Terms) {
  const free = strike(turn, met, terms, Number.MAX_SAFE_INTEGER);
  const atCap = free !== null && raisesBeyondCap(turn, free.fills);
  if (!atCap) return { strike: free, atCap };
  const room = roomUnderCap(turn);
  if (room > 0) return { strike: strike(turn, met, terms, room), atCap };
  // A lot that one side gives up, whoever takes it over.
  const { buy, sell } = met;
  const sold = strike(
    turn,
    { buy, sell: reducingOnly(turn, sell) },
    terms,
    Number.MAX_SAFE_INTEGER,
  );
  const bought = strike(
    turn,
    { buy: reducingOnly(turn, buy), sell },
    terms,
    Number.MAX_SAFE_INTEGER,
  );
  return { strike: (bought?.volume ?? 0) > (sold?.volume ?? 0) ? bought : sold, atCap };
}

/** null: cleared. Otherwise the accounts that cannot bear their fills; nothing was changed then. */
function clear(turn: Turn, { ticks, fills }: Strike): Set<AccountId> | null {
  const { ctx, instrument, venue } = turn;
  const parts = new Map<AccountId, AuctionFill>();
  for (const { order, lots, feeQuanta } of fills) {
    const before = parts.get(order.account);
    const release = makerRelease(turn, inBook(order), lots) ?? { lots: 0n, feeReserveQuanta: 0n };
    parts.set(order.account, {
      account: order.account,
      side: order.side,
      lots: (before?.lots ?? 0n) + BigInt(lots),
      feeQuanta: (before?.feeQuanta ?? 0n) + feeQuanta,
      release: {
        lots: (before?.release.lots ?? 0n) + release.lots,
        feeReserveQuanta: (before?.release.feeReserveQuanta ?? 0n) + release.feeReserveQuanta,
      },
    });
  }
  const trade = { market: instrument.id, priceTicks: BigInt(ticks), fills: [...parts.values()] };
  const result = venue.clearing.clearAuction(ctx, trade);
  return result.ok ? null : new Set(result.refused.map(({ account }) => account));
}

function inBook(order: Participant): Participant {
  return order.lots === order.held ? order : { ...order, lots: order.held };
}

/** Returns whether an iceberg shows its next part now. What fills set off happens when all are recorded: they are simultaneous. */
function record(turn: Turn, done: Strike, fees: UniformFees): boolean {
  const { book, ctx } = turn;
  const { ticks, volume, imbalance, fills } = done;
  events.auctionCleared(turn, { ticks, volume, imbalance, orders: fills.length });
  const accounts = new Set<AccountId>();
  const hooks: (readonly [Filled, number])[] = [];
  let refilled = false;
  for (const { order, lots, feeQuanta } of fills) {
    fees.cleared(notionalOf(turn.instrument, ticks, lots), ratePpm(turn), partyOf(turn, order));
    const maker = inBook(order);
    const own = hooksOf(turn, maker);
    if (own !== null) hooks.push([own, lots]);
    const hidden = maker.hooked ? Number(recordOf(turn, maker).hiddenLots) : 0;
    const left = maker.lots + hidden - lots;
    events.auctionFill(turn, maker, { ticks, lots, feeQuanta, left });
    if (recordFill(turn, order.slot, maker, lots) === lots)
      book.reduce(order.slot, lots, ctx.state);
    else refilled = true;
    accounts.add(order.account);
  }
  turn.lastTradeTicks = ticks;
  for (const [own, lots] of hooks) afterMakerFill(turn, own, lots, book.find(own.id) !== 0);
  for (const account of accounts) enforceReduceOnly(turn, account);
  fees.close();
  return refilled;
}
