/**
 * The Application port of the consensus host, implemented over the modules. `openApplication` loads the committed state; the node's
 * wiring gives it a commit store, a signature verifier and a source of prices.
 */
import type {
  Application,
  CheckTxResult,
  FinalizeBlockResponse,
  InitChainRequest,
  ProposedBlock,
} from "@keel/consensus/host/ports";
import { ed25519Address } from "@keel/consensus/wire/keys";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import { compareValidators } from "@keel/consensus/wire/validator-set";
import type { BlockHeader, ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { Branch } from "@keel/modules/kit/store";
import { equalBytes } from "@keel/proto/bytes/compare";
import { timestampToNanos } from "@keel/proto/bytes/timestamp";
import type { SignatureVerifier } from "../crypto/verifier.ts";
import type { CommitStore } from "../store/types.ts";
import { createKeel, type Keel } from "./app.ts";
import { blockGasMax, blockHeader, createBlockExecutor, type ExecutedBlock } from "./block.ts";
import { checkResult } from "./check-result.ts";
import { readContext, writeContext } from "./contexts.ts";
import { DerivedTime, OldHeights } from "./derived-time.ts";
import { createExplainer, type ExplainAnswer } from "./explain.ts";
import { exportGenesis, loadGenesis } from "./genesis.ts";
import { firstViolation, type Violation } from "./invariants.ts";
import {
  EXPLAINED_ENTRIES_DEFAULT,
  LISTED_AHEAD_NS,
  NEWEST_TIME,
  OLD_HEIGHTS_TIME,
  QUERY_HEIGHTS_DEFAULT,
} from "./limits.ts";
import { listBounds } from "./list-bounds.ts";
import { type ListingTools, nameableOf, type PendingSource } from "./listing.ts";
import { createNaming } from "./naming.ts";
import { callsOutdated, proposableFrom } from "./outdated.ts";
import { prepareTxs, proposalProblem } from "./proposal.ts";
import { createProver } from "./prover.ts";
import { answerQuery } from "./query.ts";
import { createQueue } from "./queue.ts";
import { createRouter, type TxResult } from "./router.ts";
import { AppState } from "./state.ts";
import { createTxReader } from "./transactions.ts";
import { makeExtension, namedIn, type PriceSource } from "./vote-extension.ts";

/** One acceptable fee denom: `amountPerGas` = numerator / 10^18. */
export interface GasPrice {
  readonly denom: string;
  readonly attoPerGas: bigint;
}

export interface ApplicationOptions {
  /** From the genesis document; InitChain with another one is refused. */
  readonly chainId: string;
  /** Bech32 prefix of accounts, from the genesis document or configuration. */
  readonly addressPrefix: string;
  /** Opened with `storeNames` of app.ts. The application is its only user from then on; the caller closes it. */
  readonly store: CommitStore;
  /** `createVerifier` of node/crypto. The caller closes it. */
  readonly verifier: SignatureVerifier;
  /** null: this node votes without prices. */
  readonly prices: PriceSource | null;
  /** The pool, for this node's inclusion lists and what its blocks must hold. Absent: it names nothing. */
  readonly pending?: PendingSource;
  /** Fees this node asks for before it admits a transaction to its mempool (never a rule of the chain). Empty: none. */
  readonly minGasPrices: readonly GasPrice[];
  /** Reported by Info: the node's release. */
  readonly version: string;
  /** Chain time now in nanoseconds since the Unix epoch, for proposals alone: never a rule. Absent: no proposal is called outdated. */
  readonly nowNs?: () => bigint;
  /** Heights whose state stays open to queries; default 100. */
  readonly queryHeights?: number;
  /** Entries of a state on which a block is still executed again to explain it; default 100,000. */
  readonly explainEntries?: number;
  /** Told of faults that were contained (a reverted message, a quarantined market, a broken invariant). Default: nobody. */
  readonly onFault?: (fault: AppFault) => void;
}

export interface AppFault {
  readonly height: number;
  /** "message /keel.derivatives.v1.MsgPlaceOrder", "endBlock derivatives", "invariant margin/vault-backed" */
  readonly where: string;
  readonly error: Error;
}

/** The port, and what the node's other parts (RPC, CLI, metrics) ask of the state machine in process. */
export interface KeelApplication extends Application {
  /** Every gRPC query method answered by `query`, with its message types by full protobuf name. */
  readonly services: readonly {
    readonly path: string;
    readonly requestType: string;
    readonly responseType: string;
  }[];
  /** Checks the signatures of a batch on the verifier's threads, ahead of `checkTx`. Changes nothing but speed. */
  prefill(txs: readonly Uint8Array[]): Promise<void>;
  /** The committed state as a genesis document's app_state. */
  exportGenesis(): unknown;
  /** What the modules say of the state between blocks, in process: for simulations and tests. */
  look<T>(ask: (keel: Keel, context: ReadContext) => T): T;
  /** Why the events of a block's hooks came. */
  explain(block: ProposedBlock): ExplainAnswer;
  /** Asks every invariant, also those that scan whole stores, of the committed state; null: all hold. */
  brokenInvariant(): Violation | null;
}

interface Executed {
  readonly hash: Uint8Array;
  readonly block: ExecutedBlock;
  readonly response: FinalizeBlockResponse;
}

/** Version of the state machine, in every header. */
const APP_VERSION = 1;

export function openApplication(options: ApplicationOptions): KeelApplication {
  const { store, verifier, chainId } = options;
  const keel = createKeel({ addressPrefix: options.addressPrefix, verifier });
  const state = new AppState(keel.registry, store, {
    queryHeights: options.queryHeights ?? QUERY_HEIGHTS_DEFAULT,
    restore(branch) {
      if (store.height > 0)
        keel.ante.restore(writeContext(headerIn(branch), branch, unlimitedGas(), []));
    },
  });
  const onFault = (height: number, where: string, error: Error): void =>
    options.onFault?.({ height, where, error });
  const reader = createTxReader(keel.messages, keel.addresses);
  const { read, admit, forget } = reader;
  const router = createRouter({
    ante: keel.ante,
    addresses: keel.addresses,
    minGasPrices: options.minGasPrices,
    onFault,
  });
  const blocks = createBlockExecutor({ keel, chainId, router, read, onFault });
  const entriesMax = options.explainEntries ?? EXPLAINED_ENTRIES_DEFAULT;
  const explain = createExplainer({ keel, chainId, read, params, entriesMax });
  const serially = createQueue();
  const naming = createNaming(options.pending, keel);
  const prove = createProver({
    verifier,
    reader,
    chainId,
    account: (address) => keel.auth.account(committed(), address),
  });

  /** Header of the last committed block, or of genesis. */
  let header: BlockHeader = headerIn(state.live);
  let executed: Executed | null = null;
  let checked: { readonly branch: Branch; readonly params: ConsensusParams } | null = null;
  /** A fork for dry runs, made when one is asked for. */
  let rehearsal: { readonly height: number; readonly branch: Branch } | null = null;
  if (store.height > 0) state.remember({ header, branch: state.committed });

  function headerIn(branch: Branch): BlockHeader {
    const last = keel.chain.lastBlock.get(
      readContext({ chainId, height: 0, timeNs: 0n, proposer: "" }, branch, unlimitedGas()),
    );
    return { chainId, height: store.height, timeNs: last?.timeNs ?? 0n, proposer: "" };
  }

  function params(from: Branch): ConsensusParams {
    return (
      keel.chain.params.get(readContext(header, from, unlimitedGas())) ?? defaultConsensusParams
    );
  }

  function initChain(request: InitChainRequest): void {
    if (request.chainId !== chainId)
      throw new Error(`expected chain id ${chainId}, got ${request.chainId}`);
    if (store.height > 0) throw new Error(`the chain is already at height ${store.height}`);
    executed = null;
    state.dropAll();
    header = {
      chainId,
      height: request.initialHeight,
      timeNs: timestampToNanos(request.time),
      proposer: "",
    };
    const context = writeContext(header, state.live, unlimitedGas(), []);
    keel.chain.params.set(context, {
      ...request.consensusParams,
      version: { app: BigInt(APP_VERSION) },
    });
    loadGenesis(context, keel.genesis, request.appState);
    const validators = request.validators.map(({ pubKey, power }) => ({
      address: ed25519Address(pubKey),
      pubKey,
      power,
    }));
    if (validators.length > 0) {
      const ordered = validators.sort(compareValidators);
      keel.oracle.setValidators(context, request.initialHeight, ordered);
    }
    state.keepGenesis();
  }

  function execute(block: ProposedBlock): Executed {
    if (executed !== null && equalBytes(executed.hash, block.hash)) return executed;
    executed = null;
    state.dropBlock();
    const done = blocks.execute(state.live, block, params(state.live));
    const appHash = state.stage(block.height);
    const response: FinalizeBlockResponse = {
      events: done.events,
      txResults: done.txResults,
      validatorUpdates: [],
      consensusParamUpdates: null,
      appHash,
    };
    return (executed = { hash: block.hash, block: done, response });
  }

  function committed(): ReadContext {
    return readContext(header, state.check, unlimitedGas());
  }

  function problemOf(block: ProposedBlock): string | null {
    executed = null;
    state.dropBlock();
    return proposalProblem(block, params(state.live), {
      read,
      oracle: keel.oracle,
      header: blockHeader(chainId, block),
      state: state.live,
    });
  }

  /** Asked for with every check, and the same until the next block. */
  function checkedParams(): ConsensusParams {
    if (checked?.branch !== state.check)
      checked = { branch: state.check, params: params(state.check) };
    return checked.params;
  }

  /** What a vote may name, by the committed state at this header. */
  function listing(at: BlockHeader): ListingTools {
    const context = readContext(at, state.check, unlimitedGas());
    return { read, context, bounds: listBounds(checkedParams()) };
  }

  function nextVote(): BlockHeader {
    return { ...header, height: header.height + 1, timeNs: header.timeNs + LISTED_AHEAD_NS };
  }

  function runOnCheck(tx: Uint8Array, mode: "check" | "recheck"): CheckTxResult {
    const readable = admit(tx);
    const result = router({
      tx: readable,
      mode,
      header,
      state: state.check,
      blockGasMax: blockGasMax(checkedParams()),
      blockGasLeft: null,
    });
    // Nothing reverts past a checked transaction.
    state.check.clearJournal();
    return checkResult(result, readable, {
      addresses: keel.addresses,
      nameable: (tx) => nameableOf(listing(nextVote()), tx),
    });
  }

  const oldHeights = new OldHeights(new DerivedTime(OLD_HEIGHTS_TIME));
  const newest = new DerivedTime(NEWEST_TIME);

  function simulate(tx: Uint8Array): TxResult {
    const view = state.viewAt(header.height);
    if (view === null) throw new ModuleError("sdk", 26, "no block yet: invalid height");
    if (rehearsal?.height !== header.height)
      rehearsal = { height: header.height, branch: view.branch.fork() };
    const { branch } = rehearsal;
    const savepoint = branch.savepoint();
    try {
      return router({
        tx: read(tx),
        mode: "simulate",
        header,
        state: branch,
        blockGasMax: null,
        blockGasLeft: null,
      });
    } finally {
      branch.revert(savepoint);
    }
  }

  return {
    services: [...keel.queries.values()].map(({ path, requestType, responseType }) => ({
      path,
      requestType,
      responseType,
    })),
    prefill: (txs) => prove(txs, false),
    exportGenesis: () =>
      exportGenesis(readContext(header, state.committed, unlimitedGas()), keel.genesis),
    look: (ask) => ask(keel, readContext(header, state.live, unlimitedGas())),
    explain: (block) => explain(state.viewAt(block.height - 1), block),
    brokenInvariant() {
      const context = readContext(header, state.committed, unlimitedGas());
      return firstViolation(context, keel.genesis) ?? firstViolation(context, keel.genesis, "full");
    },
    async info() {
      return {
        version: options.version,
        appVersion: APP_VERSION,
        lastHeight: store.height,
        lastAppHash: store.appHash,
      };
    },
    initChain: (request) =>
      serially(async () => {
        initChain(request);
        return {
          consensusParams: params(state.live),
          validators: [],
          appHash: store.appHash,
        };
      }),
    async checkTx(tx, kind) {
      return runOnCheck(tx, kind === "new" ? "check" : "recheck");
    },
    prepareProposal: (request) =>
      serially(() =>
        prepareTxs(request, params(state.check), {
          ...{ read, oracle: keel.oracle },
          isOutdated: callsOutdated(keel.oracle, committed(), request.time, options.nowNs),
          context: readContext({ ...header, height: request.height }, state.check, unlimitedGas()),
          find: (key) => options.pending?.find(key),
        }),
      ),
    proposableFrom: (block) => proposableFrom(block, params(state.check), keel.oracle, committed()),
    processProposal: (block) =>
      serially(async () => {
        await prove(block.txs, true);
        const problem = problemOf(block);
        if (problem === null) execute(block);
        return problem === null;
      }),
    async extendVote({ block }) {
      const tools = listing(blockHeader(chainId, block));
      const listed = (): readonly string[] => naming(block, tools);
      return makeExtension(
        keel.oracle,
        { prices: options.prices, listed },
        tools.context,
        (error) => onFault(block.height, "extendVote", error),
      );
    },
    async verifyVoteExtension({ address, extension, height }) {
      const isGood = keel.oracle.verifyExtension(extension) === null;
      if (isGood) options.pending?.heard?.({ height, voter: address, keys: namedIn(extension) });
      return isGood;
    },
    finalizeBlock: (block) => serially(async () => execute(block).response),
    commit: () =>
      serially(async () => {
        if (executed === null) throw new Error("commit: no block was finalised");
        const done = executed;
        await store.commit();
        executed = null;
        header = done.block.header;
        state.advance(header);
        forget();
        return { retainHeight: 0 };
      }),
    query: (request) =>
      answerQuery(
        {
          store,
          routes: keel.queries,
          version: options.version,
          latest: () => state.viewAt(store.height),
          viewAt: (height) => state.viewAt(height),
          oldHeights,
          newest,
          simulate,
          onFault,
        },
        request,
      ),
    listSnapshots: async () => store.listSnapshots(),
    loadSnapshotChunk: (height, format, index) => store.loadSnapshotChunk(height, format, index),
    // A node catches up block by block: state sync has no peer to take one from yet.
    async offerSnapshot() {
      return "reject";
    },
    async applySnapshotChunk() {
      return "reject";
    },
  };
}
