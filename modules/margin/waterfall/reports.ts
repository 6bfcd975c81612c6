/** What the waterfall did: events say it, and explanations are made of it. */
import type { Side } from "../ports.ts";

/** How long an account that is not below zero has found nobody, and after how long the other side is asked. */
export interface Wait {
  readonly waitedNs: bigint;
  readonly waitMs: bigint;
}

export interface DeleverageReport {
  readonly account: string;
  readonly counterparty: string;
  readonly market: string;
  readonly side: Side;
  readonly lots: bigint;
  readonly priceTicks: bigint;
  readonly markTicks: bigint;
  readonly notional: bigint;
  readonly proRataLots: bigint;
  /** Null: the account is bankrupt. */
  readonly wait: Wait | null;
}

export interface LossReport {
  readonly account: string;
  readonly cause: "liquidation" | "settlement" | "queue" | "market";
  readonly amount: bigint;
  readonly classes: readonly (readonly [string, bigint])[];
  readonly lines: readonly (readonly [string, bigint])[];
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
  /** Negative: gained. */
  readonly loss: bigint;
  /** Null: the account is bankrupt. */
  readonly wait: Wait | null;
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
