/** Events of the waterfall. Types and attribute names are documented in keel/margin/v1/events.proto. */
import type { WriteContext } from "../../kit/context.ts";
import type { Side } from "../ports.ts";
import { whyCut, whyLost, whyRound } from "./reasons.ts";

function listed(entries: readonly (readonly [string | number, bigint | string])[]): string {
  return entries.map(([name, value]) => `${name}=${value}`).join(",");
}

export interface LossReport {
  readonly account: string;
  readonly cause: "liquidation" | "settlement" | "queue" | "market";
  readonly amount: bigint;
  readonly classes: readonly (readonly [string, bigint])[];
  readonly lines: readonly (readonly [string, bigint])[];
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

export interface RoundReport {
  readonly account: string;
  readonly market: string;
  readonly side: Side;
  readonly neededLots: bigint;
  readonly closedLots: bigint;
  readonly priceTicks: bigint;
  readonly markTicks: bigint;
  readonly levelPpm: bigint | null;
  readonly sideLots: bigint;
  readonly accounts: number;
  readonly accountsClosed: number;
  readonly largestSharePpm: bigint;
  readonly concentrationPpm: bigint;
  readonly scope: "unhedged" | "all";
  readonly loss: bigint;
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
  };
  ctx.emit("deleverage_round", attributes, () => whyRound(report));
}

export function emitWaterfallSet(
  ctx: WriteContext,
  feeds: readonly { readonly feedId: number; readonly riskClass: string }[],
): void {
  ctx.emit("waterfall_set", {
    feeds: listed(feeds.map(({ feedId, riskClass }) => [feedId, riskClass])),
  });
}

export interface HaircutReport {
  readonly account: string;
  readonly gain: bigint;
  readonly kept: bigint;
  readonly market: string;
  readonly marketGains: bigint;
  readonly marketMissing: bigint;
  readonly capPpm: bigint;
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
