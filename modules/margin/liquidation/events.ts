/** Events of liquidation, documented in keel/margin/v1/events.proto. */

import type { WriteContext } from "../../kit/context.ts";
import type { Side } from "../ports.ts";
import type { DueReason } from "./ladder-math.ts";
import type { AccountFigures } from "./liquidation-math.ts";
import type { Flow } from "./measures.ts";
import {
  type OfferCause,
  whyAuctioned,
  whyDue,
  whyLiquidated,
  whyOffered,
  whySliced,
  whyTakenOver,
  whyThrottled,
} from "./reasons.ts";
import type { LiquidationReport, SliceReport, TakeoverReport } from "./reports.ts";

export function emitLiquidation(ctx: WriteContext, report: LiquidationReport): void {
  const { parts, penaltyCause } = report;
  ctx.emit(
    "liquidation",
    {
      account: report.account,
      market: report.market,
      side: report.side,
      lots: report.lots.toString(),
      price_ticks: report.priceTicks.toString(),
      notional: report.notional.toString(),
      penalty: report.penalty.toString(),
      equity_before: report.equityBefore.toString(),
      equity_after: report.equityAfter.toString(),
      source: report.source,
      wanted_lots: report.wantedLots.toString(),
      mark_ticks: report.markTicks.toString(),
      limit_ticks: report.limitTicks.toString(),
      maintenance_before: report.maintenanceBefore.toString(),
      maintenance_after: report.maintenanceAfter.toString(),
      penalty_ppm: report.penaltyPpm.toString(),
      penalty_insurance: parts.insurance.toString(),
      penalty_backstop: parts.backstop.toString(),
      penalty_keeper: parts.keeper.toString(),
      ...(penaltyCause === null
        ? {}
        : {
            hourly_variance: penaltyCause.variance.toString(),
            clip: penaltyCause.clip.toString(),
            depth: penaltyCause.depth.toString(),
            account_notional: penaltyCause.notional.toString(),
          }),
    },
    () => whyLiquidated(report),
  );
}

export function emitDue(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly reason: DueReason;
    readonly marks: AccountFigures;
    readonly averages: AccountFigures | null;
  },
): void {
  const { averages, marks } = report;
  ctx.emit(
    "liquidation_due",
    {
      account: report.account,
      reason: report.reason,
      equity: marks.equity.toString(),
      maintenance: marks.maintenance.toString(),
      average_equity: averages?.equity.toString() ?? "",
      average_maintenance: averages?.maintenance.toString() ?? "",
    },
    () => whyDue(report.reason, marks, averages),
  );
}

export function emitThrottled(
  ctx: WriteContext,
  report: {
    readonly market: string;
    readonly side: Side;
    readonly wantedLots: bigint;
    readonly availableLots: bigint;
    readonly accounts: number;
    readonly waiting: number;
    readonly flow: Flow;
  },
): void {
  const { flow } = report;
  ctx.emit(
    "liquidation_throttled",
    {
      market: report.market,
      side: report.side,
      wanted_lots: report.wantedLots.toString(),
      available_lots: report.availableLots.toString(),
      accounts: report.accounts.toString(),
      waiting: report.waiting.toString(),
      depth: flow.depth.toString(),
      capacity: flow.capacity.toString(),
      left: flow.left.toString(),
    },
    () => whyThrottled(report),
  );
}

export function emitTakeover(ctx: WriteContext, report: TakeoverReport): void {
  const { before, cause } = report;
  ctx.emit(
    "backstop_takeover",
    {
      account: report.account,
      backstop: report.backstop,
      market: report.market,
      side: report.side,
      lots: report.lots.toString(),
      mark_ticks: report.markTicks.toString(),
      notional: report.notional.toString(),
      collateral: report.collateral.toString(),
      equity: before.equity.toString(),
      maintenance: before.maintenance.toString(),
      reason: cause.reason,
    },
    () => whyTakenOver(report),
  );
}

export function emitSlice(ctx: WriteContext, report: SliceReport): void {
  ctx.emit(
    "liquidation_slice",
    {
      account: report.account,
      legs: report.legs.map(({ lots, market }) => `${market}:${lots}`).join(","),
      released: report.released.toString(),
      notional: report.notional.toString(),
      worst_loss_before: report.lossBefore.toString(),
      worst_loss_after: report.lossAfter.toString(),
    },
    () => whySliced(report),
  );
}

/** lots 0, cause null: it is offered no more. */
export function emitOffer(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly market: string;
    readonly side: Side;
    readonly lots: bigint;
    readonly reserveTicks: bigint;
    readonly worstTicks: bigint;
    readonly markTicks: bigint;
    readonly sinceNs: bigint;
  },
  cause: OfferCause | null,
): void {
  ctx.emit(
    "liquidation_offer",
    {
      account: report.account,
      market: report.market,
      side: report.side,
      lots: report.lots.toString(),
      reserve_ticks: report.reserveTicks.toString(),
      worst_ticks: report.worstTicks.toString(),
      mark_ticks: report.markTicks.toString(),
      since_ns: report.sinceNs.toString(),
    },
    () => whyOffered(report, cause),
  );
}

export function emitAuction(
  ctx: WriteContext,
  report: {
    readonly market: string;
    readonly side: Side;
    readonly priceTicks: bigint;
    readonly markTicks: bigint;
    readonly lots: bigint;
    readonly offeredLots: bigint;
    readonly bidLots: bigint;
    readonly clips: number;
    readonly bids: number;
  },
): void {
  ctx.emit(
    "liquidation_auction",
    {
      market: report.market,
      side: report.side,
      price_ticks: report.priceTicks.toString(),
      mark_ticks: report.markTicks.toString(),
      lots: report.lots.toString(),
      offered_lots: report.offeredLots.toString(),
      bid_lots: report.bidLots.toString(),
      clips: report.clips.toString(),
      bids: report.bids.toString(),
    },
    () => whyAuctioned(report),
  );
}

export function emitBidFilled(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly market: string;
    readonly side: Side;
    readonly lots: bigint;
    readonly priceTicks: bigint;
    readonly reward: bigint;
  },
): void {
  ctx.emit("liquidation_bid_filled", {
    account: report.account,
    market: report.market,
    side: report.side,
    lots: report.lots.toString(),
    price_ticks: report.priceTicks.toString(),
    reward: report.reward.toString(),
  });
}

/** What stands from now on; lots 0: nothing, and why. */
export function emitBid(
  ctx: WriteContext,
  report: {
    readonly account: string;
    readonly market: string;
    readonly side: Side;
    readonly lots: bigint;
    readonly worstTicks: bigint;
    readonly reason: "placed" | "withdrawn" | "margin" | "expired" | "outbid" | "off";
  },
): void {
  ctx.emit("liquidation_bid", {
    account: report.account,
    market: report.market,
    side: report.side,
    lots: report.lots.toString(),
    worst_ticks: report.worstTicks.toString(),
    reason: report.reason,
  });
}
