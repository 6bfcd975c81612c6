/** Bounds of the application shell, each with its reason. */
import type { DerivedTimeTerms } from "./derived-time.ts";

/** Heights whose state stays open to queries: forks share unchanged nodes, so each costs about what its block changed. */
export const QUERY_HEIGHTS_DEFAULT = 100;
/** One transaction: the mempool of stock clients and explorers expects no more. Checked before anything is decoded. */
export const TX_BYTES_MAX = 1_048_576;
/**
 * Entries of a state on which a block is executed again for whoever asks why. Not memory but time bounds it: books and bounds are made anew in the thread that
 * votes, and a million accounts take half a minute, in which a validator would sign nothing. A node that signs nothing may allow more.
 */
export const EXPLAINED_ENTRIES_DEFAULT = 100_000;
/** Pool entries read for one vote's inclusion list, of urgent ones and of others each: decoded ones are remembered, so this many are half a millisecond of the thread that votes. */
export const LISTING_READS_MAX = 500;
/**
 * What is named must fit a block, whole (`list-bounds.ts`). Named are fewer than 300, so by bytes even those of two blocks, 600, take less
 * than half of a default block. A batch of a hundred orders has about 8,000 bytes.
 */
export const LISTED_TX_BYTES_MAX = 16_384;
/** What the client gives a cancel of everything: nobody's way out of a market may be what is not named. A batch of a hundred orders uses 2.7 million, one of a hundred cancels 1.8: not both in one. */
export const LISTED_GAS_MAX = 4_200_000n;
/**
 * Of a block's gas, for one list: all that is named, with what is overdue, is then less than half of a block where lists are honest. In a new network's block (500 million) that
 * is 40 million; with a third of the lists full of the largest ones 500 million at most, which fits alone.
 */
export const LISTED_GAS_PERCENT = 8n;
/** Of one list where a block's gas is not limited: as in a new network. */
export const LISTED_GAS_UNLIMITED = 40_000_000n;
/** After the time of the block voted on, and after its height: a named transaction may be left out once and is still to be good in the block after. */
export const LISTED_LIFE_MIN_NS = 10_000_000_000n;
export const LISTED_HEIGHTS_MIN = 3n;
/** After the last block, at admission: who asks to be named is to be good enough for that in the next vote, too, or would only cost it a read. Few blocks take longer. */
export const LISTED_AHEAD_NS = 2_000_000_000n;
/** How long a proposer waits for transactions that were named and have not reached it: some hops of gossip, and little of the time others wait for a proposal. */
export const NAMED_WAIT_MS = 100;
export const NAMED_POLL_MS = 5;
/** Empty blocks that may follow one that put its round off and leave it open: more than that many proposers in a row are not dishonest, but may have lost what was named. */
export const IDLE_BLOCKS_MAX = 3;
/** Queries that make an order book anew, at an earlier height and at the newest: the book of 100,000 orders is half a second of the thread that votes. */
export const OLD_HEIGHTS_TIME: DerivedTimeTerms = {
  share: 10,
  // Several small ones are answered.
  burstMs: 100,
  advice:
    "earlier heights have had their share of this node's time: ask the newest, or again later",
};
/** Of the newest one is made once a block and market, so a node that serves large books must be able to; a validator's votes come first all the same. */
export const NEWEST_TIME: DerivedTimeTerms = {
  share: 4,
  burstMs: 1_000,
  advice:
    "order books have had their share of this node's time: ask again later, or follow /stream",
};
/** A query's request: keys and small messages only. */
export const QUERY_BYTES_MAX = 65_536;
/** Gas of one query or simulation, so that a scan cannot hold up the block in work. */
export const QUERY_GAS_MAX = 1_000_000_000n;
/** Decoded transactions remembered, in two generations: more than a full mempool's next blocks hold, at a few kilobytes each. */
export const READ_TXS_MAX = 8_192;
