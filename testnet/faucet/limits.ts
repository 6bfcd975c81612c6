/** Bounds of the faucet, each with its reason. */

/** {"denom", "address"} and nothing more. */
export const BODY_BYTES_MAX = 1_024;
/** Waiting credits; beyond it people are told to come again. */
export const QUEUE_MAX = 1_000;
/** Sends in one transaction: far below any gas or size limit. */
export const SENDS_PER_TX = 50;
/** Addresses remembered for their cool-down; the oldest are forgotten first, which costs a few coins and no memory. */
export const REMEMBERED_MAX = 100_000;
/** A client that sends its request slower than this is cut off. */
export const REQUEST_TIMEOUT_MS = 5_000;
