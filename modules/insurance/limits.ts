/** Bounds of insurance, each with its reason. */

/** Owners paid in one block: each is a transfer, and the rest leaves in the next blocks. */
export const LEAVING_PER_BLOCK_MAX = 100;
/** Shares for a quantum of the first underwriter: small units, so that rounding is not worth anything. */
export const SHARES_PER_QUANTUM = 1_000_000n;
/** Fewer would lose more than a millionth of the amount to rounding. */
export const SHARES_MIN = 1_000_000n;
/** A fund that was all but exhausted gives any amount of shares for a quantum; then it takes none. */
export const SHARES_LIMIT: bigint = 1n << 160n;
/** Funds of one chain: each block reads all of them. */
export const FUNDS_MAX = 64;
