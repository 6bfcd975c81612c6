/** Bounds of this module, each with its reason. */

/** A vote extension travels in every precommit of every validator. */
export const EXTENSION_BYTES_MAX = 4096;

/** One feed's vote takes at most 30 bytes, so this many always fit an extension. */
export const FEEDS_MAX = 128;

/** First bytes of a transaction's SHA-256 in an inclusion list: nobody finds another transaction with the same 20. */
export const TX_KEY_BYTES = 20;

/** Transactions one validator names: 2,000 bytes of its extension, which leave room for the prices of 69 feeds. With more of those the list is cut. */
export const INCLUSION_LIST_MAX = 100;

/** Named by more than a third of power, of which each validator spends its own at most a hundred times: fewer than three hundred. */
export const NAMED_MAX: number = 3 * INCLUSION_LIST_MAX;

/** Prices and confidences stay below 2^63: they are stored as uint64 and compared after multiplication by powers. */
export const MANTISSA_LIMIT: bigint = 1n << 63n;

/** What one feed and one surface take of an extension at most, and how much there is for both: surfaces narrow the room for feeds. */
export const FEED_VOTE_BYTES_MAX = 30;
export const SURFACE_VOTE_BYTES_MAX = 450;

/** A surface is for a liquid underlying; each costs a vote of 450 bytes and a record per block. */
export const SURFACES_MAX = 4;
export const EXPIRIES_MAX = 16;

/** Options of one turn are priced from state that is kept once per turn. */
export const TURNS_MAX = 64;

/** Strikes of one smile asked for. */
export const STRIKES_PAGE_MAX = 100;

export const SYMBOL_LENGTH_MAX = 32;

/** Exponents a feed may have: beyond them a 63-bit mantissa cannot hold any real price. */
export const EXPONENT_MIN = -18;
export const EXPONENT_MAX = 6;

/** A stale limit beyond a day is no limit. */
export const MAX_AGE_MS_CEILING: bigint = 86_400_000n;

/** So many blocks without liquidation are a halt, and so many updates in a row an outage, not a doubt. */
export const SLOW_LANE_BLOCKS_MAX = 1_000;
export const CONFIRMATIONS_MAX = 1_000;

/** A question for a mean reads all steps. */
export const TWAP_STEPS_MAX = 128;

/** A day of minutes. */
export const SIGMA_MINUTES_MAX = 1_440;

/** Votes older than this many times the longest age of a price are from before an outage: twice leaves room for failed rounds and skewed clocks. */
export const OUTDATED_AGES = 2n;
/** Of that age, one part is enough for those who are to vote for it: by the other one honest clocks may differ. */
export const OUTDATED_PARTS = 2n;

/** Per year, of a bound on forwards that binds: what one change may move a mark by is then what its index moves in an ordinary block. */
export const BASIS_BOUND_STEP_PPM = 500n;
