/** Which of the transactions this node holds it names in its vote: its inclusion list. */
import { txBytesInBlock } from "@keel/consensus/wire/block";
import type { ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { INCLUSION_LIST_MAX, TX_KEY_BYTES } from "@keel/modules/oracle/limits";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { LISTED_HEIGHTS_MIN, LISTED_LIFE_MIN_NS, LISTING_READS_MAX } from "./limits.ts";
import type { ListBounds } from "./list-bounds.ts";
import type { RunnableTx, TxReader } from "./transactions.ts";

/** A transaction of the pool. */
export interface PendingTx {
  readonly tx: Uint8Array;
  /** Latin-1 text of its SHA-256. */
  readonly hash: string;
}

/**
 * In the sequence in which they are named: in turns, each of the same gas for every signer, each one's oldest first. So whoever sends much, or much gas, has what the others leave.
 * Urgent are cancels and reduce-only orders alone.
 */
export interface YoungTxs {
  readonly urgent: Iterable<PendingTx>;
  readonly others: Iterable<PendingTx>;
}

/** The pool, as far as inclusion lists need it. Keys as in the oracle's lists. */
export interface PendingSource {
  /** Unordered ones that wait for a block: each for a few heights only, so that what no proposer can include is not named for ever. */
  young(): YoungTxs;
  /** Any transaction whose bytes are at hand, for a block that must hold it. */
  find(key: string): Uint8Array | undefined;
  /** Told of what this node's vote on that height names, before the vote is sent: the next proposer has to have it. */
  named?(height: number, keys: readonly string[]): void;
  /** Told of what the vote of another validator names, its signature checked. */
  heard?(vote: VoteNames): void;
}

/** What a validator's vote on a height names. */
export interface VoteNames {
  readonly height: number;
  /** The validator's address. */
  readonly voter: Uint8Array;
  readonly keys: readonly string[];
}

export interface ListingTools {
  readonly read: TxReader["read"];
  readonly context: ReadContext;
  readonly bounds: ListBounds;
}

/** What this node's vote names, and the pool is told. */
export function nameListed(
  pending: PendingSource | undefined,
  blockTxs: readonly Uint8Array[],
  tools: ListingTools,
): readonly string[] {
  if (pending === undefined) return [];
  const keys = listedKeys(pending.young(), blockTxs, tools);
  pending.named?.(tools.context.header.height, keys);
  return keys;
}

/**
 * Keys of those of `young` that the block voted on leaves out and that may be named, urgent ones first, by the committed state, which `context` reads at the block's
 * header. Looks at no more than LISTING_READS_MAX of each kind, beside those of the block. The list ends with the first that does not fit any more: a smaller one after
 * it would go before it again and again.
 */
export function listedKeys(
  young: YoungTxs,
  blockTxs: readonly Uint8Array[],
  tools: ListingTools,
): readonly string[] {
  const keys: string[] = [];
  // Hashing a block costs: not before there is something to list.
  let inBlock: ReadonlySet<string> | undefined;
  let { gas, bytes } = tools.bounds;
  for (const kind of [young.urgent, young.others]) {
    let reads = 0;
    for (const { tx, hash } of kind) {
      const key = hash.slice(0, TX_KEY_BYTES);
      if (inBlock?.has(key)) continue;
      if (reads >= LISTING_READS_MAX) break;
      reads += 1;
      const readable = tools.read(tx);
      if (readable instanceof ModuleError || !isListed(tools, readable)) continue;
      inBlock ??= new Set(txKeys(blockTxs));
      if (inBlock.has(key)) continue;
      gas -= gasLimitOf(readable);
      bytes -= txBytesInBlock(readable.size);
      if (gas < 0n || bytes < 0) return keys;
      keys.push(key);
      if (keys.length >= INCLUSION_LIST_MAX) return keys;
    }
  }
  return keys;
}

/**
 * Whether an honest validator names it: a block must then hold it, so it has to fit beside all the others, to be good for as long as it may be overdue, and
 * to need no other one before it. All of its messages must ask for it, or one of them would take others along, past what comes later.
 */
function isListed({ bounds, context }: ListingTools, tx: RunnableTx): boolean {
  const { height, timeNs } = context.header;
  return (
    tx.unordered &&
    txBytesInBlock(tx.size) <= bounds.txBytes &&
    gasLimitOf(tx) <= bounds.txGas &&
    tx.timeoutTimestampNs !== null &&
    tx.timeoutTimestampNs >= timeNs + LISTED_LIFE_MIN_NS &&
    (tx.timeoutHeight === 0n || tx.timeoutHeight >= BigInt(height) + LISTED_HEIGHTS_MIN) &&
    tx.routed.every(({ route, message }) => route.listed?.(context, message) === true)
  );
}

function gasLimitOf({ fee }: RunnableTx): bigint {
  return fee?.gasLimit ?? 0n;
}
