/** Every bound of the consensus core, with its reason. */

/** CometBFT's cap on a set's total power: an eighth of int64, so that no priority arithmetic can overflow. */
export const POWER_TOTAL_MAX: bigint = (2n ** 63n - 1n) / 8n;

/** Priorities may spread over at most this many times the total power before they are rescaled. */
export const PRIORITY_WINDOW_FACTOR: bigint = 2n;

/** Rounds are int32 on the wire. */
export const ROUND_MAX: number = 2 ** 31 - 1;

/**
 * Rounds beyond the next one in which one validator's votes (or proposals) are kept. Honest validators stand within a few
 * rounds of each other; the newest are kept because those are the ones a straggler can skip to. Bounds a height's memory to
 * this many rounds per validator, whatever a Byzantine one signs.
 */
export const ROUNDS_AHEAD_PER_VALIDATOR_MAX = 4;

/**
 * Proposals further ahead than this are refused before their proposer is computed: the rotation walks one step per round,
 * and the round number is the sender's choice.
 */
export const PROPOSAL_ROUNDS_AHEAD_MAX = 64;

/**
 * Votes further ahead than this are refused. Timeouts grow with the round, so honest validators need months to get there, and
 * the proposers of all rounds in between are walked when one is skipped to.
 */
export const VOTE_ROUNDS_AHEAD_MAX = 10_000;

/** Conflicting votes of one validator, round and kind that are counted without further backing (see votes.ts). */
export const CONFLICTING_VOTES_UNBACKED_MAX = 2;

/** Verdicts on blocks remembered per height; one block per round is the honest pace. */
export const BLOCK_VERDICTS_MAX = 256;
