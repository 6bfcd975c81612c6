/** Unordered transactions: no sequence; instead a nonce (timeout, signer) that is remembered until the timeout has passed. */
import type { WriteContext } from "../kit/context.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import { NONCES_REMOVED_PER_BLOCK_MAX, UNORDERED_GAS, UNORDERED_TTL_MAX_NS } from "./limits.ts";
import type { SignedTx } from "./signatures.ts";
import type { AuthState } from "./state.ts";
import { int64Key } from "./state.ts";

export function useNonces(ctx: WriteContext, state: AuthState, tx: SignedTx): void {
  const timeout = tx.timeoutTimestampNs;
  if (timeout === null || timeout <= 0n) {
    throw sdkError("invalidRequest", "unordered transaction must have timeout_timestamp set");
  }
  if (timeout < ctx.header.timeNs) {
    throw sdkError(
      "invalidRequest",
      "unordered transaction has a timeout_timestamp that has already passed",
    );
  }
  if (timeout > ctx.header.timeNs + UNORDERED_TTL_MAX_NS) {
    throw sdkError("invalidRequest", "unordered tx ttl exceeds 10m0s");
  }
  ctx.gas.consume(UNORDERED_GAS, "unordered tx");
  for (const signer of tx.signers) {
    // Nonces are charged by the flat price above alone, so their state access is free.
    const key = [timeout, signer] as const;
    if (state.nonces.has(ctx, key)) {
      throw sdkError("invalidRequest", `already used timeout ${timeout} for this signer`);
    }
    state.nonces.set(ctx, key, true);
  }
}

/** Bounded per block; what is left goes in the next blocks, and is refused meanwhile by its timeout. */
export function removeExpiredNonces(ctx: WriteContext, state: AuthState): void {
  state.nonces.deleteBelow(ctx, int64Key.encode(ctx.header.timeNs), NONCES_REMOVED_PER_BLOCK_MAX);
}
