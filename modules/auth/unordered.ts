/** Unordered transactions: no sequence; instead a nonce (timeout, signer) that is remembered until the timeout has passed. */
import { bytesToKey, keyToBytes } from "../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { GAS } from "../kit/gas.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import {
  NONCES_PER_RECORD,
  NONCES_REMOVED_PER_BLOCK_MAX,
  UNORDERED_GAS,
  UNORDERED_TTL_MAX_NS,
} from "./limits.ts";
import type { AuthState, Nonce } from "./state.ts";
import { int64Key, nonceKey } from "./state.ts";
import type { SignedTx } from "./tx.ts";

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
    const key: Nonce = [timeout, signer];
    ctx.gas.consume(GAS.hasFlat, "Has");
    if (!noteNonce(ctx, state, key))
      throw sdkError("invalidRequest", `already used timeout ${timeout} for this signer`);
  }
}

/** In memory at once, in a record with the others of its block when that ends. False: it was used before. */
function noteNonce(ctx: WriteContext, state: AuthState, nonce: Nonce): boolean {
  if (!state.nonces.add(ctx, nonce, true)) return false;
  const { derived } = ctx.state;
  let used = derived.get(USED) as string[] | undefined;
  if (used === undefined) derived.set(USED, (used = []));
  const list = used;
  list.push(nonceKey.encode(nonce));
  ctx.state.onRevert(() => void list.pop());
  return true;
}

/** Encoded nonces that the branch's block has used so far: what undoes a transaction takes its own from the end. */
const USED = {};

/** At the end of a block: writes down what it used, in order. */
export function keepNonces(ctx: WriteContext, state: AuthState): void {
  const used = ctx.state.derived.get(USED) as readonly string[] | undefined;
  if (used === undefined || used.length === 0) return;
  ctx.state.derived.delete(USED);
  const ordered = [...used].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let number = 0n;
  for (let start = 0; start < ordered.length; start += NONCES_PER_RECORD) {
    const nonces = ordered.slice(start, start + NONCES_PER_RECORD);
    // A chain that began again at a lower height finds what it was given of its former blocks.
    while (isTaken(ctx, state, [BigInt(ctx.header.height), number], nonces)) number += 1n;
    writeRecord(ctx, state, [BigInt(ctx.header.height), number], nonces);
    number += 1n;
  }
}

export type RecordPlace = readonly [height: bigint, number: bigint];

/** Nonces of one block in ascending order, and its height and their number among the block's records. */
export interface NonceRecord {
  readonly place: RecordPlace;
  readonly nonces: readonly Nonce[];
}

/** The timeout that a record is named by. */
function latestOf(nonces: readonly string[]): bigint {
  return nonceOf(nonces[nonces.length - 1] as string)[0];
}

function isTaken(
  ctx: ReadContext,
  state: AuthState,
  place: RecordPlace,
  nonces: readonly string[],
): boolean {
  return state.nonceBlocks.has(ctx, [latestOf(nonces), place]);
}

/** `nonces`: encoded, ascending, at least one. */
export function writeRecord(
  ctx: WriteContext,
  state: AuthState,
  place: RecordPlace,
  nonces: readonly string[],
): void {
  state.nonceBlocks.set(ctx, [latestOf(nonces), place], keyToBytes(nonces.join("")));
}

/** By their latest timeout. */
export function eachRecord(
  ctx: ReadContext,
  state: AuthState,
  visit: (record: NonceRecord) => void,
): void {
  state.nonceBlocks.each(ctx, ([, place], bytes) => {
    const text = bytesToKey(bytes);
    const nonces: Nonce[] = [];
    for (let at = 0; at < text.length; at += NONCE_BYTES)
      nonces.push(nonceOf(text.slice(at, at + NONCE_BYTES)));
    visit({ place, nonces });
  });
}

/** After a branch was loaded: the nonces of its records again. */
export function restoreNonces(ctx: WriteContext, state: AuthState): void {
  eachRecord(ctx, state, ({ nonces }) => {
    for (const nonce of nonces) state.nonces.set(ctx, nonce, true);
  });
}

function nonceOf(text: string): Nonce {
  return nonceKey.decode(text, 0)[0];
}

const NONCE_BYTES = 28;

/** Bounded per block; what is left goes in the next blocks, and is refused meanwhile by its timeout. */
export function removeExpiredNonces(ctx: WriteContext, state: AuthState): void {
  const now = int64Key.encode(ctx.header.timeNs);
  state.nonces.deleteBelow(ctx, now, NONCES_REMOVED_PER_BLOCK_MAX);
  state.nonceBlocks.deleteBelow(ctx, now, NONCES_REMOVED_PER_BLOCK_MAX);
}
