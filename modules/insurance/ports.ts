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

/** Who may be owed by the funds, and who owes them. Implemented by margin. */
export interface ShortfallPort {
  /** What accounts below zero miss, quanta; 0 while it is too little to hold up anybody. */
  pendingShortfall(ctx: ReadContext, denom: string): bigint;
  /** Of what the one fund has paid, how much accounts may give back at present prices, quanta, and its own shares with it: all of it where they hold something without a good price. */
  recoverable(
    ctx: ReadContext,
    denom: string,
    riskClass: string,
  ): { readonly amount: bigint; readonly ownShares: bigint };
}

/** What inventory would bring if all of it were sold now, quanta; asset by asset, so that one's gain does not hide another's loss. */
export interface InventorySale {
  /** Beyond cost, and below it. */
  readonly gain: bigint;
  readonly loss: bigint;
  /** Cost of what cannot be sold now: frozen, or without a good price. */
  readonly unpriced: bigint;
}

/** Who keeps the assets that the shared fund has bought. Implemented by margin. */
export interface InventoryPort {
  sale(ctx: ReadContext, denom: string): InventorySale;
}

/** Who counts what comes into the vault and leaves it. Implemented by the guard. */
export interface FlowPort {
  deposited(ctx: WriteContext, denom: string, quanta: bigint): void;
  /** Coins have left that nobody holds back. */
  left(ctx: WriteContext, denom: string, quanta: bigint): void;
}

/** The fund never buys any. */
export const NO_ASSETS: InventoryPort = { sale: () => ({ gain: 0n, loss: 0n, unpriced: 0n }) };

/** Nobody counts. */
export const UNCOUNTED: FlowPort = { deposited: () => undefined, left: () => undefined };

export interface InsurancePorts {
  readonly bank: BankPort;
  readonly addresses: Addresses;
  readonly shortfalls: ShortfallPort;
  readonly assets: InventoryPort;
  readonly flows: FlowPort;
  /** Where the coins of all claims lie: margin's collateral vault. */
  readonly vault: Uint8Array;
}
