/** Which of the transactions this node holds it names in its vote: its inclusion list. */
import type { Nameable } from "@keel/consensus/host/ports";
import { txBytesInBlock } from "@keel/consensus/wire/block";
import type { BlockHeader, ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { INCLUSION_LIST_MAX } from "@keel/modules/oracle/limits";
import { keyOfHash } from "@keel/modules/oracle/lists/keys";
import { LISTED_HEIGHTS_MIN, LISTED_LIFE_MIN_NS, LISTING_READS_MAX } from "./limits.ts";
import type { ListBounds } from "./list-bounds.ts";
import type { RunnableTx, TxReader } from "./transactions.ts";

/** A transaction of the pool. */
export interface PendingTx {
  readonly tx: Uint8Array;
  /** Latin-1 text of its SHA-256, of whose first bytes its key is; of what is named again, that key alone. */
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
  /**
   * Those that wait for a block and that a vote on this one may name, as their checks found (`nameableOf`): each for a few heights only, so that what no proposer can include is
   * not named for ever.
   */
  young(at: Pick<BlockHeader, "height" | "timeNs">): YoungTxs;
  /** Told of one of them that no vote names any more, so that it costs one read, not one a vote. */
  outgrown?(hash: string): void;
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

/** What a vote may name, in the sequence in which it is named, and who is told of what is not. */
export interface Candidates extends Pick<PendingSource, "outgrown"> {
  /** What the last vote of this node named for a block that did nothing. */
  readonly again: Iterable<PendingTx>;
  readonly young: YoungTxs;
}

/**
 * Keys of those that may be named by the committed state, which `context` reads at the header of the block voted on, without `taken`: what that block holds or leaves overdue, asked for
 * once there is something to list. Looks at no more than LISTING_READS_MAX of each kind, beside those. The list ends with the first that does not fit any more: a smaller one after
 * it would go before it again and again.
 */
export function listedKeys(
  { again, young, outgrown }: Candidates,
  taken: () => ReadonlySet<string>,
  tools: ListingTools,
): readonly string[] {
  const keys = new Set<string>();
  let without: ReadonlySet<string> | undefined;
  let { gas, bytes } = tools.bounds;
  for (const [kind, may] of [
    [again, isGoodForNext],
    [young.urgent, isListed],
    [young.others, isListed],
  ] as const) {
    let reads = 0;
    for (const { tx, hash } of kind) {
      const key = keyOfHash(hash);
      without ??= taken();
      if (without.has(key) || keys.has(key)) continue;
      if (reads >= LISTING_READS_MAX) break;
      reads += 1;
      const readable = tools.read(tx);
      if (readable instanceof ModuleError || !may(tools, readable)) {
        outgrown?.(hash);
        continue;
      }
      gas -= gasLimitOf(readable);
      bytes -= txBytesInBlock(readable.size);
      if (gas < 0n || bytes < 0) return [...keys];
      keys.add(key);
      if (keys.size >= INCLUSION_LIST_MAX) return [...keys];
    }
  }
  return [...keys];
}

/**
 * Until which block an honest validator names it, if at all: a block must then hold it, so it has to fit beside all the others, to be good for as long as it may be overdue, and
 * to need no other one before it. All of its messages must ask for it, or one of them would take others along, past what comes later.
 */
export function nameableOf(
  { bounds, context }: Omit<ListingTools, "read">,
  tx: RunnableTx,
): Nameable | undefined {
  const { routed, timeoutHeight, timeoutTimestampNs: endNs } = tx;
  const fits = txBytesInBlock(tx.size) <= bounds.txBytes && gasLimitOf(tx) <= bounds.txGas;
  if (!tx.unordered || endNs === null || !fits) return undefined;
  if (!routed.every(({ route, message }) => route.listed?.(context, message) === true))
    return undefined;
  return {
    timeNs: endNs - LISTED_LIFE_MIN_NS,
    height: timeoutHeight === 0n ? null : timeoutHeight - LISTED_HEIGHTS_MIN,
  };
}

/** Whether a vote on a block with this header may still name it. */
export function isNameableAt(
  { height: last, timeNs: endNs }: Nameable,
  { height, timeNs }: Pick<BlockHeader, "height" | "timeNs">,
): boolean {
  return timeNs <= endNs && (last === null || BigInt(height) <= last);
}

function isListed(tools: ListingTools, tx: RunnableTx): boolean {
  const nameable = nameableOf(tools, tx);
  return nameable !== undefined && isNameableAt(nameable, tools.context.header);
}

/** It was named in time: now the next block must find it good, no more. */
function isGoodForNext({ context }: ListingTools, tx: RunnableTx): boolean {
  const { height, timeNs } = context.header;
  return (
    (tx.timeoutTimestampNs ?? 0n) > timeNs &&
    (tx.timeoutHeight === 0n || tx.timeoutHeight > BigInt(height))
  );
}

function gasLimitOf({ fee }: RunnableTx): bigint {
  return fee?.gasLimit ?? 0n;
}
