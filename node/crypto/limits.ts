/** Bounds of the signature verifier, each with its reason. */

/** Results remembered: two generations of this many. A transaction is looked up at admission and again in its block seconds later. */
export const CACHE_GENERATION_ENTRIES_DEFAULT = 65_536;
/** Checks per message to a worker: past this the messages are no cheaper, and a batch must not take long. */
export const BATCH_CHECKS_MAX = 256;
/** Checks waiting for workers. Beyond it they are left to be done inline, so that a flood costs time but not memory. */
export const QUEUE_CHECKS_MAX = 8_192;
/** More threads than this never pay: networking and execution need cores too. */
export const WORKERS_MAX = 16;
