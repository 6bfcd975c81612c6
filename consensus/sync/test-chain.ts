/** A real chain for the tests of this folder: signed commits with extensions over real blocks, with an application that does nothing. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { buildBlock, nextHeight } from "../host/blocks.ts";
import type { EvidencePool } from "../host/evidence-pool.ts";
import { createExecutor, type Executor } from "../host/execution.ts";
import type {
  Application,
  BlockStore,
  ChainState,
  FinalizeBlockResponse,
  Mempool,
  StateStore,
  StoredBlock,
} from "../host/ports.ts";
import { nextState } from "../host/transition.ts";
import { genesisSet } from "../host/validator-sets.ts";
import { stripExtensions } from "../wire/commit.ts";
import { ed25519PublicKey, ed25519Sign, verifyZip215 } from "../wire/ed25519.ts";
import { ed25519Address } from "../wire/keys.ts";
import { defaultConsensusParams } from "../wire/params.ts";
import { voteExtensionSignBytes, voteSignBytes } from "../wire/sign-bytes.ts";
import type { ExtendedCommit, Vote } from "../wire/types.ts";

/** Checked once per signature: the tests sync the same chain again and again. */
const verdicts = new Map<string, boolean>();
export function verify(pubKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = `${bytesToHex(pubKey)}/${bytesToHex(message)}/${bytesToHex(signature)}`;
  const verdict = verdicts.get(key) ?? verifyZip215(pubKey, message, signature);
  verdicts.set(key, verdict);
  return verdict;
}

export const chainId = "sync-test-1";
const seeds = [1, 2, 3, 4].map((fill) => new Uint8Array(32).fill(fill));
export const addresses: readonly Uint8Array[] = seeds.map((seed) =>
  ed25519Address(ed25519PublicKey(seed)),
);
const startTime = { seconds: 1_700_000_000n, nanos: 0 };
const noBytes = new Uint8Array(0);

export function genesisState(): ChainState {
  const validators = genesisSet(
    seeds.map((seed) => ({ pubKey: ed25519PublicKey(seed), power: 10n })),
  );
  return {
    chainId,
    initialHeight: 1,
    lastHeight: 0,
    lastBlockId: { hash: noBytes, partSetHeader: { total: 0, hash: noBytes } },
    lastBlockTime: startTime,
    lastValidators: [],
    validators,
    nextValidators: validators,
    lastHeightValidatorsChanged: 1,
    consensusParams: { ...defaultConsensusParams, abci: { voteExtensionsEnableHeight: 1 } },
    lastHeightParamsChanged: 1,
    lastResultsHash: noBytes,
    appHash: new Uint8Array(32),
    appVersion: 0,
  };
}

const answer = (stored: { block: { txs: readonly Uint8Array[] } }): FinalizeBlockResponse => ({
  events: [],
  txResults: stored.block.txs.map(() => ({
    code: 0,
    data: noBytes,
    log: "",
    info: "",
    gasWanted: 0n,
    gasUsed: 0n,
    events: [],
    codespace: "",
  })),
  validatorUpdates: [],
  consensusParamUpdates: null,
  appHash: new Uint8Array(32).fill(7),
});

export interface ChainBlock {
  readonly stored: StoredBlock;
  readonly commit: ExtendedCommit;
}

/** `height` blocks of `txBytes` each, signed by three of the four. */
export function makeChain(height: number, txBytes: number = 100): readonly ChainBlock[] {
  const chain: ChainBlock[] = [];
  let state = genesisState();
  while (state.lastHeight < height) {
    const last = chain.at(-1)?.commit ?? null;
    const stored = buildBlock(state, {
      txs: [new Uint8Array(txBytes).fill(nextHeight(state) % 256)],
      lastCommit: last === null ? null : stripExtensions(last),
      evidence: [],
      proposerAddress: (state.validators[0] as (typeof state.validators)[number]).address,
    });
    chain.push({ stored, commit: signCommit(state, stored, 3) });
    state = nextState(state, stored, answer(stored));
  }
  return chain;
}

/** Commit of `stored` by the first `signers` validators of the set. */
export function signCommit(
  state: ChainState,
  stored: StoredBlock,
  signers: number,
): ExtendedCommit {
  const { height, time } = stored.block.header;
  const extendedSignatures = state.validators.map((validator, index) => {
    const seed = seeds.find((one) => equalBytes(ed25519PublicKey(one), validator.pubKey));
    if (seed === undefined || index >= signers) {
      return {
        flag: "absent" as const,
        validatorAddress: noBytes,
        timestamp: { seconds: -62_135_596_800n, nanos: 0 },
        signature: noBytes,
        extension: noBytes,
        extensionSignature: noBytes,
      };
    }
    const vote: Vote = {
      type: "precommit",
      height,
      round: 0,
      blockId: stored.blockId,
      timestamp: { seconds: time.seconds + 1n, nanos: index },
      validatorAddress: validator.address,
      validatorIndex: index,
      signature: noBytes,
      extension: Uint8Array.from([index]),
      extensionSignature: noBytes,
    };
    return {
      flag: "commit" as const,
      validatorAddress: vote.validatorAddress,
      timestamp: vote.timestamp,
      signature: ed25519Sign(seed, voteSignBytes(chainId, vote)),
      extension: vote.extension,
      extensionSignature: ed25519Sign(seed, voteExtensionSignBytes(chainId, vote)),
    };
  });
  return { height, round: 0, blockId: stored.blockId, extendedSignatures };
}

export class MemoryBlockStore implements BlockStore {
  readonly #blocks = new Map<number, ChainBlock>();
  #base = 0;
  #height = 0;

  constructor(chain: readonly ChainBlock[] = []) {
    for (const { stored, commit } of chain) this.#put(stored, commit);
  }

  base(): number {
    return this.#base;
  }
  height(): number {
    return this.#height;
  }
  save(stored: StoredBlock, commit: ExtendedCommit): Promise<void> {
    this.#put(stored, commit);
    return Promise.resolve();
  }
  load(height: number): Promise<StoredBlock | null> {
    return Promise.resolve(this.#blocks.get(height)?.stored ?? null);
  }
  loadByHash(): Promise<null> {
    return Promise.resolve(null);
  }
  loadCommit(height: number): Promise<StoredBlock["block"]["lastCommit"] | null> {
    return Promise.resolve(this.#blocks.get(height + 1)?.stored.block.lastCommit ?? null);
  }
  loadSeenCommit(height: number): Promise<ExtendedCommit | null> {
    return Promise.resolve(this.#blocks.get(height)?.commit ?? null);
  }
  prune(): Promise<number> {
    return Promise.resolve(0);
  }

  #put(stored: StoredBlock, commit: ExtendedCommit): void {
    const { height } = stored.block.header;
    this.#blocks.set(height, { stored, commit });
    if (this.#base === 0) this.#base = height;
    this.#height = Math.max(this.#height, height);
  }
}

/** The real executor on memory stores. */
export function testExecutor(blocks: BlockStore): Executor {
  const none = (): Promise<null> => Promise.resolve(null);
  const app = {
    finalizeBlock: (block: { txs: readonly Uint8Array[] }) => Promise.resolve(answer({ block })),
    commit: () => Promise.resolve({ retainHeight: 0 }),
  } as unknown as Application;
  const states = {
    save: () => Promise.resolve(),
    saveFinalizeBlockResponse: () => Promise.resolve(),
  } as unknown as StateStore;
  const mempool = { update: () => Promise.resolve() } as unknown as Mempool;
  const evidence = { check: none, update: () => {} } as unknown as EvidencePool;
  return createExecutor({ app, blocks, states, mempool, evidence, verify });
}
