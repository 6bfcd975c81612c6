/**
 * Brings block store, chain state and application to the same height at start, whatever a crash has left: the application may be
 * behind, level, or one commit ahead of the saved state. Every disagreement it cannot mend is one plain sentence.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { resultsHash, type ValidatorUpdate } from "../wire/abci.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import type { GenesisDoc } from "../wire/genesis.ts";
import { applyParamsUpdate, consensusParamsProblem } from "../wire/params.ts";
import { toProposedBlock } from "./blocks.ts";
import type { Executor } from "./execution.ts";
import type {
  AppInfo,
  Application,
  BlockStore,
  ChainState,
  StateStore,
  StoredBlock,
} from "./ports.ts";
import { genesisSet, nextSet } from "./validator-sets.ts";

export interface HandshakeOptions {
  readonly genesis: GenesisDoc;
  readonly app: Application;
  readonly blocks: BlockStore;
  readonly states: StateStore;
  readonly executor: Executor;
}

/** Stores, state and application do not fit together. The message says what to do; the process must not start. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}

/** Runs before anything else touches stores or application; returns the state to go on from. */
export async function handshake(options: HandshakeOptions): Promise<ChainState> {
  const { genesis, app, blocks, states } = options;
  const info = await app.info();
  const loaded = await states.load();
  if (loaded !== null && loaded.chainId !== genesis.chainId) {
    throw new HandshakeError(
      `the data directory belongs to chain ${loaded.chainId}, not to ${genesis.chainId} of the genesis file`,
    );
  }
  const before = loaded ?? genesisState(genesis, info.appVersion);
  const state = info.lastHeight === 0 ? await initChain(options, before) : before;
  // A crash between InitChain and the first save repeats InitChain, so the state is saved only now.
  if (loaded === null) await states.save(state);
  return settle(options, { state, info, store: blocks.height() });
}

interface Heights {
  readonly state: ChainState;
  readonly info: AppInfo;
  readonly store: number;
}

async function settle(
  options: HandshakeOptions,
  { state, info, store }: Heights,
): Promise<ChainState> {
  const { genesis, executor, states } = options;
  const beforeFirst = genesis.initialHeight - 1;
  const stateHeight = state.lastHeight === 0 ? beforeFirst : state.lastHeight;
  const appHeight = info.lastHeight === 0 ? beforeFirst : info.lastHeight;
  if (store === 0) {
    assertLevel(appHeight, stateHeight);
    if (info.lastHeight > 0) assertAppHash(state.appHash, info.lastAppHash, state.lastHeight);
    return state;
  }
  assertReachable(options, { stateHeight, appHeight, store });
  if (store === stateHeight) {
    await replay(options, appHeight + 1, store);
    assertAppHash(state.appHash, (await options.app.info()).lastAppHash, store);
    return state;
  }
  const last = await loadBlock(options, store);
  if (appHeight === store) {
    // The application has committed this block; executing it again would apply it twice.
    const response = await states.loadFinalizeBlockResponse(store);
    if (response === null) {
      throw new HandshakeError(
        `the application has committed block ${store} but its saved result is missing: restore the data directory from a copy`,
      );
    }
    return executor.applySaved(state, last, response);
  }
  await replay(options, appHeight + 1, stateHeight);
  if (stateHeight > beforeFirst)
    assertAppHash(state.appHash, (await options.app.info()).lastAppHash, stateHeight);
  const problem = await executor.validateBlock(state, last);
  if (problem !== null)
    throw new HandshakeError(
      `stored block ${store} does not follow from the stored state: ${problem}`,
    );
  return executor.applyBlock(state, last);
}

function assertLevel(appHeight: number, stateHeight: number): void {
  if (appHeight === stateHeight) return;
  throw new HandshakeError(
    `there are no blocks, but the application is at height ${appHeight} and the state at ${stateHeight}: restore the data directory from a copy`,
  );
}

function assertReachable(
  options: HandshakeOptions,
  { stateHeight, appHeight, store }: { stateHeight: number; appHeight: number; store: number },
): void {
  const base = options.blocks.base();
  if (appHeight < base - 1) {
    throw new HandshakeError(
      `the application is at height ${appHeight}, but blocks begin at ${base}: it cannot catch up from here, restore it from a snapshot`,
    );
  }
  if (store < appHeight) {
    throw new HandshakeError(
      `the application is at height ${appHeight}, ahead of the last block ${store}: restore the blocks or reset the application`,
    );
  }
  if (store < stateHeight || store > stateHeight + 1) {
    throw new HandshakeError(
      `the state is at height ${stateHeight} and the last block is ${store}, expected the same or one more: restore the data directory from a copy`,
    );
  }
}

/** Executes stored blocks on the application alone, checking its hash against what the chain has agreed on. */
async function replay(options: HandshakeOptions, from: number, to: number): Promise<void> {
  for (let height = from; height <= to; height++) {
    const stored = await loadBlock(options, height);
    const isFirst = height === options.genesis.initialHeight;
    const lastValidators = isFirst ? [] : await options.states.loadValidators(height - 1);
    if (lastValidators === null)
      throw new HandshakeError(
        `the validators of height ${height - 1} are missing: restore the data directory from a copy`,
      );
    const response = await options.app.finalizeBlock(toProposedBlock(stored, lastValidators));
    await options.app.commit();
    const next = height < options.blocks.height() ? await loadBlock(options, height + 1) : null;
    if (next !== null) assertAppHash(next.block.header.appHash, response.appHash, height);
  }
}

async function loadBlock(options: HandshakeOptions, height: number): Promise<StoredBlock> {
  const stored = await options.blocks.load(height);
  if (stored === null)
    throw new HandshakeError(`block ${height} is missing: restore the data directory from a copy`);
  return stored;
}

function assertAppHash(expected: Uint8Array, got: Uint8Array, height: number): void {
  if (equalBytes(expected, got)) return;
  throw new HandshakeError(
    `application hash after block ${height}: expected ${bytesToHex(expected)}, got ${bytesToHex(got)}; ` +
      "the application's data or program differs from the chain's, do not go on with it",
  );
}

function genesisUpdates(genesis: GenesisDoc): readonly ValidatorUpdate[] {
  return genesis.validators.map(({ pubKey, power }) => ({ pubKey, power }));
}

/** The state before the first block, as the genesis document alone gives it. */
export function genesisState(genesis: GenesisDoc, appVersion: number): ChainState {
  const problem = consensusParamsProblem(genesis.consensusParams);
  if (problem !== null) throw new HandshakeError(`genesis: ${problem}`);
  const validators = genesis.validators.length === 0 ? [] : genesisSet(genesisUpdates(genesis));
  return {
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    lastHeight: 0,
    lastBlockId: zeroBlockId,
    lastBlockTime: genesis.genesisTime,
    lastValidators: [],
    validators,
    nextValidators: validators.length === 0 ? [] : nextSet(validators, []),
    lastHeightValidatorsChanged: genesis.initialHeight,
    consensusParams: genesis.consensusParams,
    lastHeightParamsChanged: genesis.initialHeight,
    lastResultsHash: resultsHash([]),
    appHash: genesis.appHash,
    appVersion,
  };
}

async function initChain(options: HandshakeOptions, state: ChainState): Promise<ChainState> {
  const { genesis, app } = options;
  const answer = await app.initChain({
    time: genesis.genesisTime,
    chainId: genesis.chainId,
    consensusParams: genesis.consensusParams,
    validators: genesisUpdates(genesis),
    appState: genesis.appState,
    initialHeight: genesis.initialHeight,
  });
  // Only a chain without blocks takes anything from the answer: later the blocks themselves say what holds.
  if (state.lastHeight !== 0) return state;
  const validators =
    answer.validators.length > 0 ? genesisSet(answer.validators) : state.validators;
  if (validators.length === 0)
    throw new HandshakeError("neither the genesis file nor the application names a validator");
  const params = answer.consensusParams;
  const consensusParams =
    params === null ? state.consensusParams : applyParamsUpdate(state.consensusParams, params);
  const problem = consensusParamsProblem(consensusParams);
  if (problem !== null)
    throw new HandshakeError(
      `application: impossible consensus parameters at InitChain: ${problem}`,
    );
  return {
    ...state,
    validators,
    nextValidators: nextSet(validators, []),
    consensusParams,
    appVersion: params === null ? state.appVersion : Number(params.version.app),
    appHash: answer.appHash.length > 0 ? answer.appHash : state.appHash,
  };
}
