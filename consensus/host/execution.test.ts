import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addMs } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { encodeBlock } from "../wire/block.ts";
import { commitHash } from "../wire/commit.ts";
import { ed25519Sign } from "../wire/ed25519.ts";
import { duplicateVoteEvidence, evidenceListHash } from "../wire/evidence.ts";
import { headerHash } from "../wire/header.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import { voteSignBytes } from "../wire/sign-bytes.ts";
import type { Block, BlockID, Commit, Evidence, Header, Vote } from "../wire/types.ts";
import { createEvidencePool, type EvidencePool } from "./evidence-pool.ts";
import { createExecutor, type Executor } from "./execution.ts";
import type { ChainState, StoredBlock } from "./ports.ts";
import { createRealClock } from "./testing/clocks.ts";
import {
  createDisk,
  createGenesis,
  type Disk,
  seedOf,
  startNode,
  verifyOpenssl,
} from "./testing/node.ts";
import { createToyApp, createToyDisk, type ToyApp } from "./testing/toy-app.ts";
import { createToyMempool } from "./testing/toy-mempool.ts";

const genesis = createGenesis({ validators: 1 });
let directory: string;
let disk: Disk;
/** After the last but one block; `next` is the last. */
let state: ChainState;
let next: StoredBlock;
let executor: Executor;
let evidence: EvidencePool;
let app: ToyApp;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-execution-"));
  disk = createDisk(directory, 0);
  const clock = createRealClock();
  const node = await startNode({ genesis, disk, clock, hub: new MemoryHub({ clock }) });
  await node.reach(4);
  await node.kill();
  const last = disk.blocks.height();
  next = (await disk.blocks.load(last)) as StoredBlock;
  disk.states.rewind(last - 1);
  state = (await disk.states.load()) as ChainState;
  const { blocks, states } = disk;
  evidence = createEvidencePool({ blocks, states, verify: verifyOpenssl });
  app = createToyApp(createToyDisk());
  executor = createExecutor({
    app,
    blocks,
    states,
    mempool: createToyMempool(),
    evidence,
    verify: verifyOpenssl,
  });
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** The next block with something changed, its list hashes made right again where they are not the change. */
function altered(change: {
  header?: Partial<Header>;
  lastCommit?: Commit;
  evidence?: readonly Evidence[];
}): StoredBlock {
  const { block } = next;
  const lastCommit = change.lastCommit ?? block.lastCommit;
  const included = change.evidence ?? block.evidence;
  const header: Header = {
    ...block.header,
    lastCommitHash: commitHash(lastCommit),
    evidenceHash: evidenceListHash(included),
    ...change.header,
  };
  const changed: Block = { ...block, header, lastCommit, evidence: included };
  const bytes = encodeBlock(changed);
  const blockId: BlockID = {
    hash: headerHash(header),
    partSetHeader: splitIntoParts(bytes).header,
  };
  return { block: changed, bytes, blockId };
}

const other32 = new Uint8Array(32).fill(9);

function doubleVote(height: number, blockTime = state.lastBlockTime): Evidence {
  const sign = (fill: number): Vote => {
    const unsigned: Vote = {
      type: "prevote",
      height,
      round: 0,
      blockId: { hash: new Uint8Array(32).fill(fill), partSetHeader: { total: 1, hash: other32 } },
      timestamp: blockTime,
      validatorAddress: state.validators[0]?.address ?? other32,
      validatorIndex: 0,
      signature: new Uint8Array(0),
      extension: new Uint8Array(0),
      extensionSignature: new Uint8Array(0),
    };
    return {
      ...unsigned,
      signature: ed25519Sign(seedOf(0), voteSignBytes(state.chainId, unsigned)),
    };
  };
  const made = duplicateVoteEvidence({
    first: sign(1),
    second: sign(2),
    blockTime,
    validators: state.validators,
  });
  if (made === null) throw new Error("no evidence");
  return made;
}

describe("a block against the state", () => {
  it("is valid as it was decided", async () => {
    expect(await executor.validateBlock(state, next)).toBeNull();
    expect(await executor.validateBlock(state, altered({}))).toBeNull();
  });

  const wrongHeaders: readonly [string, () => Partial<Header>][] = [
    ["expected version", () => ({ version: { block: 11n, app: 77n } })],
    ["expected chain", () => ({ chainId: "other" })],
    ["expected height", () => ({ height: next.block.header.height + 1 })],
    [
      "expected the last block's id",
      () => ({ lastBlockId: { ...state.lastBlockId, hash: other32 } }),
    ],
    ["expected app hash", () => ({ appHash: other32 })],
    ["expected last results hash", () => ({ lastResultsHash: other32 })],
    ["expected consensus hash", () => ({ consensusHash: other32 })],
    ["expected validators hash", () => ({ validatorsHash: other32 })],
    ["expected next validators hash", () => ({ nextValidatorsHash: other32 })],
    ["expected a proposer of the set", () => ({ proposerAddress: new Uint8Array(20).fill(1) })],
    ["expected the median time", () => ({ time: addMs(next.block.header.time, 1) })],
    ["expected a time after", () => ({ time: state.lastBlockTime })],
  ];
  for (const [problem, change] of wrongHeaders) {
    it(`is refused: ${problem}`, async () => {
      expect(await executor.validateBlock(state, altered({ header: change() }))).toContain(problem);
    });
  }

  it("is refused with a last commit that is not whole", async () => {
    const { lastCommit } = next.block;
    const [signature] = lastCommit.signatures;
    if (signature === undefined) throw new Error("no signature");
    const broken = {
      ...lastCommit,
      signatures: [{ ...signature, signature: new Uint8Array(64).fill(1) }],
    };
    expect(await executor.validateBlock(state, altered({ lastCommit: broken }))).toContain(
      "signature",
    );
    const short = { ...lastCommit, signatures: [] };
    expect(await executor.validateBlock(state, altered({ lastCommit: short }))).not.toBeNull();
    const elsewhere = { ...lastCommit, height: lastCommit.height - 1 };
    expect(await executor.validateBlock(state, altered({ lastCommit: elsewhere }))).toContain(
      "height",
    );
  });

  it("is refused when too large, or with too much evidence", async () => {
    const { consensusParams } = state;
    const small = { ...consensusParams, block: { ...consensusParams.block, maxBytes: 100n } };
    expect(await executor.validateBlock({ ...state, consensusParams: small }, next)).toContain(
      "at most 100 bytes",
    );
    const poor = { ...consensusParams, evidence: { ...consensusParams.evidence, maxBytes: 10n } };
    const guilty = altered({ evidence: [doubleVote(state.lastHeight)] });
    expect(await executor.validateBlock({ ...state, consensusParams: poor }, guilty)).toContain(
      "of evidence",
    );
  });
});

describe("evidence in a block", () => {
  it("is accepted once, when it proves a double vote of a known height", async () => {
    const good = doubleVote(state.lastHeight);
    expect(await executor.validateBlock(state, altered({ evidence: [good] }))).toBeNull();
    expect(await executor.validateBlock(state, altered({ evidence: [good, good] }))).toBe(
      "evidence is included twice",
    );
    const unproved = {
      ...good,
      voteB: { ...(good as { voteB: Vote }).voteB, signature: new Uint8Array(64).fill(1) },
    } as Evidence;
    expect(await evidence.check([unproved], state)).toContain("signatures");
    expect(await evidence.check([doubleVote(state.lastHeight + 1)], state)).toContain(
      "committed height",
    );
    expect(
      await evidence.check([doubleVote(state.lastHeight, addMs(state.lastBlockTime, 1))], state),
    ).toContain("time of the block");
    const overpowered = { ...good, validatorPower: 99n } as Evidence;
    expect(await evidence.check([overpowered], state)).toContain("power");
  });

  it("expires only when it is too old in blocks and in time", async () => {
    const old = doubleVote(state.lastHeight);
    const { consensusParams } = state;
    const at = (
      blocks: number,
      ms: number,
      limits: { blocks: bigint; nanos: bigint },
    ): ChainState => ({
      ...state,
      lastHeight: state.lastHeight + blocks,
      lastBlockTime: addMs(state.lastBlockTime, ms),
      consensusParams: {
        ...consensusParams,
        evidence: {
          ...consensusParams.evidence,
          maxAgeNumBlocks: limits.blocks,
          maxAgeDurationNanos: limits.nanos,
        },
      },
    });
    const limits = { blocks: 10n, nanos: 1_000_000_000n };
    expect(await evidence.check([old], at(11, 500, limits))).toBeNull();
    expect(await evidence.check([old], at(5, 5_000, limits))).toBeNull();
    expect(await evidence.check([old], at(11, 1_001, limits))).toContain("has expired");
  });

  it("is offered to proposals until a block carries it, and not accepted again", async () => {
    const { blocks, states } = disk;
    const pool = createEvidencePool({ blocks, states, verify: verifyOpenssl });
    const good = doubleVote(state.lastHeight);
    expect(await pool.add(good, state)).toBeNull();
    expect(pool.pending(1_000_000)).toEqual([good]);
    expect(pool.pending(10)).toEqual([]);
    pool.update({ ...state, lastHeight: state.lastHeight + 1 }, [good]);
    expect(pool.pending(1_000_000)).toEqual([]);
    expect(await pool.check([good], state)).toBe("evidence was already committed");
    expect(await pool.add(good, state)).toBeNull();
    expect(pool.pending(1_000_000)).toEqual([]);
  });
});

describe("proposals", () => {
  it("stop the process when the application hands back more than fits", async () => {
    const { blocks, states } = disk;
    const greedy = { ...app, prepareProposal: async () => [new Uint8Array(3_000)] };
    const params = state.consensusParams;
    const small = {
      ...state,
      consensusParams: {
        ...params,
        block: { ...params.block, maxBytes: 2_000n },
        evidence: { ...params.evidence, maxBytes: 0n },
      },
    };
    const made = createExecutor({
      app: greedy,
      blocks,
      states,
      mempool: createToyMempool(),
      evidence,
      verify: verifyOpenssl,
    });
    const lastCommit = await disk.blocks.loadSeenCommit(state.lastHeight);
    const proposerAddress = state.validators[0]?.address ?? other32;
    await expect(made.createProposalBlock(small, { lastCommit, proposerAddress })).rejects.toThrow(
      /expected at most \d+ transactions in \d+ bytes/,
    );
  });

  it("carry what the mempool offers within the room of a block, and are valid", async () => {
    const { blocks, states } = disk;
    const mempool = createToyMempool();
    for (let tx = 0; tx < 50; tx++) mempool.add(utf8ToBytes(`${"k".repeat(50)}${tx}=v`));
    const made = createExecutor({ app, blocks, states, mempool, evidence, verify: verifyOpenssl });
    const params = state.consensusParams;
    const small = {
      ...state,
      consensusParams: {
        ...params,
        block: { ...params.block, maxBytes: 2_000n },
        evidence: { ...params.evidence, maxBytes: 0n },
      },
    };
    const lastCommit = await disk.blocks.loadSeenCommit(state.lastHeight);
    const proposerAddress = state.validators[0]?.address ?? other32;
    const block = await made.createProposalBlock(small, { lastCommit, proposerAddress });
    expect(block.block.txs.length).toBeGreaterThan(5);
    expect(block.block.txs.length).toBeLessThan(50);
    expect(block.bytes.length).toBeLessThanOrEqual(2_000);
    expect(await made.validateBlock(small, block)).toBeNull();
  });
});
