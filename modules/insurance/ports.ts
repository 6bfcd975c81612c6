/** What insurance needs of others, said by insurance. */
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";

export interface BankPort {
  /** Moves coins; throws ModuleError (sdk 5) when `from` has too little. Addresses are raw bytes. */
  transfer(
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    denom: string,
    amount: bigint,
  ): void;
}

/** Who may be owed by the funds. Implemented by margin. */
export interface ShortfallPort {
  /** What accounts below zero miss, quanta. */
  pendingShortfall(ctx: ReadContext, denom: string): bigint;
}

/** Who counts what comes into the vault and leaves it. Implemented by the guard. */
export interface FlowPort {
  deposited(ctx: WriteContext, denom: string, quanta: bigint): void;
  /** Coins have left that nobody holds back. */
  left(ctx: WriteContext, denom: string, quanta: bigint): void;
}

/** Nobody counts. */
export const UNCOUNTED: FlowPort = { deposited: () => undefined, left: () => undefined };

export interface InsurancePorts {
  readonly bank: BankPort;
  readonly addresses: Addresses;
  readonly shortfalls: ShortfallPort;
  readonly flows: FlowPort;
  /** Where the coins of all claims lie: margin's collateral vault. */
  readonly vault: Uint8Array;
}
