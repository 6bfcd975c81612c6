/** A mark price and what follows from it for one lot. */
import type { PriceStage } from "../ports.ts";

/** Requirement per lot of a contract whose risk is not a share of its value, quanta. */
export interface PerLotLosses {
  readonly long: { readonly initial: bigint; readonly maintenance: bigint };
  readonly short: { readonly initial: bigint; readonly maintenance: bigint };
}

export interface Mark {
  /** 0 only for an option worth less than half a tick. */
  readonly ticks: bigint;
  /** False when an oracle price behind it is stale or below quorum. */
  readonly fresh: boolean;
  /** What it allows beside or less than that. Absent: all while fresh, nothing after. */
  readonly stage?: PriceStage;
  /** Value of one lot. */
  readonly quantaPerLot: bigint;
  /** Value of one lot of the underlying: what sizes and bands are measured by. */
  readonly notionalPerLot: bigint;
  /** Null: margin tiers on notional. */
  readonly losses: PerLotLosses | null;
}
