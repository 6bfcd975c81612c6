/** Which of the transactions this node holds it names in its vote: its inclusion list. */
import type { ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { INCLUSION_LIST_MAX, TX_KEY_BYTES } from "@keel/modules/oracle/limits";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { LISTING_READS_MAX } from "./limits.ts";
import type { RunnableTx, TxReader } from "./transactions.ts";

/** A transaction of the pool. */
export interface PendingTx {
  readonly tx: Uint8Array;
  /** Latin-1 text of its SHA-256. */
  readonly hash: string;
}

/** What waits for a block, oldest first, each for a few heights only: what no proposer can include must not be named for ever. */
export type PendingSource = () => Iterable<PendingTx>;

/**
 * Keys of the oldest of them that the block voted on leaves out, that can be run, and whose messages ask to be listed by the committed state, which
 * `context` reads. Looks at no more than LISTING_READS_MAX beside those of the block.
 */
export function listedKeys(
  pending: PendingSource,
  blockTxs: readonly Uint8Array[],
  tools: { readonly read: TxReader["read"]; readonly context: ReadContext },
): readonly string[] {
  const keys: string[] = [];
  // Hashing a block costs: not before there is something to list.
  let inBlock: ReadonlySet<string> | undefined;
  let reads = 0;
  for (const { tx, hash } of pending()) {
    const key = hash.slice(0, TX_KEY_BYTES);
    if (inBlock?.has(key)) continue;
    if (reads >= LISTING_READS_MAX) break;
    reads += 1;
    const readable = tools.read(tx);
    if (readable instanceof ModuleError || !isListed(tools.context, readable)) continue;
    inBlock ??= new Set(txKeys(blockTxs));
    if (inBlock.has(key)) continue;
    keys.push(key);
    if (keys.length >= INCLUSION_LIST_MAX) break;
  }
  return keys;
}

function isListed(context: ReadContext, { routed }: RunnableTx): boolean {
  return routed.some(({ route, message }) => route.listed?.(context, message) === true);
}
