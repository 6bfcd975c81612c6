/** Events of the waterfall. Types and attribute names are documented in keel/margin/v1/events.proto. */

import type { WriteContext } from "../../kit/context.ts";
import { deleverageReason, whyCut, whyLost, whyRound } from "./reasons.ts";
import type { HaircutReport, LossReport, RoundReport } from "./reports.ts";

function listed(entries: readonly (readonly [string | number, bigint | string])[]): string {
  return entries.map(([name, value]) => `${name}=${value}`).join(",");
}

export function emitLoss(ctx: WriteContext, report: LossReport): void {
  ctx.emit(
    "loss",
    {
      account: report.account,
      cause: report.cause,
      amount: report.amount.toString(),
      classes: listed(report.classes),
      lines: listed(report.lines),
    },
    () => whyLost(report),
  );
}

export function emitDeleverageRound(ctx: WriteContext, report: RoundReport): void {
  const attributes = {
    account: report.account,
    market: report.market,
    side: report.side,
    needed_lots: report.neededLots.toString(),
    closed_lots: report.closedLots.toString(),
    price_ticks: report.priceTicks.toString(),
    mark_ticks: report.markTicks.toString(),
    level_ppm: report.levelPpm?.toString() ?? "",
    side_lots: report.sideLots.toString(),
    accounts: report.accounts.toString(),
    accounts_closed: report.accountsClosed.toString(),
    largest_share_ppm: report.largestSharePpm.toString(),
    concentration_ppm: report.concentrationPpm.toString(),
    scope: report.scope,
    loss: report.loss.toString(),
    reason: deleverageReason(report),
  };
  ctx.emit("deleverage_round", attributes, () => whyRound(report));
}

export interface AdvanceReport {
  readonly account: string;
  /** Of the fund. */
  readonly riskClass: string;
  /** Quanta, as is what the account owes the fund afterwards. */
  readonly amount: bigint;
  readonly left: bigint;
}

function advanceAttributes(report: AdvanceReport): Record<string, string> {
  return {
    account: report.account,
    risk_class: report.riskClass,
    amount: report.amount.toString(),
    left: report.left.toString(),
  };
}

export function emitAdvanceMade(ctx: WriteContext, report: AdvanceReport): void {
  ctx.emit("advance_made", advanceAttributes(report));
}

export function emitAdvanceReturned(ctx: WriteContext, report: AdvanceReport): void {
  ctx.emit("advance_returned", advanceAttributes(report));
}

export function emitAdvanceForgotten(ctx: WriteContext, report: Omit<AdvanceReport, "left">): void {
  ctx.emit("advance_forgotten", {
    account: report.account,
    risk_class: report.riskClass,
    amount: report.amount.toString(),
  });
}

export function emitWaterfallSet(
  ctx: WriteContext,
  feeds: readonly { readonly feedId: number; readonly riskClass: string }[],
): void {
  ctx.emit("waterfall_set", {
    feeds: listed(feeds.map(({ feedId, riskClass }) => [feedId, riskClass])),
  });
}

export function emitGainsHaircut(ctx: WriteContext, report: HaircutReport): void {
  const attributes = {
    account: report.account,
    gain: report.gain.toString(),
    kept: report.kept.toString(),
    market: report.market,
    market_gains: report.marketGains.toString(),
    market_missing: report.marketMissing.toString(),
    cap_ppm: report.capPpm.toString(),
  };
  ctx.emit("gains_haircut", attributes, () => whyCut(report));
}
