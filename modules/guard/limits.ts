/** Bounds of this module, each with its reason. */

export const DAY_MS = 86_400_000n;

/** What one key decides alone ends within three days: long enough for a vote. */
export const EMERGENCY_MAX_MS: bigint = 3n * DAY_MS;
/** What the emergency key holds is summed up over so long: time for several votes. */
export const EMERGENCY_PERIOD_MS: bigint = 30n * DAY_MS;
/** A third of it at most, whatever the parameters say. */
export const EMERGENCY_TOTAL_MAX_MS: bigint = 10n * DAY_MS;
/** Where they say nothing: so many times as long as one use. */
export const EMERGENCY_USES = 3n;
/** The authority's own restrictions have an end too; what is to last is a market's status or terms. */
export const RESTRICTION_MAX_MS: bigint = 30n * DAY_MS;
/** Raises double initial margin three times over at most. */
export const RAISE_MAX_PPM = 7_000_000n;

/** Markets with rules: each is looked at in every block. */
export const MARKETS_MAX = 256;
export const RANGES_MAX = 4;
export const LIMITS_PER_DENOM_MAX = 4;
export const DENOMS_MAX = 16;
/** Parts of a horizon or a window that are remembered apart. */
export const BUCKETS = 16n;

export const REASON_BYTES_MAX = 200;
/** Moves that are remembered: what a query can tell of the past without an archive. */
export const MOVES_MAX = 1_000;
export const MOVES_PAGE_DEFAULT = 100;

/** Accounts that a survey visits in one block: 0.3 ms of work. */
export const SURVEY_PER_BLOCK = 64;
/** An account is near liquidation when a tenth more requirement would make it so. */
export const NEAR_PPM = 100_000n;

/**
 * Depth is sampled so many times in the interval of its controller, and each sample counts for an eighth; the first eight count alike, and nothing moves
 * before there are so many.
 */
export const SAMPLES_PER_INTERVAL = 8n;
export const SAMPLE_PARTS = 8;

export const LOTS_MAX: bigint = (1n << 63n) - 1n;
export const GAP_MIN_MS = 1_000n;
export const GATE_BLOCKS_MAX = 1_000_000;
