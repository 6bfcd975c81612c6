/**
 * The books of one branch of state, derived from its orders. Kept in step by inverse operations in the branch's journal; a branch
 * that has none yet (after a start, or a fork) builds a book from its orders when it is first asked for. Building charges no gas:
 * whether a book is already there is not part of consensus.
 */
import { type RestingOrder, Side as WireSide } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { u32Key } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { MarketId } from "../ports.ts";
import type { DerivativesState } from "../state.ts";
import { Book } from "./book.ts";
import type { OrderTerms, UndoLog } from "./order-terms.ts";

export interface Books {
  of(ctx: ReadContext, market: MarketId): Book;
  /** Forgets all books of this branch: after orders were written past them (genesis). */
  forget(ctx: ReadContext): void;
  /** Forgets one book: its market is removed. */
  drop(ctx: ReadContext, market: MarketId): void;
  /** Markets whose book is in use. */
  inUse(ctx: ReadContext): readonly MarketId[];
  /** A new book from the stored orders, whatever is kept. */
  rebuild(ctx: ReadContext, market: MarketId): Book;
}

const withoutUndo: UndoLog = { onRevert: () => undefined };

export function createBooks(state: DerivativesState): Books {
  const owner: object = state;

  function kept(ctx: ReadContext): Map<MarketId, Book> {
    let books = ctx.state.derived.get(owner) as Map<MarketId, Book> | undefined;
    if (books === undefined) {
      books = new Map();
      ctx.state.derived.set(owner, books);
    }
    return books;
  }

  function rebuild(ctx: ReadContext, market: MarketId): Book {
    const orders: OrderTerms[] = [];
    const prefix = u32Key.encode(market);
    state.orders.scan(ctx, prefix, (order) => void orders.push(termsOf(order)));
    // Arrival order is the order of priorities, on every level and for every account.
    orders.sort((a, b) => a.priority - b.priority);
    const book = new Book();
    for (const order of orders) book.insert(order, withoutUndo);
    return book;
  }

  return {
    of(ctx, market) {
      const books = kept(ctx);
      let book = books.get(market);
      if (book === undefined) {
        book = rebuild(ctx, market);
        books.set(market, book);
      }
      return book;
    },
    forget: (ctx) => void ctx.state.derived.delete(owner),
    drop: (ctx, market) => void kept(ctx).delete(market),
    inUse: (ctx) => [...kept(ctx).keys()],
    rebuild,
  };
}

export function holderOf(order: Pick<RestingOrder, "owner" | "subaccount">): AccountId {
  return accountId(order.owner, order.subaccount);
}

function termsOf(order: RestingOrder): OrderTerms {
  const id = Number(order.id);
  return {
    id,
    account: holderOf(order),
    side: order.side === WireSide.SIDE_BUY ? "buy" : "sell",
    ticks: Number(order.priceTicks),
    lots: Number(order.remainingLots),
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: Number(order.goodTilMs),
    goodTilHeight: Number(order.goodTilHeight),
    priority: priorityOf(order),
    hooked: isHooked(order),
  };
}

/** Where an order stands among those of its price. */
export function priorityOf({ id, priority }: RestingOrder): number {
  return Number(priority === 0n ? id : priority);
}

/** A fill of it does more than fill it. */
export function isHooked(
  order: Pick<RestingOrder, "displayLots" | "ocoId" | "bracket" | "builder">,
): boolean {
  const { bracket, builder, displayLots, ocoId } = order;
  return displayLots !== 0n || ocoId !== 0n || bracket !== undefined || builder !== undefined;
}
