/** Events of dated contracts, bonds and series, as listed in keel/derivatives/v1/events.proto. */
import type { WriteContext } from "../../kit/context.ts";
import { formatDecimal } from "../../kit/math/decimal.ts";
import { PRICE_PLACES } from "./contract.ts";

export function settlementPrice(
  ctx: WriteContext,
  settlement: { readonly feedId: number; readonly expiryMs: bigint; readonly windowMs: bigint },
  price: bigint,
  coveredMs: bigint,
): void {
  ctx.emit("settlement_price", {
    feed_id: settlement.feedId.toString(),
    expiry_ms: settlement.expiryMs.toString(),
    window_ms: settlement.windowMs.toString(),
    price: formatDecimal(price, PRICE_PLACES),
    covered_ms: coveredMs.toString(),
  });
}

export function marketSettled(
  ctx: WriteContext,
  market: string,
  price: string,
  valuePerLot: bigint,
): void {
  ctx.emit("market_settled", { market, price, value_per_lot: valuePerLot.toString() });
}

export function marketRemoved(ctx: WriteContext, market: string, id: number): void {
  ctx.emit("market_removed", { market, id: id.toString() });
}

interface BondText {
  readonly owner: string;
  readonly denom: string;
  readonly amount: string;
}

export function bondLocked(ctx: WriteContext, market: string, bond: BondText): void {
  ctx.emit("bond_locked", { market, ...bond });
}

export function bondReturned(
  ctx: WriteContext,
  market: string,
  bond: BondText & { readonly reason: string },
): void {
  ctx.emit("bond_returned", { market, ...bond });
}

export function bondForfeited(
  ctx: WriteContext,
  market: string,
  bond: BondText & { readonly recipient: string },
): void {
  ctx.emit("bond_forfeited", { market, ...bond });
}

export function seriesCreated(ctx: WriteContext, series: string, id: number): void {
  ctx.emit("series_created", { series, id: id.toString() });
}

export function seriesUpdated(
  ctx: WriteContext,
  series: string,
  paused: boolean,
  reason: string,
): void {
  const text = reason.slice(0, 200);
  ctx.emit("series_updated", { series, paused: paused ? "true" : "false", reason: text });
}
