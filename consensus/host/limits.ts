/** Every bound of the consensus host, each with its reason. */

// ---------------------------------------------------------------- write-ahead log

/** The largest record: a 64 KiB part with its proof, or a vote with a 1 MiB extension, and room for framing. */
export const walRecordBytesMax: number = 2 * 1024 * 1024;
/** The head file is closed and renamed past this size, so that recovery scans little. */
export const walFileBytesMax: number = 10 * 1024 * 1024;
/** Oldest rotated files go first past this total; one height never comes near it. */
export const walTotalBytesMax: number = 256 * 1024 * 1024;
/** Records gathered in memory before they are handed to the kernel without waiting for a flush. */
export const walPendingBytesMax: number = 256 * 1024;

// ---------------------------------------------------------------- driver

/** Inputs handled between two flushes: larger turns amortise fsync, smaller ones answer sooner. */
export const turnInputsMax: number = 64;
/** Messages of all peers waiting for the loop. A set of 150 validators sends about 300 votes a round; this holds many rounds. */
export const inboxMessagesMax: number = 8_192;
/** Bytes of parts waiting for the loop: a few of the largest blocks. */
export const inboxBytesMax: number = 64 * 1024 * 1024;
/** One peer may hold at most this share of the inbox, so that it cannot crowd the others out. */
export const inboxMessagesPerPeerMax: number = 2_048;
/** Messages of the next height kept until this one is decided. */
export const futureMessagesMax: number = 4_096;
export const futureBytesMax: number = 32 * 1024 * 1024;
/** Of these, one peer's share. */
export const futureMessagesPerPeerMax: number = 1_024;

/**
 * Votes of one validator held while a height waits for its time. Until more than a third has begun, an honest validator has come no
 * further than its prevote of round 0; the rest is for messages that overtake those of others, and for the other story of an equivocator.
 */
export const earlyVotesPerValidatorMax: number = 4;
/** All of them together, extensions included: a third of 500 validators with extensions of 4 KiB, four times. */
export const earlyVotesBytesMax: number = 4 * 1024 * 1024;

// ---------------------------------------------------------------- round state

/** Rounds beyond the next one for which one validator's votes are kept; the core counts no more. */
export const voteRoundsAheadMax: number = 4;
/** Part sets assembled at once, those with a polka apart: one per round, and rounds this many back no longer matter. */
export const assemblersMax: number = 16;
/** Parts kept for a block that nobody has proposed yet: a few blocks of the usual size. */
export const earlyPartsMax: number = 64;

// ---------------------------------------------------------------- evidence

/** Pending double votes. More than the set's size is already a catastrophe. */
export const evidencePendingMax: number = 1_024;
/** Hashes of committed evidence kept to refuse a second inclusion; beyond, expiry has long taken care. */
export const evidenceCommittedMax: number = 16_384;

// ---------------------------------------------------------------- blocks

/** A proposal's time may run ahead of our clock by this much; it bounds how far a bad clock can pull block time. */
export const blockTimeToleranceMs: number = 60_000;
