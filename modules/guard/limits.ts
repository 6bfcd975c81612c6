/** Bounds of this module, each with its reason. */

/** What one key decides alone ends within three days: long enough for a vote. */
export const EMERGENCY_MAX_MS: bigint = 3n * 86_400_000n;
