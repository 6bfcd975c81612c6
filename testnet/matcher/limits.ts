/** Bounds of the reference matcher, each with its reason. */

/** Documents that rest; a reference matcher is no exchange. */
export const BOOK_MAX = 10_000;
/** Trades of one message: the chain takes 100, and a smaller one costs less when one of its trades is refused. */
export const TRADES_PER_MESSAGE = 25;
/** A signed document is about 500 bytes of base64. */
export const BODY_BYTES_MAX = 4_096;
/** Fates of documents that are remembered; the oldest are forgotten first. */
export const FATES_MAX = 100_000;
/** A client that sends its request slower than this is cut off. */
export const REQUEST_TIMEOUT_MS = 5_000;
