/** Events of margin. Types and attribute names are documented in keel/margin/v1/events.proto. */

import type { AccountId } from "../kit/account-id.ts";
import { numberOf, ownerOf } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";
import type { MarginMode } from "./portfolio/mode.ts";
import { deleverageReason, whyDeleveraged } from "./waterfall/reasons.ts";
import type { DeleverageReport } from "./waterfall/reports.ts";

/** "keel1…/0" */
export function accountText(addresses: Addresses, id: AccountId): string {
  return `${addresses.format(ownerOf(id))}/${numberOf(id)}`;
}

export function emitDeleverage(ctx: WriteContext, report: DeleverageReport): void {
  const attributes = {
    account: report.account,
    counterparty: report.counterparty,
    market: report.market,
    side: report.side,
    lots: report.lots.toString(),
    price_ticks: report.priceTicks.toString(),
    mark_ticks: report.markTicks.toString(),
    notional: report.notional.toString(),
    pro_rata_lots: report.proRataLots.toString(),
    reason: deleverageReason(report),
  };
  ctx.emit("deleverage", attributes, () => whyDeleveraged(report));
}

export function emitDeficit(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly shortfall: bigint;
    readonly pendingShortfall: bigint;
  },
): void {
  ctx.emit("deficit", {
    account: report.account,
    shortfall: report.shortfall.toString(),
    pending_shortfall: report.pendingShortfall.toString(),
  });
}

export function emitDeficitCovered(ctx: WriteContext, account: string, amount: bigint): void {
  ctx.emit("deficit_covered", { account, amount: amount.toString() });
}

export function emitWithdrawalsGated(ctx: WriteContext, untilNs: bigint, reason: string): void {
  ctx.emit("withdrawals_gated", { until_ns: untilNs.toString(), reason });
}

export function emitDeposit(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly sender: string;
    readonly denom: string;
    readonly amount: bigint;
  },
): void {
  ctx.emit("deposit", { ...report, amount: report.amount.toString() });
}

export function emitWithdraw(
  ctx: WriteContext,
  report: { readonly account: string; readonly denom: string; readonly amount: bigint },
): void {
  ctx.emit("withdraw", { ...report, amount: report.amount.toString() });
}

export function emitTransfer(
  ctx: WriteContext,
  report: {
    readonly from: string;
    readonly to: string;
    readonly denom: string;
    readonly amount: bigint;
  },
): void {
  ctx.emit("subaccount_transfer", { ...report, amount: report.amount.toString() });
}

export function emitPositionSettled(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly market: string;
    readonly lots: bigint;
    readonly valuePerLot: bigint;
    readonly amount: bigint;
  },
): void {
  ctx.emit("position_settled", {
    account: report.account,
    market: report.market,
    lots: report.lots.toString(),
    value_per_lot: report.valuePerLot.toString(),
    amount: report.amount.toString(),
  });
}

export function emitFeesCollected(
  ctx: WriteContext,
  report: { readonly recipient: string; readonly denom: string; readonly amount: bigint },
): void {
  ctx.emit("fees_collected", { ...report, amount: report.amount.toString() });
}

export function emitFeesSplit(
  ctx: WriteContext,
  report: {
    readonly denom: string;
    readonly stakers: bigint;
    readonly insurance: bigint;
    readonly treasury: bigint;
  },
): void {
  ctx.emit("fees_split", {
    denom: report.denom,
    stakers: report.stakers.toString(),
    insurance: report.insurance.toString(),
    treasury: report.treasury.toString(),
  });
}

export function emitMarginMode(ctx: WriteContext, account: string, mode: MarginMode): void {
  ctx.emit("margin_mode_set", { account, mode });
}

/** The name of the model now in force; empty: none. */
export function emitPortfolioModel(ctx: WriteContext, model: string): void {
  ctx.emit("portfolio_model_set", { model });
}
