/** What the application said of each block of one height, and which answers were already asked for. */

import { BLOCK_VERDICTS_MAX } from "./limits.ts";
import type { BlockId, Round } from "./types.ts";

export interface Verdicts {
  /** undefined while the block is unchecked. */
  of(blockId: BlockId): boolean | undefined;
  /** The first answer stands; false when there was one already. */
  record(blockId: BlockId, valid: boolean): boolean;
  /** True once per round for a block without an answer: parts that did not arrive are asked for again in the next round. */
  shouldAsk(blockId: BlockId, round: Round): boolean;
}

export function createVerdicts(): Verdicts {
  const answers = new Map<BlockId, boolean>();
  const asked = new Map<BlockId, Round>();
  return {
    of: (blockId) => answers.get(blockId),
    record(blockId, valid) {
      if (answers.has(blockId)) return false;
      put(answers, blockId, valid);
      return true;
    },
    shouldAsk(blockId, round) {
      if (answers.has(blockId) || (asked.get(blockId) ?? -1) >= round) return false;
      put(asked, blockId, round);
      return true;
    },
  };
}

/** Forgets the oldest entry when full; a forgotten block is asked for anew when it matters again. */
function put<T>(entries: Map<BlockId, T>, blockId: BlockId, value: T): void {
  entries.set(blockId, value);
  if (entries.size <= BLOCK_VERDICTS_MAX) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    break;
  }
}
