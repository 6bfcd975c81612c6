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

/**
 * secp256k1 over SHA-256 of `signBytes`, 64-byte r ‖ s with low s. A pure function: whatever remembers or prepares its answers changes
 * nothing but speed.
 */
export type VerifySignature = (
  key: Uint8Array,
  signBytes: Uint8Array,
  signature: Uint8Array,
) => boolean;
