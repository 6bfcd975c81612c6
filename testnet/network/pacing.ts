/** How fast a local network makes blocks. */
import type { FileValues } from "@keel/node/config/template";

/** Blocks with something to say at most this often, as the node's own default. */
const MIN_BLOCK_MS = 200;
/** Blocks without. */
const EMPTY_BLOCK_MS = 1_000;

/** A stated block time holds for every block, however much waits; null: at most five a second, at least one. */
export function pacingValues(blockTimeMs: number | null): FileValues {
  return {
    "consensus.min_block_interval": `${blockTimeMs ?? MIN_BLOCK_MS}ms`,
    "consensus.empty_block_interval": `${emptyBlockMs(blockTimeMs)}ms`,
  };
}

/** Longest real time between two blocks of a healthy network. */
export function emptyBlockMs(blockTimeMs: number | null): number {
  return blockTimeMs ?? EMPTY_BLOCK_MS;
}
