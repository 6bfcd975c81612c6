/** Bounds of the library: what it accepts, how much it keeps, how long it waits. */

/** A decimal longer than this is no amount of anything. */
export const DECIMAL_LENGTH_MAX = 60;
/** The chain counts a client id in bytes of printable ASCII. */
export const CLIENT_ID_BYTES_MAX = 32;
/** One HTTP call; a node that takes longer is treated as gone and the next endpoint is asked. */
export const CALL_TIMEOUT_MS = 10_000;
/** Rounds over the list of endpoints before a call fails, with this pause between two rounds. */
export const ENDPOINT_ROUNDS = 2;
export const ENDPOINT_PAUSE_MS = 300;
/** Nobody needs more; each costs a try when the network is down. */
export const ENDPOINTS_MAX = 16;
/** How long a transaction is waited for before the wait (not the transaction) is given up. */
export const INCLUSION_TIMEOUT_MS = 60_000;
/** How often inclusion is asked for when no event stream is open, and when one is: events can be lost with a connection. */
export const POLL_INTERVAL_MS = 500;
export const POLL_INTERVAL_STREAMING_MS = 2_000;
/** Empty blocks that may follow the one that put a round off, before the one that ends it: a rule of the chain where markets auction by inclusion lists. */
export const IDLE_BLOCKS_MAX = 3;
/** How often a block that should hold an auction is asked for. */
export const AUCTION_POLL_MS = 200;
/** Transactions polled for at once: the rest wait for the next round. */
export const POLLS_AT_ONCE_MAX = 8;
/** A node takes five subscriptions per socket; with more accounts than this the watcher follows every transaction instead. */
export const WATCHED_ACCOUNTS_MAX = 4;
/** Pause before a lost event stream is opened again: doubled up to the second figure. */
export const RECONNECT_MIN_MS = 250;
export const RECONNECT_MAX_MS = 5_000;
/** A node's stream says something every ten seconds; silent for this long, it is taken for lost. */
export const STREAM_SILENCE_MS = 30_000;
/** Chain time older than this (of this machine's clock) is read again. */
export const CHAIN_TIME_AGE_MS = 400;
/** The chain refuses unordered transactions that live longer than ten minutes of block time. */
export const UNORDERED_TTL_MAX_MS = 600_000;
export const UNORDERED_TTL_MS = 300_000;
/** Sequence clashes (another process signs with the same key) that are retried. */
export const SEQUENCE_RETRIES = 3;
/** Cancels of one batch, amendments, and orders: the chain's bound for each. */
export const BATCH_ITEMS_MAX = 100;

/** The chain's ceiling for what an order may pay to a builder, and for what an owner may approve. */
export const BUILDER_FEE_CEILING_PPM = 10_000;

/** The chain's validators name no transaction with a higher gas limit in their inclusion lists. */
export const NAMED_GAS_MAX = 4_200_000;
/** Terms of markets and numbers of positions, as far as gas limits follow them: both change slowly. */
export const GAS_KNOWN_AGE_MS = 10_000;
/** Which market a symbol names: another one only when this one has settled and a proposal or a notice is through, and then the chain checks tick and lot itself. */
export const SYMBOL_KNOWN_AGE_MS = 60_000;
