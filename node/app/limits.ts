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
/** A vote extension as it travels; a larger one is malformed. */
export const EXTENSION_BYTES_MAX = 4_096;
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
