/** What insurance needs of others, said by insurance. */
import type { Addresses } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";

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

export interface InsurancePorts {
  readonly bank: BankPort;
  readonly addresses: Addresses;
  /** Where the coins of all claims lie: margin's collateral vault. */
  readonly vault: Uint8Array;
}
