/** Bounds of this module, each with its reason. */

/** Shares fit an unsigned 128-bit integer. */
export const SHARES_LIMIT: bigint = 1n << 128n;

/** Shares of the first quantum: fine enough that a share is never worth rounding for. */
export const FIRST_SHARES_PER_QUANTUM = 1_000_000n;
/** Kept by the vault for ever: what makes a gift that inflates the price of a share dearer than anything it could win. */
export const OWN_SHARES = 1_000_000_000n;

/** Markets with terms: each is looked at in every block. */
export const MARKETS_MAX = 64;
/** Quotes per side of a market. */
export const LAYERS_MAX = 8;
/** Requests of one owner in the queue. */
export const WITHDRAWALS_PER_OWNER_MAX = 16;
/** Locks of one owner kept apart; the next one joins the latest. */
export const LOCKS_PER_OWNER_MAX = 8;

/** Capital is moved when it differs by more than this from where it should be: few events, and no writes for noise. */
export const CAPITAL_TOLERANCE_PPM = 100_000n;

/** A quote that works a position down is at least this part of it. */
export const REDUCING_PARTS = 10n;

/** Upper bounds of parameters. */
export const LOCKUP_MAX_MS: bigint = 366n * 86_400_000n;
export const DELAY_MAX_MS: bigint = 30n * 86_400_000n;
export const WITHDRAWALS_PER_BLOCK_CEILING = 1_000;
export const QUOTES_PER_BLOCK_CEILING = 1_000;
export const SAMPLE_MIN_MS = 1_000n;
export const DAY_MS = 86_400_000n;

/** Ticks of a price in the book. */
export const TICKS_MAX = 2_147_483_647n;
export const LOTS_MAX = 2_147_483_647n;

export const WITHDRAWALS_PAGE_DEFAULT = 100;
export const WITHDRAWALS_PAGE_MAX = 1_000;
