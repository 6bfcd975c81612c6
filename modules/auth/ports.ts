/** What the ante needs of others, said by auth. */
import type { WriteContext } from "../kit/context.ts";

export interface FeeCoinAmount {
  readonly denom: string;
  readonly amount: bigint;
}

export interface FeeBankPort {
  /** Throws ModuleError sdk 5 when `from` has too little. */
  send(ctx: WriteContext, from: Uint8Array, to: Uint8Array, coins: readonly FeeCoinAmount[]): void;
}
