/** Block and state store over plain maps. What they hold survives a simulated crash: keep the object, drop the node. */
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { Commit, ConsensusParams, ExtendedCommit, ValidatorInfo } from "../../wire/types.ts";
import type {
  BlockStore,
  ChainState,
  FinalizeBlockResponse,
  StateStore,
  StoredBlock,
} from "../ports.ts";

export interface MemoryBlockStore extends BlockStore {
  /** Loses everything above `height`, as an older copy would. */
  rewind(height: number): void;
}

export function createMemoryBlockStore(): MemoryBlockStore {
  const blocks = new Map<number, StoredBlock>();
  const commits = new Map<number, ExtendedCommit>();
  let base = 0;
  let height = 0;
  return {
    base: () => base,
    height: () => height,
    async save(block, seenCommit) {
      const at = block.block.header.height;
      if (height !== 0 && at !== height + 1) {
        throw new Error(`block store: expected block ${height + 1}, got ${at}`);
      }
      if (seenCommit.height !== at)
        throw new Error(`block store: commit of height ${seenCommit.height} for block ${at}`);
      blocks.set(at, block);
      commits.set(at, seenCommit);
      height = at;
      if (base === 0) base = at;
    },
    load: async (at) => blocks.get(at) ?? null,
    loadByHash: async (hash) => {
      const name = bytesToHex(hash);
      return [...blocks.values()].find((block) => bytesToHex(block.blockId.hash) === name) ?? null;
    },
    loadCommit: async (at): Promise<Commit | null> => blocks.get(at + 1)?.block.lastCommit ?? null,
    loadSeenCommit: async (at) => commits.get(at) ?? null,
    async prune(retainHeight) {
      let count = 0;
      for (; base < Math.min(retainHeight, height); base++) {
        blocks.delete(base);
        commits.delete(base);
        count++;
      }
      return count;
    },
    rewind(to) {
      for (; height > to; height--) {
        blocks.delete(height);
        commits.delete(height);
      }
      if (height < base) base = height;
    },
  };
}

export interface MemoryStateStore extends StateStore {
  /** Sets the state back to the one saved at `height`. */
  rewind(height: number): void;
  dropResponse(height: number): void;
}

export function createMemoryStateStore(): MemoryStateStore {
  const saved = new Map<number, ChainState>();
  const validators = new Map<number, readonly ValidatorInfo[]>();
  const params = new Map<number, ConsensusParams>();
  const responses = new Map<number, FinalizeBlockResponse>();
  let current: ChainState | null = null;
  return {
    load: async () => current,
    async save(state) {
      current = state;
      saved.set(state.lastHeight, state);
      const next = state.lastHeight === 0 ? state.initialHeight : state.lastHeight + 1;
      validators.set(next, state.validators);
      validators.set(next + 1, state.nextValidators);
      params.set(next, state.consensusParams);
    },
    loadValidators: async (height) => validators.get(height) ?? null,
    loadConsensusParams: async (height) => params.get(height) ?? null,
    async saveFinalizeBlockResponse(height, response) {
      responses.set(height, response);
    },
    loadFinalizeBlockResponse: async (height) => responses.get(height) ?? null,
    rewind(height) {
      current = saved.get(height) ?? null;
    },
    dropResponse(height) {
      responses.delete(height);
    },
  };
}
