/** Bounds of the RPC server that are not configuration. */

/** CosmJS batches 20 by default; upstream's 10 breaks it. */
export const BATCH_MAX = 100;
/** Deep JSON costs stack and time; no method takes more than params inside a batch. */
export const JSON_DEPTH_MAX = 16;
export const PER_PAGE_DEFAULT = 30;
export const PER_PAGE_MAX = 100;
export const BLOCKCHAIN_MAX = 20;
export const GENESIS_CHUNK_BYTES: number = 16 * 1024 * 1024;
/** A WebSocket that is this far behind is closed rather than buffered for. */
export const SOCKET_BUFFER_BYTES_MAX: number = 8 * 1024 * 1024;
/** Calls of one WebSocket in progress at once. */
export const SOCKET_CALLS_MAX = 1000;
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;
export const PING_INTERVAL_MS = 27_000;
/** Blocks are executed again for whoever asks why at most this often: each takes the thread for as long as a block does. */
export const EXPLAIN_INTERVAL_MS = 1_000;
/** And of the thread's time it takes one part in so many: books and bounds of a large state are made anew, which takes longer than a block. */
export const EXPLAIN_SHARE = 10;
/** Explained blocks kept, for all their events are explained at once. */
export const EXPLAINED_BLOCKS_MAX = 8;
