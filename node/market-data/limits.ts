/** Bounds of market data and why. */

/** Blocks on their way to the reader's thread: enough to keep it busy, few enough that their bytes do not count. */
export const BLOCKS_IN_FLIGHT_MAX = 4;
/** Entries of state read in one turn of the event loop when the reader starts: about a millisecond. */
export const LOAD_ENTRIES_PER_TURN = 2_000;
/** Pause before a reader that failed is started again; doubled up to the second. A block it cannot read must not keep a processor busy. */
export const RESTART_MIN_MS = 5_000;
export const RESTART_MAX_MS = 600_000;

/** A request names a channel and a subject: hundreds of bytes at most. */
export const MESSAGE_BYTES_MAX = 2_048;
export const REQUEST_ID_LENGTH_MAX = 64;
/**
 * A busy desk follows dozens of markets and accounts. Topics have no bound of their own, which some could use up for all: clients times this. One
 * costs a look-up per block, and a text when there is news of it; with 20,000 of accounts without any, a block takes the reader's thread some
 * milliseconds more.
 */
export const SUBSCRIPTIONS_PER_CLIENT_MAX = 100;
/** Messages of one client: a burst to subscribe, then a few per second. Past it the socket is closed, since parsing is on the main thread. */
export const MESSAGES_BURST_MAX = 200;
export const MESSAGES_PER_SECOND_MAX = 20;
/** Snapshots on their way to one client: each may be megabytes. */
export const SNAPSHOTS_IN_FLIGHT_MAX = 16;
/** Behind by this much, a client gets no updates until it has read what it was sent, and then a snapshot. */
export const SLOW_BYTES: number = 512 * 1024;
/** Behind by this much, it is cut off: all snapshots that may be on their way at once, and no more. */
export const BUFFERED_BYTES_MAX: number = 24 * 1024 * 1024;
/** Still behind after this time, it is closed. */
export const SLOW_MS_MAX = 30_000;
/** So often a client hears something, and must answer a ping in between. */
export const HEARTBEAT_MS = 10_000;

/** Levels per side in a snapshot: beyond, `complete` is false. About a megabyte. */
export const SNAPSHOT_LEVELS_MAX = 20_000;
export const SNAPSHOT_PRINTS = 50;
export const SNAPSHOT_CANDLES = 100;
/** Marks of followed markets are read from state at most so often: it is the main thread that reads them. */
export const MARKS_INTERVAL_MS = 250;
/** They are read again after this many times what it took, if that is longer: whatever is followed, most of the main thread is free. */
export const MARKS_PAUSE_SHARE = 4;
/** Followed markets read in one turn of the event loop. */
export const MARKS_PER_TURN = 16;

export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1_000;
/** Prints of an account that one page of fills may look at when it asks for one market. */
export const FILLS_SCANNED_MAX = 20_000;
/** Records pruned per block beyond twice what the block wrote. */
export const PRUNED_PER_BLOCK = 16;
/** Markets that one block looks at to see whether the chain still has them: thousands are seen through within minutes. */
export const MARKETS_WATCHED_PER_BLOCK = 32;
/** Records that one block deletes of a market that is gone: one with ten thousand candles of every resolution takes some minutes. */
export const GONE_PRUNED_PER_BLOCK = 256;
/** Markets whose last candles are remembered: each miss costs a read. */
export const CANDLES_REMEMBERED_MAX = 20_000;
