/** Everything between nodes at once: real drivers, reactors and block sync over real sockets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createEvidencePool } from "../host/evidence-pool.ts";
import { createExecutor } from "../host/execution.ts";
import { handshake } from "../host/handshake.ts";
import { createRealClock } from "../host/testing/clocks.ts";
import { doubleSigns } from "../host/testing/double-signs.ts";
import {
  createDisk,
  createGenesis,
  type Disk,
  startNode,
  type TestNode,
  verifyOpenssl,
} from "../host/testing/node.ts";
import { createToyApp } from "../host/testing/toy-app.ts";
import { createToyMempool } from "../host/testing/toy-mempool.ts";
import { Libp2pTransport } from "../net/libp2p-transport.ts";
import type { MemoryHub } from "../net/memory-transport.ts";
import { generateNodeKey, type NodeKey } from "../net/node-key.ts";
import type { PeerAddress } from "../net/peer-address.ts";
import { defaultConsensusParams } from "../wire/params.ts";
import { BlockSync } from "./block-sync.ts";

const clock = createRealClock();
const genesis = createGenesis({
  validators: 4,
  params: { ...defaultConsensusParams, abci: { voteExtensionsEnableHeight: 1 } },
});

let directory: string;
let stops: (() => Promise<void>)[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-cluster-"));
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  await rm(directory, { recursive: true, force: true });
});

function transportOf(key: NodeKey, peers: readonly PeerAddress[]): Libp2pTransport {
  return new Libp2pTransport({
    key,
    chainId: genesis.chainId,
    moniker: "node",
    listen: { host: "127.0.0.1", port: 0 },
    persistentPeers: peers,
    clock,
  });
}

/** The fakes of the host ask a hub for their transport. */
const asHub = (transport: Libp2pTransport): MemoryHub =>
  ({ create: () => transport }) as unknown as MemoryHub;

async function start(disk: Disk, transport: Libp2pTransport): Promise<TestNode> {
  const node = await startNode({ genesis, disk, hub: asHub(transport), clock });
  stops.push(() => node.kill());
  return node;
}

/** Serves `disk` to others; with `run` also syncs it. */
async function syncOf(
  disk: Disk,
  transport: Libp2pTransport,
): Promise<{ sync: BlockSync; run(): Promise<number> }> {
  const { blocks, states } = disk;
  const evidence = createEvidencePool({ blocks, states, verify: verifyOpenssl });
  const app = createToyApp(disk.app);
  const mempool = createToyMempool();
  const executor = createExecutor({
    app,
    blocks,
    states,
    mempool,
    evidence,
    verify: verifyOpenssl,
  });
  const sync = new BlockSync({
    transport,
    clock,
    store: blocks,
    executor,
    verify: verifyOpenssl,
    self: null,
  });
  return {
    sync,
    async run() {
      const state = await handshake({ genesis, app, blocks, states, executor });
      return (await sync.run(state)).lastHeight;
    },
  };
}

it("three of four validators decide over sockets, the fourth syncs blocks, joins and signs", {
  timeout: 120_000,
}, async () => {
  const disks = [0, 1, 2, 3].map((index) => createDisk(directory, index));
  const nodes: TestNode[] = [];
  const addresses: PeerAddress[] = [];
  for (const disk of disks.slice(0, 3)) {
    const transport = transportOf(generateNodeKey(), addresses);
    const { sync } = await syncOf(disk, transport);
    stops.push(async () => sync.stop());
    nodes.push(await start(disk, transport));
    addresses.push(transport.address as PeerAddress);
  }
  await Promise.all(nodes.map((node) => node.reach(12)));

  const late = disks[3] as Disk;
  const transport = transportOf(generateNodeKey(), addresses);
  const { sync, run } = await syncOf(late, transport);
  await transport.start();
  const synced = await run();
  expect(synced).toBeGreaterThanOrEqual(12);
  sync.stop();
  await transport.stop();
  const fourth = await start(late, transport);
  await fourth.reach(synced + 10);

  // Some block after it joined carries its signature, hence its vote was in time.
  const address = genesis.validators[3]?.address ?? new Uint8Array(0);
  const [first] = disks as [Disk];
  const signed = async (height: number): Promise<boolean> =>
    (await first.blocks.loadCommit(height))?.signatures.some(
      (one) => bytesToHex(one.validatorAddress) === bytesToHex(address),
    ) ?? false;
  let height = synced;
  while (!(await signed(height))) {
    height += 1;
    await nodes[0]?.reach(height + 1);
  }
  const common = Math.min(...disks.map((disk) => disk.blocks.height()));
  for (const at of [1, 6, 12, synced, common]) {
    const hashes = await Promise.all(
      disks.map(async (disk) =>
        bytesToHex((await disk.blocks.load(at))?.blockId.hash ?? new Uint8Array(0)),
      ),
    );
    expect(new Set(hashes).size).toBe(1);
  }
  for (const node of [...nodes, fourth]) {
    expect(node.fatal).toBe(null);
    expect(node.reports).toEqual([]);
  }
  for (const disk of disks) expect(doubleSigns(disk)).toEqual([]);
});
