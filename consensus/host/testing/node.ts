/** One consensus node on fakes: what survives a crash is its `Disk`, the rest is made anew by `startNode`. */

import { createPublicKey, verify as verifySignature } from "node:crypto";
import { join } from "node:path";
import type { TimeoutConfig } from "../../core/types.ts";
import { ConsensusReactor } from "../../net/consensus-reactor.ts";
import type { MemoryHub, MemoryTransport } from "../../net/memory-transport.ts";
import type { GenesisDoc } from "../../wire/genesis.ts";
import { ed25519Address } from "../../wire/keys.ts";
import { defaultConsensusParams } from "../../wire/params.ts";
import type { ConsensusParams, Proposal, Vote } from "../../wire/types.ts";
import { createDriver } from "../driver.ts";
import type { Driver } from "../driver-options.ts";
import { createEvidencePool } from "../evidence-pool.ts";
import { type CommitStep, createExecutor } from "../execution.ts";
import { handshake } from "../handshake.ts";
import type {
  ChainState,
  Clock,
  CommittedBlock,
  Signer,
  VerifyEd25519,
  WriteAheadLog,
} from "../ports.ts";
import { emptySignState, type SignState } from "../sign-state.ts";
import { createSigner, ed25519PublicKey } from "../signer.ts";
import type { PacingConfig } from "../timers.ts";
import { openWal } from "../wal.ts";
import {
  createMemoryBlockStore,
  createMemoryStateStore,
  type MemoryBlockStore,
  type MemoryStateStore,
} from "./memory-stores.ts";
import { createToyApp, createToyDisk, type ToyApp, type ToyDisk } from "./toy-app.ts";
import { createToyMempool, type ToyMempool } from "./toy-mempool.ts";

/** OpenSSL's check, which agrees with ZIP-215 on everything honest signers make. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
export const verifyOpenssl: VerifyEd25519 = (pubKey, message, signature) => {
  try {
    const key = createPublicKey({
      key: Buffer.concat([spkiPrefix, pubKey]),
      format: "der",
      type: "spki",
    });
    return verifySignature(null, message, key, signature);
  } catch {
    return false;
  }
};

export const fastTimeouts: TimeoutConfig = {
  proposeMs: 400,
  proposeDeltaMs: 200,
  prevoteMs: 200,
  prevoteDeltaMs: 100,
  precommitMs: 200,
  precommitDeltaMs: 100,
};
export const noPacing: PacingConfig = {
  minBlockIntervalMs: 0,
  emptyBlockIntervalMs: 0,
  createEmptyBlocks: true,
  commitMs: 0,
};

export function seedOf(index: number): Uint8Array {
  return new Uint8Array(32).fill(index + 1);
}

export interface GenesisRequest {
  readonly validators: number;
  readonly powers?: readonly bigint[];
  readonly initialHeight?: number;
  readonly params?: Partial<ConsensusParams>;
  readonly genesisTime?: GenesisDoc["genesisTime"];
}

export function createGenesis(request: GenesisRequest): GenesisDoc {
  return {
    chainId: "keel-test-1",
    genesisTime: request.genesisTime ?? { seconds: 1_700_000_000n, nanos: 0 },
    initialHeight: request.initialHeight ?? 1,
    consensusParams: { ...defaultConsensusParams, ...request.params },
    validators: Array.from({ length: request.validators }, (_, index) => {
      const pubKey = ed25519PublicKey(seedOf(index));
      return {
        address: ed25519Address(pubKey),
        pubKey,
        power: request.powers?.[index] ?? 10n,
        name: `v${index}`,
      };
    }),
    appHash: new Uint8Array(0),
    appState: {},
  };
}

/** Everything signed by one key, to tell a double sign from a repetition. */
export interface SignatureBook {
  readonly votes: Vote[];
  readonly proposals: Proposal[];
}

export interface Disk {
  readonly index: number;
  readonly walPath: string;
  readonly blocks: MemoryBlockStore;
  readonly states: MemoryStateStore;
  readonly app: ToyDisk;
  readonly book: SignatureBook;
  signState: SignState;
}

export function createDisk(directory: string, index: number): Disk {
  return {
    index,
    walPath: join(directory, `node${index}`, "wal"),
    blocks: createMemoryBlockStore(),
    states: createMemoryStateStore(),
    app: createToyDisk(),
    book: { votes: [], proposals: [] },
    signState: emptySignState,
  };
}

function recordingSigner(disk: Disk, crashAt: number | undefined): Signer {
  let signatures = 0;
  const crash = (): void => {
    signatures += 1;
    if (signatures === crashAt) throw new Error("crash at signature");
  };
  const signer = createSigner(seedOf(disk.index), {
    load: disk.signState,
    save: async (state) => {
      disk.signState = state;
    },
  });
  return {
    pubKey: signer.pubKey,
    address: signer.address,
    async signVote(chainId, vote) {
      const signed = await signer.signVote(chainId, vote);
      disk.book.votes.push(signed);
      crash();
      return signed;
    },
    async signProposal(chainId, proposal) {
      const signed = await signer.signProposal(chainId, proposal);
      disk.book.proposals.push(signed);
      crash();
      return signed;
    },
  };
}

export interface NodeOptions {
  readonly genesis: GenesisDoc;
  readonly disk: Disk;
  readonly hub: MemoryHub;
  readonly clock: Clock;
  readonly isValidator?: boolean;
  readonly timeouts?: TimeoutConfig;
  readonly pacing?: PacingConfig;
  readonly failPoint?: (step: CommitStep, height: number) => void;
  readonly configureApp?: (app: ToyApp) => void;
  /** Dies when this many things were signed, the last of which is in the signer's record but not released. */
  readonly crashAtSignature?: number;
  readonly wrapWal?: (wal: WriteAheadLog) => WriteAheadLog;
}

export interface TestNode {
  readonly disk: Disk;
  readonly app: ToyApp;
  readonly mempool: ToyMempool;
  readonly driver: Driver;
  readonly transport: MemoryTransport;
  readonly committed: CommittedBlock[];
  readonly warnings: string[];
  readonly reports: string[];
  /** The sentence the node died with. */
  fatal: string | null;
  /** Resolves at the height, rejects when the node dies before. */
  reach(height: number): Promise<void>;
  /** As SIGKILL would: nothing is flushed, nobody is told. */
  kill(): Promise<void>;
}

export function peerIdOf(index: number): string {
  return String(index).padStart(40, "0");
}

export async function startNode(options: NodeOptions): Promise<TestNode> {
  const { genesis, disk, hub, clock } = options;
  const app = createToyApp(disk.app);
  options.configureApp?.(app);
  const mempool = createToyMempool();
  const committed: CommittedBlock[] = [];
  const waiters: { height: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  const warnings: string[] = [];
  const reports: string[] = [];
  const evidence = createEvidencePool({
    blocks: disk.blocks,
    states: disk.states,
    verify: verifyOpenssl,
  });
  const listener = {
    onCommitted(block: CommittedBlock): void {
      committed.push(block);
      for (const waiter of waiters)
        if (block.block.header.height >= waiter.height) waiter.resolve();
    },
  };
  const executor = createExecutor({
    app,
    blocks: disk.blocks,
    states: disk.states,
    mempool,
    evidence,
    verify: verifyOpenssl,
    listener,
    ...(options.failPoint === undefined ? {} : { failPoint: options.failPoint }),
  });
  const state: ChainState = await handshake({
    genesis,
    app,
    blocks: disk.blocks,
    states: disk.states,
    executor,
  });
  const file = await openWal({ path: disk.walPath });
  const wal = options.wrapWal?.(file) ?? file;
  const transport = hub.create(peerIdOf(disk.index));
  const reactor = new ConsensusReactor({ transport, clock });
  const driver = createDriver({
    state,
    app,
    blocks: disk.blocks,
    executor,
    evidence,
    mempool,
    wal,
    signer: options.isValidator === false ? null : recordingSigner(disk, options.crashAtSignature),
    clock,
    gossip: reactor,
    verify: verifyOpenssl,
    report: (peer, reason, severity) => {
      reports.push(`${severity}: ${reason}`);
      transport.report(peer, reason, severity);
    },
    timeouts: options.timeouts ?? fastTimeouts,
    pacing: options.pacing ?? noPacing,
    listener,
    onWarning: (text) => warnings.push(text),
    onFatal: (sentence) => {
      node.fatal = sentence;
      void transport.stop();
      reactor.stop();
      for (const waiter of waiters) waiter.reject(new Error(sentence));
    },
  });
  const node: TestNode = {
    disk,
    app,
    mempool,
    driver,
    transport,
    committed,
    warnings,
    reports,
    fatal: null,
    reach: (height) =>
      new Promise((resolve, reject) => {
        if (disk.blocks.height() >= height && driver.state().lastHeight >= height) resolve();
        else if (node.fatal !== null) reject(new Error(node.fatal));
        else waiters.push({ height, resolve, reject });
      }),
    async kill() {
      await transport.stop();
      reactor.stop();
      await driver.stop();
    },
  };
  await driver.start();
  reactor.start(driver);
  await transport.start();
  return node;
}
