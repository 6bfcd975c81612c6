/** Bounds of a replay, each with its reason. */

/** Below this the market is too thin to say anything; above it one process signs more than a small machine executes. */
export const TRADERS_MIN = 60;
export const TRADERS_MAX = 1_000;
/** Chain seconds per real second: beyond it a block interval is longer than the bars played. */
export const SCALE_MAX = 200;
/** Real time for four processes to start and for everyone to be funded and open positions, before the first bar begins. */
export const SETUP_MS = 45_000;
/**
 * Real time the others may take to a block while one is down. When it is the turn of the one that is down they wait out the propose timeout of 1 s and
 * the precommit timeout of 500 ms, besides the pace of 400 ms; three times that, because the same machine plays the whole market.
 */
export const OUTAGE_GAP_MS_MAX = 6_000;
/** A killed validator must have caught up and signed within this. */
export const REJOIN_MS = 60_000;
/** Requests in flight per node while blocks are compared. */
export const READS_AT_ONCE = 8;
/** Bank sends in one funding transaction. */
export const SENDS_PER_TX = 25;
/** Traders opening at the same time: the makers refill between two waves. */
export const OPENINGS_AT_ONCE = 8;
/** Of the traders, who must have held a position: a few may find the book empty, or their stake below the least order, to the end. */
export const OPENED_SHARE_MIN = 0.95;
/** Attempts of one opening: the book may be empty for a moment. */
export const OPENING_ATTEMPTS = 6;
