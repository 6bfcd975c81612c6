/** Bounds of custody, each with its reason. */

export const DAY_MS = 86_400_000;

/** Keys and recipients of a policy: a board, not a crowd; each execution reads them all. */
export const POLICY_ADDRESSES_MAX = 16;

/** A delay beyond this is a lost account. */
export const POLICY_DELAY_MAX_MS: number = 30 * DAY_MS;
export const RECOVERY_DELAY_MAX_MS: number = 60 * DAY_MS;

/** Proposals lie at most this long: longer than both delays, so that what waits can be executed. */
export const PROPOSAL_AHEAD_MAX_MS: number = 90 * DAY_MS;

/** Pending proposals of one proposer: a key in the wrong hands cannot fill the list for the others. */
export const PROPOSALS_PER_PROPOSER_MAX = 4;

/** Expired proposals, and exits of markets that are open again, forgotten per block. */
export const PRUNED_PER_BLOCK_MAX = 200;

/** Sub-accounts that one rule may draw on: each is evaluated before a liquidation. */
export const TOP_UP_GIVERS_MAX = 8;

/** A target beyond this is a deposit, not a rescue. */
export const TOP_UP_TARGET_MAX_PPM = 10_000_000n;

/** Losses that cannot be laid to a market; no market has this id. */
export const UNATTRIBUTED = 0;
