/** Why the ladder did what its events say: the rules in the names of their inputs. */
import { type Explanation, quantities } from "../../kit/explanation.ts";
import type { LiquidationReport } from "./events.ts";
import type { DueReason } from "./ladder-math.ts";
import type { AccountFigures } from "./liquidation-math.ts";
import type { Flow } from "./measures.ts";

export function whyLiquidated(report: LiquidationReport): Explanation {
  const cause = report.penaltyCause;
  return {
    rule:
      "due below maintenance; wanted = (target x maintenance - equity) / (target x released - penalty - slippage) of the position, up; price no worse than the limit; " +
      (cause === null
        ? "penalty = notional x rate, up, at most the equity left"
        : "rate = base + slope x sqrt(hourly variance x clip / depth), up, at most the ceiling and equity / account notional - slippage; penalty = notional x rate, up, at most the equity left"),
    inputs: [
      ...quantities("quanta", {
        equity: report.equityBefore,
        maintenance: report.maintenanceBefore,
      }),
      ...quantities("ticks", { mark: report.markTicks, limit: report.limitTicks }),
      ...(cause === null
        ? []
        : [
            ...quantities("2^-64", { "hourly variance": cause.variance }),
            ...quantities("quanta", {
              clip: cause.clip,
              depth: cause.depth,
              "account notional": cause.notional,
            }),
            ...quantities("ppm", { slippage: cause.slippagePpm }),
          ]),
    ],
    results: [
      ...quantities("", { source: report.source }),
      ...quantities("lots", { wanted: report.wantedLots, closed: report.lots }),
      ...quantities("ticks", { price: report.priceTicks }),
      ...quantities("ppm", { rate: report.penaltyPpm }),
      ...quantities("quanta", {
        notional: report.notional,
        penalty: report.penalty,
        "equity after": report.equityAfter,
        "maintenance after": report.maintenanceAfter,
      }),
    ],
  };
}

export function whyDue(
  reason: DueReason,
  marks: AccountFigures,
  averages: AccountFigures | null,
): Explanation {
  return {
    rule: "equity < maintenance at the marks, and at their averages where there are any, unless equity < maintenance x the fast lane's share or below zero",
    inputs: [
      ...quantities("quanta", { equity: marks.equity, maintenance: marks.maintenance }),
      ...(averages === null
        ? []
        : quantities("quanta", {
            "average equity": averages.equity,
            "average maintenance": averages.maintenance,
          })),
    ],
    results: quantities("", { due: reason }),
  };
}

export function whyThrottled(report: {
  readonly wantedLots: bigint;
  readonly availableLots: bigint;
  readonly accounts: number;
  readonly waiting: number;
  readonly flow: Flow;
}): Explanation {
  const { accounts, availableLots, flow, waiting, wantedLots } = report;
  return {
    rule:
      "depth = smaller of the book's depth in range now and its average x the counted part, down; capacity = depth x flow, down, at least one clip; " +
      "left = capacity - what the window has not forgiven; available = left / notional of a lot, down, shared by maintenance - equity",
    inputs: [
      ...quantities("quanta", { depth: flow.depth }),
      ...quantities("lots", { wanted: wantedLots }),
      ...quantities("", { accounts }),
    ],
    results: [
      ...quantities("quanta", { capacity: flow.capacity, left: flow.left }),
      ...quantities("lots", { available: availableLots }),
      ...quantities("", { waiting }),
    ],
  };
}

export function whyAuctioned(report: {
  readonly priceTicks: bigint;
  readonly markTicks: bigint;
  readonly lots: bigint;
  readonly offeredLots: bigint;
  readonly bidLots: bigint;
}): Explanation {
  return {
    rule: "the price from the worst reserve to the mark at which most lots trade, then least is left over, then nearest to the mark; better prices first, the last in proportion to size",
    inputs: [
      ...quantities("lots", { offered: report.offeredLots, bid: report.bidLots }),
      ...quantities("ticks", { mark: report.markTicks }),
    ],
    results: [
      ...quantities("ticks", { price: report.priceTicks }),
      ...quantities("lots", { traded: report.lots }),
    ],
  };
}
