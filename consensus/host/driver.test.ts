import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { defaultConsensusParams } from "../wire/params.ts";
import { createRealClock } from "./testing/clocks.ts";
import { doubleSigns } from "./testing/double-signs.ts";
import {
  createDisk,
  createGenesis,
  type Disk,
  type NodeOptions,
  startNode,
  type TestNode,
} from "./testing/node.ts";

const clock = createRealClock();
const extensionsOn = { ...defaultConsensusParams, abci: { voteExtensionsEnableHeight: 1 } };

let directory: string;
let nodes: TestNode[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-driver-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await node.kill();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Omit<NodeOptions, "clock">): Promise<TestNode> {
  const node = await startNode({ clock, ...options });
  nodes.push(node);
  return node;
}

async function appHashes(disk: Disk, to: number): Promise<string[]> {
  const hashes: string[] = [];
  for (let height = 2; height <= to; height++) {
    hashes.push(
      bytesToHex((await disk.blocks.load(height))?.block.header.appHash ?? new Uint8Array(0)),
    );
  }
  return hashes;
}

describe("one validator", () => {
  it("makes twenty blocks with transactions in them", async () => {
    const hub = new MemoryHub({ clock });
    const node = await start({
      genesis: createGenesis({ validators: 1 }),
      disk: createDisk(directory, 0),
      hub,
    });
    node.mempool.add(utf8ToBytes("a=1"));
    await node.reach(20);
    expect(node.disk.app.values.get("a")).toBe("1");
    expect(node.warnings).toEqual([]);
    const first = await node.disk.blocks.load(1);
    expect(first?.block.header.time).toEqual({ seconds: 1_700_000_000n, nanos: 0 });
    expect(first?.block.lastCommit.signatures).toEqual([]);
  });

  it("starts at any initial height and hands extensions to the proposer one block later", async () => {
    const hub = new MemoryHub({ clock });
    const params = { abci: { voteExtensionsEnableHeight: 1002 } };
    const genesis = createGenesis({ validators: 1, initialHeight: 1000, params });
    const node = await start({ genesis, disk: createDisk(directory, 0), hub });
    await node.reach(1004);
    const prepared = node.app.calls.filter((call) => call.startsWith("prepare"));
    expect(prepared.slice(0, 4)).toEqual([
      "prepare 1000 -",
      "prepare 1001 -",
      "prepare 1002 -",
      "prepare 1003 1",
    ]);
    const seen = await node.disk.blocks.loadSeenCommit(1002);
    expect(new TextDecoder().decode(seen?.extendedSignatures[0]?.extension)).toBe("price 1002");
    expect(
      (await node.disk.blocks.loadSeenCommit(1001))?.extendedSignatures[0]?.extensionSignature
        .length,
    ).toBe(0);
  });
});

describe("four validators", () => {
  it("make twenty blocks with a hundred transactions and the same app hash at every height", async () => {
    const hub = new MemoryHub({ clock, delayMs: 1 });
    const genesis = createGenesis({ validators: 4, params: extensionsOn });
    for (let index = 0; index < 4; index++)
      await start({ genesis, disk: createDisk(directory, index), hub });
    for (let tx = 0; tx < 100; tx++)
      for (const node of nodes) node.mempool.add(utf8ToBytes(`key${tx}=${tx}`));
    await Promise.all(nodes.map((node) => node.reach(20)));
    for (const node of nodes) {
      expect(node.disk.app.values.size).toBe(100);
      expect(await appHashes(node.disk, 20)).toEqual(
        await appHashes((nodes[0] as TestNode).disk, 20),
      );
      expect(node.reports).toEqual([]);
      expect(node.fatal).toBeNull();
      expect(doubleSigns(node.disk)).toEqual([]);
    }
  });
});
