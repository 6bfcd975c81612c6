/** Bounds of the store layer, each with its reason. */

/** The design's promise to light clients: this many heights and this much time stay provable from memory. */
export const provableHeights: number = 100;
export const provableMs: number = 10 * 60_000;

/**
 * Past roots in memory keep about 1 KiB alive per key changed since. Beyond this many changes the time rule gives way to the
 * heights rule, so that a busy chain holds some hundred megabytes of history, not gigabytes; older heights come from disk.
 */
export const retainedChangesMax: number = 250_000;

/** Heights rebuilt from disk that stay readable at once. */
export const rebuiltHeightsMax: number = 4;

/** Heights between durable snapshots: bounds the changelog replayed at start. */
export const snapshotIntervalHeights: number = 1_000;
/** Snapshots kept for peers that state-sync, whatever the provable heights need. */
export const snapshotsKeptMin: number = 2;

/** A chunk is closed once it passes this: a few milliseconds of work between two turns of the event loop. */
export const snapshotChunkBytes: number = 256 * 1024;
/** Accepted from a peer: the target plus one record of the largest size. */
export const snapshotChunkBytesMax: number = 4 * 1024 * 1024;
/** 4 GiB of state at the target size; the manifest of hashes stays within half a mebibyte. */
export const snapshotChunksMax: number = 16_384;

/** iavl's own bounds are wider; ours keep one record within a snapshot chunk. */
export const keyBytesMax: number = 64 * 1024;
export const valueBytesMax: number = 2 * 1024 * 1024;

/** A work slice between two turns of the event loop when rebuilding or snapshotting in the background. */
export const backgroundSliceMs: number = 5;

/** Keys removed per batch when pruning. */
export const pruneBatchKeys: number = 2_000;
/** Blocks removed per batch when pruning: each is read for its hash, and may be megabytes. */
export const pruneBatchBlocks: number = 50;
/** Blocks kept decoded: lagging peers and RPC ask for the newest over and over. */
export const blocksCachedMax: number = 8;

/** Longer attribute values and tags are not indexed: nobody searches for them, and they would bloat every key. */
export const indexedValueBytesMax: number = 4_096;
/** Index entries one search may read; some hundred milliseconds. */
export const searchScanMax: number = 50_000;
/** Records one search may load to check its further conditions. */
export const searchCheckedMax: number = 10_000;
