/** The vault's quotes: where they should be, and what has to change for that. */

import { VaultMarketStatus as Status } from "@keel/proto/gen/keel/vault/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { absolute, divCeil, maximum, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { parsePositiveMoney } from "../kit/money.ts";
import { attempt } from "./attempt.ts";
import { nowMs } from "./deposits.ts";
import { LOTS_MAX, REDUCING_PARTS } from "./limits.ts";
import type { OpenOrder, Side, VaultPorts } from "./ports.ts";
import { leverageWad, quoteTicks } from "./pricing.ts";
import type { VaultMarket } from "./records.ts";
import { WAD } from "./shares.ts";
import { marketAccount, type VaultState } from "./state.ts";
import { isOpen, type MarketValuation, type Valuer } from "./valuation.ts";

export interface Quote {
  /** "b0", "a0" … by side and layer. */
  readonly clientId: string;
  readonly side: Side;
  readonly ticks: bigint;
  readonly lots: bigint;
  readonly reduceOnly: boolean;
}

/** Without equity the position is worth everything: the quotes lean as far as they may. */
const LEVERAGE_WITHOUT_EQUITY = 1_000_000n * WAD;

export type QuotingMode = "none" | "both" | "reduce";

/** Where the market's quotes should be. */
export function quotesOf(
  market: Pick<MarketValuation, "equity" | "lots" | "mark" | "notional" | "record" | "reference">,
  mode: QuotingMode,
  spreadPpm: bigint,
): readonly Quote[] {
  const { equity, lots, mark, notional, record, reference } = market;
  const { terms } = record;
  if (mode === "none" || mark === undefined || mark.quantaPerLot <= 0n) return [];
  if (reference === undefined) return [];
  const pricing = { ...terms, referenceTicks: reference.ticks, spreadPpm };
  const leverage =
    equity > 0n
      ? leverageWad(notional, equity)
      : lots > 0n
        ? LEVERAGE_WITHOUT_EQUITY
        : -LEVERAGE_WITHOUT_EQUITY;
  const size = mulDivDown(terms.orderSizePpm, WAD, PPM);
  const most = mulDivDown(terms.leverageMaxPpm, WAD, PPM);
  const wanted = mulDivDown(maximum(equity, 0n), terms.orderSizePpm, PPM * mark.quantaPerLot);
  const quotes: Quote[] = [];
  const layer = (side: Side, k: number, lotsOfQuote: bigint): void => {
    const step = BigInt(k) * size;
    const at = side === "buy" ? leverage + step : leverage - step;
    const ticks = quoteTicks(side, at, pricing);
    if (ticks === null || lotsOfQuote <= 0n) return;
    const clientId = `${side === "buy" ? "b" : "a"}${k}`;
    const reduceOnly = mode === "reduce";
    quotes.push({ clientId, side, ticks, lots: minimum(lotsOfQuote, LOTS_MAX), reduceOnly });
  };
  if (mode === "reduce") {
    let left = absolute(lots);
    // However little equity is left beside it, the position goes in a bounded number of parts.
    const least = divCeil(left, REDUCING_PARTS);
    for (let k = 0; k < terms.layers && left > 0n; k++) {
      const part = minimum(left, maximum(wanted, least));
      layer(lots > 0n ? "sell" : "buy", k, part);
      left -= part;
    }
    return quotes;
  }
  for (let k = 0; k < terms.layers; k++) {
    const after = BigInt(k + 1) * size;
    if (leverage + after <= most) layer("buy", k, wanted);
    if (leverage - after >= -most) layer("sell", k, wanted);
  }
  return quotes;
}

/** The quote in the book is near enough to the one wanted. */
export function isKept(
  open: OpenOrder,
  quote: Quote,
  bounds: {
    readonly referenceTicks: bigint;
    readonly refreshPpm: bigint;
    readonly nowMs: bigint;
    readonly expiryMs: bigint;
  },
): boolean {
  const lots = BigInt(open.lots);
  const apart = absolute(BigInt(open.ticks) - quote.ticks);
  return (
    open.side === quote.side &&
    open.reduceOnly === quote.reduceOnly &&
    apart * PPM <= bounds.refreshPpm * bounds.referenceTicks &&
    2n * lots >= quote.lots &&
    lots <= 2n * quote.lots &&
    4n * (BigInt(open.goodTilMs) - bounds.nowMs) >= bounds.expiryMs
  );
}

export interface Quoting {
  /** Brings the quotes of one market to where they should be, placing at most `most`; returns how many were placed. */
  refresh(ctx: WriteContext, record: VaultMarket, most: number): number;
  cancelAll(ctx: WriteContext): void;
}

export function createQuoting(
  state: VaultState,
  valuer: Valuer,
  { venue }: Pick<VaultPorts, "venue">,
): Quoting {
  function modeOf(ctx: WriteContext, market: MarketValuation): QuotingMode {
    const { equity, lots, record, terms } = market;
    const { status } = record.terms;
    const quoting = status === Status.VAULT_MARKET_STATUS_QUOTING;
    if ((!quoting && status !== Status.VAULT_MARKET_STATUS_CLOSE_ONLY) || !isOpen(market)) {
      return "none";
    }
    const { short } = state.totals.require(ctx);
    if (!quoting || short || terms?.status === "closeOnly") return lots === 0n ? "none" : "reduce";
    const least = parsePositiveMoney(record.terms.activationMin) ?? 0n;
    return equity >= least ? "both" : lots === 0n ? "none" : "reduce";
  }

  function cancel(ctx: WriteContext, record: VaultMarket, clientId: string): void {
    const account = marketAccount(record.market);
    venue.cancelForProtocol(ctx, { account, market: record.market, clientId });
  }

  function place(ctx: WriteContext, record: VaultMarket, quote: Quote): void {
    const goodTilMs = Number(nowMs(ctx) + record.terms.orderExpiryMs);
    // Margin, band, a better price in the book, an opening: this quote is not placed, and no other is touched.
    attempt(ctx, (inner) =>
      venue.placeForProtocol(inner, {
        ...quote,
        account: marketAccount(record.market),
        market: record.market,
        postOnly: !quote.reduceOnly,
        goodTilMs,
      }),
    );
  }

  return {
    refresh(ctx, record, most) {
      const market = valuer.one(ctx, record);
      const wanted = quotesOf(market, modeOf(ctx, market), valuer.spread(ctx, record));
      const open = venue.openOrders(ctx, market.account, record.market);
      const bounds = {
        referenceTicks: market.reference?.ticks ?? 0n,
        refreshPpm: record.terms.refreshPpm,
        nowMs: nowMs(ctx),
        expiryMs: record.terms.orderExpiryMs,
      };
      const missing = new Map(wanted.map((quote) => [quote.clientId, quote]));
      for (const order of open) {
        const quote = missing.get(order.clientId);
        if (quote !== undefined && isKept(order, quote, bounds)) missing.delete(order.clientId);
        else cancel(ctx, record, order.clientId);
      }
      let placed = 0;
      for (const quote of missing.values()) {
        if (placed >= most) break;
        place(ctx, record, quote);
        placed += 1;
      }
      return placed;
    },
    cancelAll(ctx) {
      const records: VaultMarket[] = [];
      state.markets.each(ctx, (_market, record) => void records.push(record));
      for (const record of records) {
        const account = marketAccount(record.market);
        for (const { clientId } of venue.openOrders(ctx, account, record.market)) {
          cancel(ctx, record, clientId);
        }
      }
    },
  };
}
