/** Bounds of the transaction pool. */
import { INCLUSION_LIST_MAX } from "@keel/modules/oracle/limits";
import { LISTED_TX_BYTES_MAX } from "../app/limits.ts";

export interface PoolLimits {
  /** Transactions held; past it a new one must displace one of a lower-priority lane or is refused. */
  readonly txsMax: number;
  /** Bytes held: a full pool is this much memory, a little more than one default block's worth of transactions. */
  readonly bytesMax: number;
  /** One transaction; also the ante's limit. */
  readonly txBytesMax: number;
  /** Hashes remembered, pooled or not: a resent transaction is recognised without another check. */
  readonly cacheMax: number;
  /** Transactions waiting for their check; past it they are refused at once, so a flood cannot grow memory. */
  readonly pendingMax: number;
  /** Bytes of those, until they have been checked: a block in commit keeps all of them waiting, and large ones are few. */
  readonly pendingBytesMax: number;
  /** A transaction that no proposer took for so many blocks is dropped. */
  readonly ttlBlocks: number;
  /** Blocks for which it is young, and named in this node's votes: what no proposer can include must not put auctions off for ever. */
  readonly youngBlocks: number;
  /**
   * Bytes of transactions that are not pooled and are kept all the same, with ASIDE_ENTRY_BYTES for each: a few blocks' worth of what others may have named; with 40 peers each of them has
   * 400 KB for itself, some 400 cancels. In all 32,768 at most.
   */
  readonly asideBytesMax: number;
}

export const POOL_LIMITS: PoolLimits = {
  txsMax: 50_000,
  bytesMax: 64 * 1024 * 1024,
  txBytesMax: 1024 * 1024,
  cacheMax: 200_000,
  pendingMax: 20_000,
  pendingBytesMax: 32 * 1024 * 1024,
  ttlBlocks: 600,
  youngBlocks: 4,
  asideBytesMax: 16 * 1024 * 1024,
};

/** What one of them takes beside its bytes, in this node's heap: its array, its key, its place; 310 bytes as measured. */
export const ASIDE_ENTRY_BYTES = 512;

/** Checks of one turn: enough to fill the signature workers, short enough to let the event loop breathe. */
export const CHECK_BATCH_MAX = 256;
/** One whose signatures are judged while another is checked. */
export const BATCHES_UNDER_WAY_MAX = 2;

/** Unordered transactions checked again after a block, in proposal order: so many for each that the block held, */
export const RECHECK_PER_BLOCK_TX = 1.25;
/** and never fewer than this. What is proposed without it and fails costs a place in a block, no more. */
export const RECHECK_MIN = 500;

/** Names of one validator at one height that none before had: an honest one may vote in two rounds, with a whole list each. */
export const NAMES_PER_VOTER_MAX: number = 2 * INCLUSION_LIST_MAX;
/**
 * Bytes passed on at one height for one validator's names, of transactions that no other one's pay for: a list of what trades has less (40 million gas of the largest batches are
 * 130 KB). A list of the longest (1.6 MB) is passed on whole where seven validators name it.
 */
export const PASSED_BYTES_PER_VOTER_MAX: number = 16 * LISTED_TX_BYTES_MAX;
/** Heights for which a name is known: young for four, overdue for three idle ones more, and one. */
export const HEARD_BLOCKS = 8;

/** Gas of one turn of a signer among what may be named: more than a cancel's limit as the client sets it, half of an order's that may trade. Eighty turns fill a list in a new network. */
export const TURN_GAS = 500_000n;
