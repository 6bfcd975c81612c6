/** A mark price and what follows from it for one lot. */
import type { PriceStage } from "../ports.ts";

/** Requirement per lot of a contract whose risk is not a share of its value, quanta. */
export interface PerLotLosses {
  readonly long: { readonly initial: bigint; readonly maintenance: bigint };
  readonly short: { readonly initial: bigint; readonly maintenance: bigint };
}

/** Its price is one that orders can name: where it is not, `ticks` is the nearest that is. */
export function isNamed({ ticks, quantaPerLot }: Mark, quantaPerTickLot: bigint): boolean {
  return quantaPerLot === ticks * quantaPerTickLot;
}

export interface Mark {
  /** What orders can name: 0 only for an option worth less than half a tick. */
  readonly ticks: bigint;
  /** False when an oracle price behind it is stale or below quorum, or when no order could name it: then `ticks` is the nearest that one could. */
  readonly fresh: boolean;
  /** What it allows beside or less than that. Absent: all while fresh, nothing after. */
  readonly stage?: PriceStage;
  /** Value of one lot. */
  readonly quantaPerLot: bigint;
  /** Value of one lot of the underlying, at least 1: what sizes and bands are measured by. */
  readonly notionalPerLot: bigint;
  /** Null: margin tiers on notional. */
  readonly losses: PerLotLosses | null;
}
