/**
 * A small key-value application with a hash chain as app hash, vote extensions and validator updates. Its `ToyDisk` survives a
 * crash, the application object does not.
 */
import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { bytesToUtf8, utf8ToBytes } from "@keel/proto/bytes/utf8";
import type { ExecTxResult, ValidatorUpdate } from "../../wire/abci.ts";
import { txBytesInBlock } from "../../wire/block.ts";
import type {
  Application,
  FinalizeBlockResponse,
  InitChainRequest,
  ProposedBlock,
} from "../ports.ts";

export interface ToyDisk {
  height: number;
  appHash: Uint8Array;
  readonly values: Map<string, string>;
}

export function createToyDisk(): ToyDisk {
  return { height: 0, appHash: new Uint8Array(0), values: new Map() };
}

export interface ToyApp extends Application {
  /** Every call, in order: "finalize 3", "commit", … */
  readonly calls: string[];
  /** Evidence the blocks have carried. */
  readonly misbehaved: string[];
  refuseProposals: boolean;
  /** For each block: from when it is a proposal. */
  proposableFrom: Application["proposableFrom"];
  refuseExtensionsOf: Uint8Array | null;
}

interface Pending {
  readonly height: number;
  readonly appHash: Uint8Array;
  readonly writes: ReadonlyMap<string, string>;
}

const none = new Uint8Array(0);

function success(data: Uint8Array): ExecTxResult {
  return {
    code: 0,
    data,
    log: "",
    info: "",
    gasWanted: 1n,
    gasUsed: 1n,
    events: [],
    codespace: "",
  };
}

/** `val:<public key hex>=<power>` changes a validator; `<key>=<value>` stores; anything else fails with code 1. */
function execute(
  tx: Uint8Array,
  writes: Map<string, string>,
  updates: Map<string, bigint>,
): ExecTxResult {
  const [key, value, ...rest] = bytesToUtf8(tx).split("=");
  if (key === undefined || value === undefined || rest.length > 0)
    return { ...success(none), code: 1, codespace: "toy" };
  if (key.startsWith("val:")) updates.set(key.slice(4), BigInt(value));
  else writes.set(key, value);
  return success(utf8ToBytes(value));
}

export function createToyApp(disk: ToyDisk): ToyApp {
  let pending: Pending | null = null;
  let initial: InitChainRequest | null = null;
  const calls: string[] = [];
  const misbehaved: string[] = [];

  function finalize(block: ProposedBlock): FinalizeBlockResponse {
    const writes = new Map<string, string>();
    const updates = new Map<string, bigint>();
    const txResults = block.txs.map((tx) => execute(tx, writes, updates));
    const validatorUpdates: ValidatorUpdate[] = [...updates].map(([key, power]) => ({
      pubKey: hexToBytes(key),
      power,
    }));
    for (const one of block.misbehavior) misbehaved.push(`${one.type} at ${one.height}`);
    const appHash = sha256(
      concatBytes(disk.appHash, ...block.txs.map(sha256), block.hash.subarray(0, 0)),
    );
    pending = { height: block.height, appHash, writes };
    return { events: [], txResults, validatorUpdates, consensusParamUpdates: null, appHash };
  }

  const app: ToyApp = {
    calls,
    misbehaved,
    refuseProposals: false,
    proposableFrom: () => null,
    refuseExtensionsOf: null,
    async info() {
      return { version: "toy", appVersion: 1, lastHeight: disk.height, lastAppHash: disk.appHash };
    },
    async initChain(request) {
      calls.push("initChain");
      initial = request;
      disk.appHash = sha256(utf8ToBytes(request.chainId));
      return { consensusParams: null, validators: [], appHash: disk.appHash };
    },
    checkTx: async () => ({ ...success(none), lane: 0, sender: null }),
    async prepareProposal(request) {
      calls.push(
        `prepare ${request.height} ${request.localLastCommit?.extendedSignatures.length ?? "-"}`,
      );
      const txs: Uint8Array[] = [];
      let room = request.maxTxBytes;
      for (const tx of request.txs) {
        room -= txBytesInBlock(tx.length);
        if (room < 0) break;
        txs.push(tx);
      }
      return txs;
    },
    async processProposal(block) {
      calls.push(`process ${block.height}`);
      return !app.refuseProposals;
    },
    extendVote: async ({ block }) => utf8ToBytes(`price ${block.height}`),
    async verifyVoteExtension({ height, extension, address }) {
      if (app.refuseExtensionsOf !== null && equalBytes(address, app.refuseExtensionsOf))
        return false;
      return equalBytes(extension, utf8ToBytes(`price ${height}`));
    },
    async finalizeBlock(block) {
      calls.push(`finalize ${block.height}`);
      const expected =
        disk.height === 0 ? (initial?.initialHeight ?? block.height) : disk.height + 1;
      if (block.height !== expected)
        throw new Error(`toy application: expected block ${expected}, got ${block.height}`);
      return finalize(block);
    },
    async commit() {
      calls.push("commit");
      if (pending === null) throw new Error("toy application: commit without a block");
      disk.height = pending.height;
      disk.appHash = pending.appHash;
      for (const [key, value] of pending.writes) disk.values.set(key, value);
      pending = null;
      return { retainHeight: 0 };
    },
    async query() {
      throw new Error("the toy application answers no queries");
    },
    listSnapshots: async () => [],
    loadSnapshotChunk: async () => null,
    offerSnapshot: async () => "reject",
    applySnapshotChunk: async () => "reject",
  };
  return app;
}
