/** Why the ladder did what its events say: the rules in the names of their inputs. */

import { type Explanation, quantities } from "../../kit/explanation.ts";
import type { DueReason } from "./ladder-math.ts";
import type { AccountFigures } from "./liquidation-math.ts";
import type { Flow } from "./measures.ts";
import type { LiquidationReport, SliceReport, TakeoverReport } from "./reports.ts";

const LIQUIDATION_RULE = [
  "due below maintenance",
  "need = target x maintenance, up, - equity",
  "costs = held x (sizing rate x lot value + slippage x lot notional)",
  "wanted = held x need / (target x released - costs), up, at least the least notional; all where equity < 0, where that divisor is not above 0 or where less than the least notional would be left; of a slice its lots; at most what the block may still close",
  "fillable = smaller of maintenance - equity and maintenance, x spread x released / (maintenance x held x tick), in ticks, down",
  "limit = mark, moved against the account by the smallest of: the larger of fillable and slippage x lot notional; band x lot notional; equity, not below zero, x released / (maintenance x held x tick); funds / (wanted x tick); each in ticks, down",
  "the book or the bidders take what they will up to the limit, the book no more than its throttle lets it; what nobody takes during the wait, the other side at the limit",
];
const FIXED_RATE_RULE = "penalty = notional x rate, up, at most the equity traded";
const LADDER_RATE_RULE =
  "rate = base + slope x sqrt(hourly variance x clip / depth), up, at most the ceiling, the ceiling where there is no depth; then at most equity / account notional - slippage, down, at least 0";

export function whyLiquidated(report: LiquidationReport): Explanation {
  const { penaltyCause: cause, sizing } = report;
  const { params, view } = sizing;
  const terms = params.ladder?.penalty;
  const rules = [...LIQUIDATION_RULE, ...(cause === null ? [] : [LADDER_RATE_RULE])];
  return {
    rule: [...rules, FIXED_RATE_RULE].join("; "),
    inputs: [
      ...quantities("quanta", {
        equity: report.equityBefore,
        maintenance: report.maintenanceBefore,
        released: sizing.released,
        "lot value": view.quantaPerLot,
        "lot notional": view.notionalPerLot,
        tick: view.terms.quantaPerTickLot,
        "least notional": params.liquidationNotionalMin,
        funds: sizing.fundsQuanta,
      }),
      ...quantities("lots", {
        held: sizing.held,
        "held by the owner's other accounts": sizing.elsewhere,
        "left of the block": sizing.affordable,
        ...(sizing.sliceLots === null ? {} : { slice: sizing.sliceLots }),
      }),
      ...quantities("ppm", {
        target: params.liquidationTargetPpm,
        slippage: params.liquidationSlippagePpm,
        spread: params.liquidationSpreadPpm,
        band: view.terms.liquidationBandPpm,
        "sizing rate": sizing.sizedByPpm,
      }),
      ...quantities("ticks", { mark: report.markTicks }),
      ...(cause === null || terms === undefined
        ? []
        : [
            ...quantities("2^-64", { "hourly variance": cause.variance }),
            ...quantities("quanta", {
              clip: cause.clip,
              depth: cause.depth,
              "account notional": cause.notional,
            }),
            ...quantities("ppm", {
              base: terms.basePpm,
              slope: terms.slopePpm,
              ceiling: terms.maxPpm,
            }),
          ]),
    ],
    results: [
      ...quantities("", { source: report.source }),
      ...quantities("lots", { wanted: report.wantedLots, closed: report.lots }),
      ...quantities("ticks", { limit: report.limitTicks, price: report.priceTicks }),
      ...quantities("ppm", { rate: report.penaltyPpm }),
      ...quantities("quanta", {
        notional: report.notional,
        "equity traded": report.equityAfter + report.penalty,
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

/** What a reserve price was reckoned from, beside the worst price. */
export interface OfferCause {
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly elapsedMs: bigint;
  readonly windowMs: bigint;
  readonly halfSpreadTicks: bigint;
}

export function whyOffered(
  report: {
    readonly lots: bigint;
    readonly reserveTicks: bigint;
    readonly worstTicks: bigint;
    readonly markTicks: bigint;
  },
  cause: OfferCause | null,
): Explanation {
  const results = quantities("lots", { offered: report.lots });
  if (cause === null) {
    const rule = "nothing of the account is to be closed here any more";
    return { rule, inputs: [], results };
  }
  return {
    rule:
      "reserve = mark, moved toward the worst price from half a spread (or the worst price, if that is nearer) by the used part of the way, down; " +
      "used = elapsed / window + (maintenance - equity) / maintenance, at most 1, and 1 where equity is not above 0",
    inputs: [
      ...quantities("quanta", { equity: cause.equity, maintenance: cause.maintenance }),
      ...quantities("ms", { elapsed: cause.elapsedMs, window: cause.windowMs }),
      ...quantities("ticks", {
        mark: report.markTicks,
        "half a spread": cause.halfSpreadTicks,
        worst: report.worstTicks,
      }),
    ],
    results: [...results, ...quantities("ticks", { reserve: report.reserveTicks })],
  };
}

export function whySliced(report: SliceReport): Explanation {
  return {
    rule:
      "of parts of the largest positions and pairs of them matched by notional what takes most off the maintenance requirement for its notional; each leg as far as the one before was filled; " +
      "undone where the worst loss or the requirement would rise",
    inputs: quantities("quanta", {
      "worst loss": report.lossBefore,
      maintenance: report.maintenanceBefore,
    }),
    results: [
      ...quantities(
        "lots",
        Object.fromEntries(report.legs.map(({ lots, market }) => [`closed of ${market}`, lots])),
      ),
      ...quantities("quanta", {
        notional: report.notional,
        released: report.released,
        "worst loss after": report.lossAfter,
      }),
    ],
  };
}

export function whyTakenOver(report: TakeoverReport): Explanation {
  const { before, cause } = report;
  return {
    rule:
      "asked when first equity < first maintenance x share, or when it has waited, what was taken of it setting that back by its part; at the mark, as many lots as the backstop has room for; " +
      "collateral = equity x part of maintenance x lots / (maintenance x held), down",
    inputs: [
      ...quantities("quanta", {
        "first equity": cause.equity,
        "first maintenance": cause.maintenance,
        equity: before.equity,
        maintenance: before.maintenance,
        "part of maintenance": report.positionMaintenance,
      }),
      ...quantities("ppm", { share: cause.sharePpm }),
      ...quantities("ns", { waited: cause.waitedNs }),
      ...quantities("ms", { wait: cause.waitMs }),
      ...quantities("lots", { held: report.heldLots }),
      ...quantities("ticks", { mark: report.markTicks }),
    ],
    results: [
      ...quantities("", { asked: cause.reason }),
      ...quantities("lots", { lots: report.lots }),
      ...quantities("quanta", { collateral: report.collateral }),
    ],
  };
}
