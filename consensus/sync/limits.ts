/** Every bound of block sync, with its reason. */

/** Requests one peer may have open, as CometBFT: enough to hide a round trip, few enough to lose little with the peer. */
export const requestsPerPeerMax: number = 20;
/** Blocks asked for ahead of the one being applied, and bytes of them held; whichever is reached first stops asking. */
export const blocksAheadMax: number = 64;
export const bytesAheadMax: number = 64 * 1024 * 1024;
/** A peer that has not delivered by then is not asked again in this run. A 21 MiB block passes at 1.4 MiB/s. */
export const requestMs: number = 15_000;
/** The block that everything waits for is asked from a second peer after this. */
export const hedgeMs: number = 2_000;
/** The claim of a peer that owes a block for so long counts no more, as long as others make one. */
export const doubtMs: number = 3_000;
/** Pace of the sync loop's housekeeping and of asking peers where they stand. */
export const tickMs: number = 50;
export const statusMs: number = 1_000;
/** Peers' heights are believed complete when no new peer has come for this long. */
export const settleMs: number = 400;
/**
 * A run that has applied nothing for so long is over, whatever peers claim: ever new ones could keep a validator out of consensus for
 * good. Longer than one request may take, so that a slow but honest peer is waited for.
 */
export const idleMaxMs: number = 20_000;
/** Without any peer there is nothing to wait for: consensus itself feeds a node that turns out to be behind. */
export const loneMs: number = 3_000;

/** Serving: requests of one peer that may wait, peers served at once, and tries to place one answer. */
export const servedWaitingMax: number = 40;
export const servedLoadsMax: number = 8;
export const sendRetryMs: number = 50;
export const sendTriesMax: number = 60;
