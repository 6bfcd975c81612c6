/**
 * The seams of the consensus host. `Application` is ABCI 2.0 in shape and is implemented in node/app; the stores in node/store;
 * the transport in consensus/net. Each port has a real and an in-memory implementation.
 */
import type { Height, Round } from "../core/types.ts";
import type { Event, ExecTxResult, ValidatorUpdate } from "../wire/abci.ts";
import type {
  Block,
  BlockID,
  Commit,
  ConsensusParams,
  ExtendedCommit,
  Misbehavior,
  PartSetHeader,
  Timestamp,
  ValidatorInfo,
} from "../wire/types.ts";

// ---------------------------------------------------------------- application (ABCI 2.0 in shape)

export interface AppInfo {
  readonly version: string;
  readonly appVersion: number;
  /** 0 before InitChain. */
  readonly lastHeight: Height;
  readonly lastAppHash: Uint8Array;
}

export interface InitChainRequest {
  readonly time: Timestamp;
  readonly chainId: string;
  readonly consensusParams: ConsensusParams;
  readonly validators: readonly ValidatorUpdate[];
  /** The genesis document's app_state, parsed JSON. */
  readonly appState: unknown;
  readonly initialHeight: Height;
}
export interface InitChainResponse {
  readonly consensusParams: ConsensusParams | null;
  /** Empty: keep the genesis document's. */
  readonly validators: readonly ValidatorUpdate[];
  readonly appHash: Uint8Array;
}

export interface CheckTxResult {
  readonly code: number;
  readonly data: Uint8Array;
  readonly log: string;
  readonly info: string;
  readonly gasWanted: bigint;
  readonly gasUsed: bigint;
  readonly events: readonly Event[];
  readonly codespace: string;
  /** Lower goes first in the mempool's reap order. */
  readonly lane: number;
  /** "address/sequence" of the first signer, or null for unordered transactions: equal senders keep their order. */
  readonly sender: string | null;
  /** Whose it is, in any text: what waits takes turns by signer where not all of it can be named. Absent: nobody's in particular. */
  readonly signer?: string | undefined;
  /** Also of a refused one. Absent: no vote may name it. */
  readonly nameable?: Nameable | undefined;
}

/** Votes on blocks up to this time and height may name a transaction for the first time. */
export interface Nameable {
  readonly timeNs: bigint;
  /** Null: any. */
  readonly height: bigint | null;
}

export interface CommitInfo {
  readonly round: Round;
  /** In the order of the validator set of height − 1. */
  readonly votes: readonly {
    readonly address: Uint8Array;
    readonly power: bigint;
    readonly flag: 1 | 2 | 3;
  }[];
}

export interface PrepareProposalRequest {
  readonly maxTxBytes: number;
  readonly txs: readonly Uint8Array[];
  /** Null at the initial height and where extensions are off. */
  readonly localLastCommit: ExtendedCommit | null;
  readonly misbehavior: readonly Misbehavior[];
  readonly height: Height;
  readonly time: Timestamp;
  readonly nextValidatorsHash: Uint8Array;
  readonly proposerAddress: Uint8Array;
}

export interface ProposedBlock {
  readonly hash: Uint8Array;
  readonly height: Height;
  readonly time: Timestamp;
  readonly txs: readonly Uint8Array[];
  readonly decidedLastCommit: CommitInfo;
  readonly misbehavior: readonly Misbehavior[];
  readonly nextValidatorsHash: Uint8Array;
  readonly proposerAddress: Uint8Array;
}

export interface FinalizeBlockResponse {
  readonly events: readonly Event[];
  readonly txResults: readonly ExecTxResult[];
  readonly validatorUpdates: readonly ValidatorUpdate[];
  readonly consensusParamUpdates: ConsensusParams | null;
  readonly appHash: Uint8Array;
}

export interface QueryRequest {
  readonly path: string;
  readonly data: Uint8Array;
  /** 0: latest committed. */
  readonly height: Height;
  readonly prove: boolean;
}
export interface QueryResponse {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
  readonly info: string;
  readonly index: bigint;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly proofOps:
    | readonly {
        readonly type: string;
        readonly key: Uint8Array;
        readonly data: Uint8Array;
      }[]
    | null;
  readonly height: Height;
}

export interface Application {
  info(): Promise<AppInfo>;
  initChain(request: InitChainRequest): Promise<InitChainResponse>;
  checkTx(tx: Uint8Array, kind: "new" | "recheck"): Promise<CheckTxResult>;
  prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]>;
  /**
   * From when, by each validator's own clock, the block is a proposal to vote for; null: at any time. Never asked of decided blocks. Until then there is no verdict,
   * since it is our clock against theirs; all that `processProposal` says must be the same for everybody. The block may be anything.
   */
  proposableFrom(block: Pick<ProposedBlock, "height" | "time" | "txs">): Timestamp | null;
  /** True accepts. A refusal is not an error; a throw is a broken machine. */
  processProposal(block: ProposedBlock): Promise<boolean>;
  extendVote(request: {
    readonly block: ProposedBlock;
    readonly round: Round;
  }): Promise<Uint8Array>;
  verifyVoteExtension(request: {
    readonly blockHash: Uint8Array;
    readonly height: Height;
    readonly address: Uint8Array;
    readonly extension: Uint8Array;
  }): Promise<boolean>;
  finalizeBlock(block: ProposedBlock): Promise<FinalizeBlockResponse>;
  /** Makes the finalised block durable. Returns the lowest height to keep, 0 for all. */
  commit(): Promise<{ readonly retainHeight: Height }>;
  query(request: QueryRequest): Promise<QueryResponse>;
  // Snapshots (state sync).
  listSnapshots(): Promise<readonly Snapshot[]>;
  loadSnapshotChunk(height: Height, format: number, index: number): Promise<Uint8Array | null>;
  offerSnapshot(snapshot: Snapshot, appHash: Uint8Array): Promise<"accept" | "reject">;
  applySnapshotChunk(index: number, chunk: Uint8Array): Promise<"accept" | "retry" | "reject">;
}

export interface Snapshot {
  readonly height: Height;
  readonly format: number;
  readonly chunks: number;
  readonly hash: Uint8Array;
  readonly metadata: Uint8Array;
}

// ---------------------------------------------------------------- machine room

/** Wall clock and timers; scaled or virtual in replays and tests. */
export interface Clock {
  now(): Timestamp;
  /** Real (not scaled) milliseconds, monotonic; for timeouts and metrics. */
  monotonicMs(): number;
  /** Calls back once after `delayMs` real milliseconds. */
  startTimer(delayMs: number, callback: () => void): { cancel(): void };
}

/** Append-only record log. Records are opaque bytes; `host/wal.ts` frames and checks them. */
export interface WriteAheadLog {
  append(record: Uint8Array): void;
  /** Resolves when everything appended is on disk. */
  flush(): Promise<void>;
  /** All records after the last end-of-height mark of `height`, or null when that mark is not there. */
  readAfterEndHeight(height: Height): Promise<readonly Uint8Array[] | null>;
  /** Appends the mark and flushes. */
  writeEndHeight(height: Height): Promise<void>;
  close(): Promise<void>;
}

export interface Signer {
  readonly pubKey: Uint8Array;
  readonly address: Uint8Array;
  /**
   * Refuses (SignerRefusal) anything conflicting with its last-signed record. For the same height, round and step it returns the
   * stored signature, and the stored timestamp where only the timestamp differs.
   */
  signVote(
    chainId: string,
    vote: import("../wire/types.ts").Vote,
  ): Promise<import("../wire/types.ts").Vote>;
  signProposal(
    chainId: string,
    proposal: import("../wire/types.ts").Proposal,
  ): Promise<import("../wire/types.ts").Proposal>;
}

/** Checks one ed25519 signature by the ZIP-215 rule. Implementations may batch on workers. */
export type VerifyEd25519 = (
  pubKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Reaps and updates; admission and gossip live behind it (node/mempool). */
export interface Mempool {
  /**
   * In proposal order, within `maxBytes` of protobuf-framed transactions: at least what a block of `maxGas` (null: unlimited) can hold. The
   * application chooses among them.
   */
  reap(maxBytes: number, maxGas: bigint | null): readonly Uint8Array[];
  size(): number;
  /** Resolves once the pool is not empty (at once if it is not). Used for pacing. */
  onAvailable(callback: () => void): void;
  /**
   * Nothing is admitted from here until `update` is done. Called before the application commits, which resets what transactions are
   * checked against: one checked in between would be checked twice on the same state, and dropped as its own duplicate.
   */
  lock?(): Promise<void>;
  /** Called after commit with the block's transactions: drop them, recheck the rest. */
  update(
    height: Height,
    txs: readonly Uint8Array[],
    results: readonly ExecTxResult[],
  ): Promise<void>;
}

// ---------------------------------------------------------------- stores

export interface StoredBlock {
  readonly block: Block;
  /** The exact bytes the proposer serialised. */
  readonly bytes: Uint8Array;
  readonly blockId: BlockID;
}

export interface BlockStore {
  base(): Height;
  height(): Height;
  /** One synced batch. `seenCommit` carries extensions where they are enabled. */
  save(block: StoredBlock, seenCommit: ExtendedCommit): Promise<void>;
  load(height: Height): Promise<StoredBlock | null>;
  loadByHash(hash: Uint8Array): Promise<StoredBlock | null>;
  /** The commit for `height` found in block height+1; null at the tip. */
  loadCommit(height: Height): Promise<Commit | null>;
  loadSeenCommit(height: Height): Promise<ExtendedCommit | null>;
  /** Drops blocks below `retainHeight`; base moves first. */
  prune(retainHeight: Height): Promise<number>;
}

/** Consensus state after `lastHeight`: what the next block is built and checked against. */
export interface ChainState {
  readonly chainId: string;
  readonly initialHeight: Height;
  readonly lastHeight: Height;
  readonly lastBlockId: BlockID;
  readonly lastBlockTime: Timestamp;
  readonly lastValidators: readonly ValidatorInfo[];
  readonly validators: readonly ValidatorInfo[];
  readonly nextValidators: readonly ValidatorInfo[];
  readonly lastHeightValidatorsChanged: Height;
  readonly consensusParams: ConsensusParams;
  readonly lastHeightParamsChanged: Height;
  readonly lastResultsHash: Uint8Array;
  readonly appHash: Uint8Array;
  readonly appVersion: number;
}

export interface StateStore {
  load(): Promise<ChainState | null>;
  /** Synced. Also records validators and params by height. */
  save(state: ChainState): Promise<void>;
  loadValidators(height: Height): Promise<readonly ValidatorInfo[] | null>;
  loadConsensusParams(height: Height): Promise<ConsensusParams | null>;
  /** Synced; written before the application commits. */
  saveFinalizeBlockResponse(height: Height, response: FinalizeBlockResponse): Promise<void>;
  loadFinalizeBlockResponse(height: Height): Promise<FinalizeBlockResponse | null>;
}

// ---------------------------------------------------------------- network

/** `hex(SHA256(node public key)[:20])`, lower case. */
export type PeerId = string;
export type Channel = "consensus" | "mempool" | "blocksync" | "evidence" | "statesync";

/** Authenticated peers and framed messages; bounded queues on both sides. */
export interface Transport {
  readonly self: PeerId;
  start(): Promise<void>;
  stop(): Promise<void>;
  peers(): readonly PeerInfo[];
  /** False when the peer is gone or its queue for the channel is full (the frame is dropped and counted). */
  send(peer: PeerId, channel: Channel, message: Uint8Array): boolean;
  broadcast(channel: Channel, message: Uint8Array, except?: PeerId): void;
  onMessage(channel: Channel, handler: (peer: PeerId, message: Uint8Array) => void): void;
  onPeer(handler: (peer: PeerId, change: "up" | "down") => void): void;
  /** Counts misbehaviour; past the limit the peer is disconnected and refused for a while. */
  report(peer: PeerId, reason: string, severity: "minor" | "major"): void;
}

export interface PeerInfo {
  readonly id: PeerId;
  readonly address: string;
  readonly moniker: string;
  readonly outbound: boolean;
  readonly connectedSinceMs: number;
  readonly dropped: number;
}

// ---------------------------------------------------------------- events the host publishes

/** Published after the state is saved; RPC subscriptions and indexers listen. */
export interface CommittedBlock {
  readonly block: Block;
  readonly blockId: BlockID;
  readonly result: FinalizeBlockResponse;
}

export interface HostListener {
  onCommitted?(committed: CommittedBlock): void | Promise<void>;
  onRound?(height: Height, round: Round, step: string): void;
}

export type { PartSetHeader };
