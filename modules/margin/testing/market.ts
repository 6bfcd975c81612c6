/** A small real market for margin's tests: marks set by hand, a price-time book in revertible state, no fees of its own choosing. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ValueCodec } from "../../kit/collections/codecs.ts";
import { u32Key, u64Key } from "../../kit/collections/codecs.ts";
import type { MapCollection, Registry } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { divHalfEven } from "../../kit/math/mul-div.ts";
import type {
  ClearingPort,
  ClearResult,
  MarketId,
  MarketRisk,
  MarketsPort,
  MarketTerms,
  MarkPrice,
  Side,
} from "../ports.ts";

export interface BookOrder {
  readonly account: AccountId;
  readonly market: MarketId;
  readonly side: Side;
  readonly ticks: bigint;
  readonly lots: bigint;
  readonly feeReserve: bigint;
}

interface MarketRow {
  readonly terms: MarketTerms;
  readonly mark: MarkPrice | undefined;
  readonly fundingIndex: bigint;
}

function plain<V>(): ValueCodec<V> {
  const never = (): never => {
    throw new Error("test state is never encoded");
  };
  return { encode: never, decode: never, size: () => 1 };
}

export interface TestMarkets extends MarketsPort {
  list(ctx: WriteContext, terms: MarketTerms): void;
  setMark(ctx: WriteContext, market: MarketId, ticks: bigint, fresh?: boolean): void;
  /** Until the next mark: judged and liquidated at it, but nothing leaves against it. */
  holdBack(ctx: WriteContext, market: MarketId): void;
  /** Until the next mark: judged at it, but nothing is liquidated there. */
  ageing(ctx: WriteContext, market: MarketId): void;
  /** An option marked at nothing: what is bought needs nothing, what is sold this much a lot. */
  setWorthless(ctx: WriteContext, market: MarketId, notionalPerLot: bigint, sold: bigint): void;
  addFunding(ctx: WriteContext, market: MarketId, perLot: bigint): void;
  setStatus(ctx: WriteContext, market: MarketId, status: MarketTerms["status"]): void;
  /** Its positions settle at this value from now on. */
  expire(ctx: WriteContext, market: MarketId, quantaPerLot: bigint): void;
  /** Rests an order; throws what the clearing ledger throws. */
  rest(ctx: WriteContext, order: BookOrder): bigint;
  /** Takes from the book; refusals of the taker end it, refused makers are dropped. */
  take(
    ctx: WriteContext,
    order: Omit<BookOrder, "feeReserve"> & {
      readonly feePpm?: bigint;
      readonly makerFeePpm?: bigint;
    },
  ): { readonly filled: bigint; readonly refusal: ClearResult | null };
  orders(ctx: ReadContext): readonly (readonly [bigint, BookOrder])[];
  /** Makes the next call of liquidateAtBook in this market throw. */
  fail(market: MarketId): void;
  /** Makes every reading of this market's mark throw from now on. */
  failMark(market: MarketId): void;
  /** Makes every reading of what a margin model prices this market by throw from now on. */
  failRisk(market: MarketId): void;
  /** Makes every reading of this market's depth throw from now on. */
  failDepth(market: MarketId): void;
  readonly quarantined: { readonly market: MarketId; readonly reason: string }[];
}

export function createTestMarkets(registry: Registry, clearing: () => ClearingPort): TestMarkets {
  const schema = registry.schema("test_markets");
  const rows: MapCollection<MarketId, MarketRow> = schema.map(0, "rows", u32Key, plain());
  const book: MapCollection<bigint, BookOrder> = schema.map(1, "book", u64Key, plain());
  const failing = new Set<MarketId>();
  const risks = new Map<MarketId, MarketRisk>();
  const unreadable = new Set<MarketId>();
  const unpriced = new Set<MarketId>();
  const unmeasurable = new Set<MarketId>();
  const quarantined: { market: MarketId; reason: string }[] = [];
  let nextId = 1n;

  function row(ctx: ReadContext, market: MarketId): MarketRow {
    const known = rows.get(ctx, market);
    assert(known !== undefined, `test market ${market} is not listed`);
    return known;
  }

  function settles(ctx: ReadContext, market: MarketId): boolean {
    return rows.get(ctx, market)?.terms.status === "settling";
  }

  function orders(ctx: ReadContext): (readonly [bigint, BookOrder])[] {
    const out: (readonly [bigint, BookOrder])[] = [];
    book.each(ctx, (id, order) => {
      out.push([id, order]);
    });
    return out;
  }

  function release(ctx: WriteContext, id: bigint, order: BookOrder, lots: bigint): void {
    const left = order.lots - lots;
    const reserve = (order.feeReserve * left) / order.lots;
    if (left === 0n) book.delete(ctx, id);
    else book.set(ctx, id, { ...order, lots: left, feeReserve: reserve });
  }

  function makersFor(ctx: ReadContext, order: Omit<BookOrder, "feeReserve">) {
    return orders(ctx)
      .filter(([, maker]) => {
        if (maker.market !== order.market || maker.side === order.side) return false;
        if (maker.account === order.account) return false;
        return order.side === "buy" ? maker.ticks <= order.ticks : maker.ticks >= order.ticks;
      })
      .sort(([a, one], [b, two]) => {
        const better = one.ticks < two.ticks === (order.side === "buy") ? -1 : 1;
        return one.ticks === two.ticks ? (a < b ? -1 : 1) : better;
      });
  }

  const markets: TestMarkets = {
    quarantined,
    marketIds(ctx) {
      const ids: MarketId[] = [];
      rows.each(ctx, (id) => {
        ids.push(id);
      });
      return ids;
    },
    terms: (ctx, market) => rows.get(ctx, market)?.terms,
    mark(ctx, market) {
      if (unreadable.has(market)) throw new Error("a bug in this market's mark");
      return rows.get(ctx, market)?.mark;
    },
    risk(ctx, market) {
      if (unpriced.has(market)) throw new Error("a bug in this market's risk");
      const known = rows.get(ctx, market);
      const ticks = known?.mark?.ticks;
      if (known === undefined || ticks === undefined) return undefined;
      const price = ticks * 10n ** 18n;
      const made = risks.get(market);
      if (made?.underlying.price === price) return made;
      // A unit costs a tick's number, and a lot is a perpetual on so much of it.
      const risk: MarketRisk = {
        underlying: {
          name: known.terms.symbol.split("-")[0] ?? "",
          price,
          volatility: 0n,
          oracleWidthPpm: 0n,
        },
        instrument: {
          kind: "perpetual",
          expiry: "",
          remainingMs: 0n,
          strike: 0n,
          forward: price,
          volatility: 0n,
          price: (movePpm) => divHalfEven(price * (1_000_000n + movePpm), 1_000_000n),
          units: known.terms.quantaPerTickLot,
          scale: 10n ** 18n,
          fundingPpmPerHour: 0n,
        },
      };
      risks.set(market, risk);
      return risk;
    },
    fundingIndex: (ctx, market) => row(ctx, market).fundingIndex,
    list: (ctx, terms) => rows.set(ctx, terms.id, { terms, mark: undefined, fundingIndex: 0n }),
    setMark(ctx, market, ticks, fresh = true) {
      const known = row(ctx, market);
      const quantaPerLot = ticks * known.terms.quantaPerTickLot;
      const mark = { ticks, fresh, quantaPerLot, notionalPerLot: quantaPerLot, losses: null };
      rows.set(ctx, market, { ...known, mark });
    },
    holdBack(ctx, market) {
      const known = row(ctx, market);
      if (known.mark === undefined) throw new Error("expected a mark");
      const stage = { reduces: true, withdraws: false, liquidates: true };
      rows.set(ctx, market, { ...known, mark: { ...known.mark, fresh: false, stage } });
    },
    ageing(ctx, market) {
      const known = row(ctx, market);
      if (known.mark === undefined) throw new Error("expected a mark");
      const stage = { reduces: true, withdraws: false, liquidates: false };
      rows.set(ctx, market, { ...known, mark: { ...known.mark, fresh: false, stage } });
    },
    setWorthless(ctx, market, notionalPerLot, sold) {
      const losses = {
        long: { initial: 0n, maintenance: 0n },
        short: { initial: 2n * sold, maintenance: sold },
      };
      const mark = { ticks: 0n, fresh: true, quantaPerLot: 0n, notionalPerLot, losses };
      rows.set(ctx, market, { ...row(ctx, market), mark });
    },
    addFunding(ctx, market, perLot) {
      const known = row(ctx, market);
      rows.set(ctx, market, { ...known, fundingIndex: known.fundingIndex + perLot });
    },
    setStatus(ctx, market, status) {
      const known = row(ctx, market);
      rows.set(ctx, market, { ...known, terms: { ...known.terms, status } });
    },
    quarantine(ctx, market, reason) {
      quarantined.push({ market, reason });
      markets.setStatus(ctx, market, "quarantined");
    },
    settleable: (ctx) => markets.marketIds(ctx).filter((id) => settles(ctx, id)),
    settlementValue: (ctx, market) =>
      settles(ctx, market) ? row(ctx, market).mark?.quantaPerLot : undefined,
    settled(ctx, market) {
      markets.setStatus(ctx, market, "settled");
    },
    stop(ctx, market, stopped) {
      const { status } = row(ctx, market).terms;
      if (stopped && status === "active") markets.setStatus(ctx, market, "halted");
      if (!stopped && status === "halted") markets.setStatus(ctx, market, "active");
    },
    end(ctx, market) {
      const { mark, terms } = row(ctx, market);
      if (mark?.fresh !== true || terms.status !== "halted") return null;
      for (const [id, order] of orders(ctx)) {
        if (order.market !== market) continue;
        book.delete(ctx, id);
        const { account, side, lots, feeReserve } = order;
        clearing().adjustOpenOrders(ctx, account, market, side, -lots, -feeReserve);
      }
      markets.expire(ctx, market, mark.quantaPerLot);
      return { quantaPerLot: mark.quantaPerLot, markTicks: mark.ticks };
    },
    expire(ctx, market, quantaPerLot) {
      const known = row(ctx, market);
      const none = { initial: 0n, maintenance: 0n };
      const mark: MarkPrice = {
        ticks: quantaPerLot / known.terms.quantaPerTickLot,
        fresh: true,
        quantaPerLot,
        notionalPerLot: quantaPerLot,
        losses: { long: none, short: none },
      };
      rows.set(ctx, market, { ...known, terms: { ...known.terms, status: "settling" }, mark });
    },
    fail: (market) => {
      failing.add(market);
    },
    failMark: (market) => {
      unreadable.add(market);
    },
    failRisk: (market) => {
      unpriced.add(market);
    },
    failDepth: (market) => {
      unmeasurable.add(market);
    },
    orders,
    marketId: (ctx, symbol) =>
      markets.marketIds(ctx).find((id) => markets.terms(ctx, id)?.symbol === symbol),
    depthLots(ctx, { market, side, limitTicks }) {
      if (unmeasurable.has(market)) throw new Error("a bug in this market's depth");
      let lots = 0n;
      for (const [, order] of orders(ctx)) {
        if (order.market !== market || order.side !== side) continue;
        const reached = side === "buy" ? order.ticks >= limitTicks : order.ticks <= limitTicks;
        if (reached) lots += order.lots;
      }
      return lots;
    },
    cancelOrders(ctx, account) {
      for (const [id, order] of orders(ctx)) {
        if (order.account !== account) continue;
        book.delete(ctx, id);
        const { market, side, lots, feeReserve } = order;
        clearing().adjustOpenOrders(ctx, account, market, side, -lots, -feeReserve);
      }
    },
    rest(ctx, order) {
      const { account, market, side, lots, feeReserve } = order;
      const savepoint = ctx.state.savepoint();
      try {
        if (clearing().adjustOpenOrders(ctx, account, market, side, lots, feeReserve)) {
          clearing().requireInitial(ctx, account);
        }
      } catch (error) {
        ctx.state.revert(savepoint);
        throw error;
      }
      const id = nextId++;
      book.set(ctx, id, order);
      return id;
    },
    take(ctx, order) {
      let left = order.lots;
      for (const [id, maker] of makersFor(ctx, order)) {
        if (left === 0n) break;
        const lots = left < maker.lots ? left : maker.lots;
        const released = maker.feeReserve - (maker.feeReserve * (maker.lots - lots)) / maker.lots;
        const { quantaPerTickLot } = row(ctx, order.market).terms;
        const value = maker.ticks * lots * quantaPerTickLot;
        const taker = {
          account: order.account,
          feeQuanta: ((order.feePpm ?? 0n) * value) / 1_000_000n,
          orderId: null,
        };
        const resting = {
          account: maker.account,
          feeQuanta: ((order.makerFeePpm ?? 0n) * value) / 1_000_000n,
          orderId: id,
          release: { lots, feeReserveQuanta: released },
        };
        const result = clearing().clear(ctx, {
          market: order.market,
          priceTicks: maker.ticks,
          lots,
          buyer: order.side === "buy" ? taker : resting,
          seller: order.side === "buy" ? resting : taker,
          taker: order.side,
          kind: order.feePpm === undefined ? "liquidation" : "order",
        });
        if (!result.ok) {
          if (result.refused === order.side) return { filled: order.lots - left, refusal: result };
          book.delete(ctx, id);
          const { account, market, side } = maker;
          clearing().adjustOpenOrders(ctx, account, market, side, -maker.lots, -maker.feeReserve);
          continue;
        }
        release(ctx, id, maker, lots);
        left -= lots;
      }
      return { filled: order.lots - left, refusal: null };
    },
    liquidateAtBook(ctx, order) {
      const { market, account, side, lots, limitTicks } = order;
      const { filled } = markets.take(ctx, { market, account, side, lots, ticks: limitTicks });
      if (failing.delete(market)) throw new Error("a bug in this market");
      return filled;
    },
  };
  return markets;
}
