import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChainState, PeerId } from "../host/ports.ts";
import { evidenceKey } from "../wire/evidence.ts";
import type { DuplicateVoteEvidence, Evidence, Vote } from "../wire/types.ts";
import { EvidenceReactor } from "./evidence-reactor.ts";
import { MemoryHub, type MemoryTransport } from "./memory-transport.ts";
import { VirtualTime } from "./test-support.ts";

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const timestamp = { seconds: 1_700_000_000n, nanos: 0 };

function proof(height: number): DuplicateVoteEvidence {
  const vote = (hash: number): Vote => ({
    type: "precommit",
    height,
    round: 0,
    blockId: { hash: fill(32, hash), partSetHeader: { total: 1, hash: fill(32, hash) } },
    timestamp,
    validatorAddress: fill(20, 1),
    validatorIndex: 0,
    signature: fill(64, 1),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  });
  return {
    kind: "duplicateVote",
    voteA: vote(1),
    voteB: vote(2),
    totalVotingPower: 40n,
    validatorPower: 10n,
    timestamp,
  };
}

/** Takes evidence once, refuses height 666, and tells of what is new, as the real pool does. */
class FakePool {
  readonly reactor: EvidenceReactor;
  readonly transport: MemoryTransport;
  readonly held = new Map<string, Evidence>();
  checks = 0;

  constructor(transport: MemoryTransport) {
    this.transport = transport;
    this.reactor = new EvidenceReactor({ transport });
  }

  add(evidence: Evidence): Promise<string | null> {
    this.checks += 1;
    const isBad = evidence.kind === "duplicateVote" && evidence.voteA.height === 666;
    if (isBad) return Promise.resolve("forged");
    const key = evidenceKey(evidence).join();
    if (!this.held.has(key)) {
      this.held.set(key, evidence);
      this.reactor.announce(evidence);
    }
    return Promise.resolve(null);
  }

  pending(): readonly Evidence[] {
    return [...this.held.values()];
  }
}

let time: VirtualTime;
let stops: (() => void)[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

async function join(hub: MemoryHub, id: PeerId): Promise<FakePool> {
  const pool = new FakePool(hub.create(id));
  pool.reactor.start(pool, () => ({ lastHeight: 1_000 }) as ChainState);
  await pool.transport.start();
  stops.push(() => {
    pool.reactor.stop();
    void pool.transport.stop();
  });
  return pool;
}

describe("evidence reactor", () => {
  it("brings evidence along a line of nodes and to one that comes later", async () => {
    const hub = new MemoryHub({
      clock: time.clock,
      linked: (a, b) => Math.abs(Number(a.slice(1)) - Number(b.slice(1))) === 1,
    });
    const pools: FakePool[] = [];
    for (const id of ["n0", "n1", "n2"]) pools.push(await join(hub, id));
    await pools[0]?.add(proof(5));
    await time.until("the far end", () => pools[2]?.held.size === 1);
    const late = await join(hub, "n3");
    await time.until("the late one", () => late.held.size === 1);
    expect([...late.held.values()]).toEqual([proof(5)]);
  });

  it("does not blame a peer that is a block ahead, whose evidence cannot be judged yet", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    const behind = await join(hub, "behind");
    const ahead = await join(hub, "ahead");
    // An equivocator at work: one proof a block, from an honest peer.
    for (let height = 1_001; height <= 1_100; height++) await ahead.add(proof(height));
    await time.pass(50);
    expect(behind.checks).toBe(0);
    expect(behind.transport.peers().length).toBe(1);
  });

  it("reports refused and malformed evidence until its sender is disconnected", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    const judge = await join(hub, "judge");
    const forger = new FakePool(hub.create("forger"));
    await forger.transport.start();
    stops.push(() => void forger.transport.stop());
    forger.transport.send("judge", "evidence", fill(50, 0xff));
    for (let i = 0; i < 40; i++) forger.reactor.announce(proof(666));
    await time.until("the ban", () => judge.transport.peers().length === 0);
    expect(judge.held.size).toBe(0);
  });
});
