/** What always holds of markets, orders and books. */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext } from "../kit/context.ts";
import type { Invariant, ModuleInvariants } from "../kit/module.ts";
import { collectedKey } from "./auction/collected.ts";
import { collects } from "./auction/opening.ts";
import type { Book } from "./book/book.ts";
import { holderOf, priorityOf } from "./book/books.ts";
import { documentInvariants } from "./external/invariants.ts";
import { feeInvariants } from "./fees/invariants.ts";
import { feeReserve } from "./fees/rates.ts";
import { bondsEscrowed, instrumentsFault } from "./instruments/invariants.ts";
import { type Instrument, instrumentOf } from "./instruments.ts";
import { grantInvariants } from "./keys/invariants.ts";
import { marksSound } from "./marking/invariants.ts";
import { marketsWithOrders } from "./occupied.ts";
import { sideOf } from "./orders/requests.ts";
import type { MarketId, Side } from "./ports.ts";
import { instrumentById, type Venue } from "./venue.ts";
import {
  deadMenQueued,
  pairsLinked,
  trailsFollowed,
  waitingEqualsOrders,
} from "./waiting/invariants.ts";
import { waitingFees } from "./waiting/waiting.ts";
import { waitingHolder, waitingSide } from "./waiting/waiting-index.ts";

/** Markets with orders, in state or in a book: the others have nothing to look at. */
function withBooks(ctx: ReadContext, { state, books }: Venue): MarketId[] {
  const ids = new Set([...marketsWithOrders(ctx, state), ...books.inUse(ctx)]);
  return [...ids].sort((a, b) => a - b);
}

/** The first violation over all markets with orders, or null. */
function inMarkets(
  venue: Venue,
  check: (ctx: ReadContext, instrument: Instrument) => string | null,
): Invariant {
  return (ctx) => {
    for (const id of withBooks(ctx, venue)) {
      const instrument = instrumentById(ctx, venue, id);
      if (instrument === undefined) return `market ${id} has orders but no record`;
      const violation = check(ctx, instrument);
      if (violation !== null) return `${instrument.symbol}: ${violation}`;
    }
    return null;
  };
}

/** An active market's best bid is below its best ask, unless it collects: then orders may wait for an auction. */
function notCrossed(venue: Venue): Invariant {
  return inMarkets(venue, (ctx, instrument) => {
    if (instrument.status !== "active" || collects(ctx, venue, instrument)) return null;
    const book = venue.books.of(ctx, instrument.id);
    const bid = book.bestTicks("buy");
    const ask = book.bestTicks("sell");
    return bid !== 0 && ask !== 0 && bid >= ask ? `best bid ${bid}, best ask ${ask}` : null;
  });
}

/** All books together hold as many orders as are stored. */
function ordersCounted(venue: Venue): Invariant {
  return (ctx) => {
    let inBooks = 0;
    for (const id of withBooks(ctx, venue)) inBooks += venue.books.of(ctx, id).size;
    const stored = venue.state.orders.size(ctx);
    return inBooks === stored ? null : `${inBooks} orders in the books, ${stored} in state`;
  };
}

function describe(book: Book, side: "buy" | "sell"): string[] {
  const lines: string[] = [];
  book.each(side, (slot) => {
    const o = book.read(slot);
    const { id, priority, ticks, lots, reduceOnly, clientId, account } = o;
    const facts = [id, priority, ticks, lots, reduceOnly, clientId, account];
    facts.push(o.goodTilMs, o.goodTilHeight, o.hooked);
    lines.push(facts.join(" "));
  });
  return lines;
}

/** Records say what their keys say. */
function misplaced(ctx: ReadContext, venue: Venue): string | null {
  let found: string | null = null;
  venue.state.orders.each(ctx, (key, order) => {
    const { market, id, priceTicks, side } = order;
    const same =
      market === key.market &&
      priorityOf(order) === key.priority &&
      Number(priceTicks) === key.ticks &&
      sideOf(side) === key.side;
    if (!same) found = `order ${id} is stored under the key of another`;
    return !same;
  });
  return found;
}

/** The book in use is the one that the stored orders give, priorities included. */
function bookEqualsOrders(venue: Venue): Invariant {
  const equal = inMarkets(venue, (ctx, { id }) => {
    const kept = venue.books.of(ctx, id);
    const fresh = venue.books.rebuild(ctx, id);
    for (const side of ["buy", "sell"] as const) {
      const expected = describe(fresh, side);
      const got = describe(kept, side);
      const at = expected.findIndex((line, i) => line !== got[i]);
      if (at >= 0 || expected.length !== got.length) {
        return `${side} book differs from the orders at place ${at}`;
      }
    }
    return null;
  });
  return (ctx) => misplaced(ctx, venue) ?? equal(ctx);
}

/** Orders are collected only in markets that collect, under their own key, and under client ids that no open order has; cancels under their own key. */
function collectedApart(venue: Venue): Invariant {
  return (ctx) => {
    let found: string | null = null;
    venue.state.collected.each(ctx, (key, order) => {
      const [id, account] = key;
      const { clientId } = order;
      const market = venue.state.markets.get(ctx, id);
      if (collectedKey(order).some((part, n) => part !== key[n]))
        found = `collected order "${clientId}" is stored under the key of another`;
      else if (market === undefined || !collects(ctx, venue, instrumentOf(market))) {
        found = `order "${clientId}" was collected in market ${id}, which does not collect`;
      } else if (venue.books.of(ctx, id).findByClientId(account, clientId) !== 0) {
        found = `collected order "${clientId}" is also in the book of market ${id}`;
      } else if (venue.waiting.of(ctx, id).findByClientId(account, clientId) !== 0) {
        found = `collected order "${clientId}" also waits in market ${id}`;
      }
      return found !== null;
    });
    venue.state.collectedCancels.each(
      ctx,
      ([[id, round], [account, orderId], clientId], cancel) => {
        const same =
          cancel.market === id &&
          cancel.round === BigInt(round) &&
          holderOf(cancel) === account &&
          cancel.orderId === BigInt(orderId) &&
          cancel.clientId === clientId;
        if (!same) found ??= `a cancel of market ${id} is stored under the key of another`;
        return found !== null;
      },
    );
    return found;
  };
}

/** Margin reserves for each account exactly what its open orders can add, in the book, hidden, waiting or collected; reduce-only ones add nothing. */
function exposureReserved(venue: Venue): Invariant {
  return (ctx) => {
    const sums = new Map<
      string,
      { account: AccountId; market: number; buy: bigint; sell: bigint }
    >();
    const fees = new Map<AccountId, bigint>();
    const add = (
      { account, market, side }: { account: AccountId; market: number; side: Side },
      lots: bigint,
      fee: bigint,
    ): void => {
      const id = `${market}/${account}`;
      const sum = sums.get(id) ?? { account, market, buy: 0n, sell: 0n };
      sum[side] += lots;
      sums.set(id, sum);
      fees.set(account, (fees.get(account) ?? 0n) + fee);
    };
    venue.state.orders.each(ctx, (key, order) => {
      const record = venue.state.markets.get(ctx, key.market);
      if (order.reduceOnly || record === undefined) return;
      const lots = order.remainingLots + order.hiddenLots;
      const instrument = instrumentOf(record);
      const fee = feeReserve(instrument, key.ticks, Number(lots), order.feeReservePpm);
      add({ account: holderOf(order), market: key.market, side: key.side }, lots, fee);
    });
    venue.state.waiting.each(ctx, ({ market }, order) => {
      const record = venue.state.markets.get(ctx, market);
      if (order.reduceOnly || record === undefined) return;
      const fee = waitingFees(instrumentOf(record), order);
      const whose = { account: waitingHolder(order), market, side: waitingSide(order) };
      add(whose, order.remainingLots, fee);
    });
    venue.state.collected.each(ctx, ([market, account], order) => {
      const record = venue.state.markets.get(ctx, market);
      if (order.reduceOnly || record === undefined) return;
      const ticks = Number(order.priceTicks);
      const lots = Number(order.lots);
      const fee = feeReserve(instrumentOf(record), ticks, lots, order.feeReservePpm);
      add({ account, market, side: sideOf(order.side) ?? "buy" }, order.lots, fee);
    });
    for (const { account, market, buy, sell } of sums.values()) {
      const positions = venue.clearing.account(ctx, account)?.positions ?? [];
      const held = positions.find((position) => position.market === market);
      if (held?.openBuyLots !== buy || held.openSellLots !== sell) {
        const got = `${held?.openBuyLots} and ${held?.openSellLots}`;
        return `market ${market}: orders of ${buy} and ${sell} lots, reserved ${got}`;
      }
    }
    for (const [account, fee] of fees) {
      const reserve = venue.clearing.account(ctx, account)?.feeReserve;
      if (reserve !== fee) return `orders may cost ${fee} in fees, reserved ${reserve}`;
    }
    return null;
  };
}

/** Every order with a good-til time or last block is in that expiry queue, and nothing else is. */
function expiriesMatch(venue: Venue): Invariant {
  return (ctx) => {
    const { expiries, heightExpiries, orders, waiting } = venue.state;
    let byTime = 0;
    let byHeight = 0;
    let missing: string | null = null;
    const visit = (
      market: number,
      {
        id,
        goodTilMs,
        goodTilHeight,
      }: { readonly id: bigint; readonly goodTilMs: bigint; readonly goodTilHeight: bigint },
    ): void => {
      const queued = (queue: typeof expiries, at: bigint): number => {
        if (at === 0n) return 0;
        if (!queue.has(ctx, [market, Number(at), Number(id)])) {
          missing = `order ${id} is not in the queue`;
        }
        return 1;
      };
      byTime += queued(expiries, goodTilMs);
      byHeight += queued(heightExpiries, goodTilHeight);
    };
    orders.each(ctx, (key, order) => visit(key.market, order));
    waiting.each(ctx, (key, order) => visit(key.market, order));
    if (missing !== null) return missing;
    const queued = [expiries.size(ctx), heightExpiries.size(ctx)];
    return queued[0] === byTime && queued[1] === byHeight
      ? null
      : `${queued.join(" and ")} in the expiry queues, expected ${byTime} and ${byHeight}`;
  };
}

export function derivativesInvariants(venue: Venue): ModuleInvariants {
  return {
    running: {
      "book-not-crossed": notCrossed(venue),
      "orders-counted": ordersCounted(venue),
      "bonds-escrowed": bondsEscrowed(venue),
    },
    full: {
      "book-equals-orders": bookEqualsOrders(venue),
      "collected-apart": collectedApart(venue),
      "exposure-reserved": exposureReserved(venue),
      "expiries-match-orders": expiriesMatch(venue),
      "instruments-queued": (ctx) => instrumentsFault(ctx, venue),
      "marks-sound": marksSound(venue),
      ...documentInvariants(venue),
      ...grantInvariants(venue),
      ...feeInvariants(venue),
      "waiting-equals-orders": waitingEqualsOrders(venue, inMarkets),
      "trails-followed": trailsFollowed(venue, inMarkets),
      "pairs-linked": pairsLinked(venue, inMarkets),
      "dead-men-queued": deadMenQueued(venue),
    },
  };
}
