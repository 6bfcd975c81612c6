/** What the ladder did: events say it, and explanations are made of it. */
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { MarketView } from "../health/market-view.ts";
import type { Side } from "../ports.ts";
import type { PenaltyInputs, PenaltyParts } from "./ladder-math.ts";
import type { AccountFigures } from "./liquidation-math.ts";

/** What a clip was reckoned from. */
export interface Sizing {
  readonly params: Params;
  readonly view: MarketView;
  readonly held: bigint;
  /** Lots of the owner's other accounts in the market: tiers go by all of them. */
  readonly elsewhere: bigint;
  /** Maintenance requirement that the position stands for. */
  readonly released: bigint;
  /** The penalty it was sized with; that of the lots which came of it is a second one. */
  readonly sizedByPpm: bigint;
  /** Lots that the block's bound still lets be closed. */
  readonly affordable: bigint;
  /** Null: it is no leg of a slice. */
  readonly sliceLots: bigint | null;
  /** The account's equity and what its fund may pay. */
  readonly fundsQuanta: bigint;
}

export type PenaltyCause = PenaltyInputs;

/** Who took it. */
export type LiquidationSource = "book" | "auction" | "other_side";

export interface LiquidationReport {
  readonly account: string;
  readonly market: string;
  readonly side: Side;
  readonly lots: bigint;
  readonly priceTicks: bigint;
  readonly notional: bigint;
  readonly penalty: bigint;
  readonly equityBefore: bigint;
  readonly equityAfter: bigint;
  readonly source: LiquidationSource;
  readonly wantedLots: bigint;
  readonly markTicks: bigint;
  readonly limitTicks: bigint;
  readonly maintenanceBefore: bigint;
  readonly maintenanceAfter: bigint;
  readonly penaltyPpm: bigint;
  /** Null: the rate is a parameter. */
  readonly penaltyCause: PenaltyCause | null;
  readonly sizing: Sizing;
  readonly parts: PenaltyParts;
}

/** Why the backstop was asked at all: `health`, less than the share of maintenance is left; `unfilled`, neither book nor bidders took what had to go during the wait. */
export interface TakeoverCause {
  readonly reason: "health" | "unfilled";
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly sharePpm: bigint;
  readonly waitedNs: bigint;
  readonly waitMs: bigint;
}

export interface TakeoverReport {
  readonly account: string;
  readonly backstop: string;
  readonly market: string;
  readonly side: Side;
  readonly lots: bigint;
  readonly markTicks: bigint;
  readonly notional: bigint;
  readonly collateral: bigint;
  readonly cause: TakeoverCause;
  /** As it stood before this position; what was taken over before it has changed it. */
  readonly before: AccountFigures;
  /** Of the position as it was: its lots, and its part of the maintenance requirement. */
  readonly heldLots: bigint;
  readonly positionMaintenance: bigint;
}

export interface SliceReport {
  readonly account: string;
  /** Market and lots of each leg, closed together. */
  readonly legs: readonly { readonly market: string; readonly lots: bigint }[];
  readonly released: bigint;
  readonly notional: bigint;
  readonly lossBefore: bigint;
  readonly lossAfter: bigint;
  readonly maintenanceBefore: bigint;
}
