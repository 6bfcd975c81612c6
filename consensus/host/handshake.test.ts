import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { createEvidencePool } from "./evidence-pool.ts";
import { createExecutor } from "./execution.ts";
import { HandshakeError, handshake } from "./handshake.ts";
import type { ChainState } from "./ports.ts";
import { createRealClock } from "./testing/clocks.ts";
import { createDisk, createGenesis, type Disk, startNode, verifyOpenssl } from "./testing/node.ts";
import { createToyApp, createToyDisk, type ToyApp, type ToyDisk } from "./testing/toy-app.ts";
import { createToyMempool } from "./testing/toy-mempool.ts";

const initialHeight = 5;
const genesis = createGenesis({
  validators: 1,
  initialHeight,
  params: { abci: { voteExtensionsEnableHeight: 6 } },
});

let directory: string;
let disk: Disk;
/** The application's disk after each height. */
let apps: Map<number, ToyDisk>;
/** Stores hold blocks 5 to `last`. */
let last: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-handshake-"));
  disk = createDisk(directory, 0);
  apps = new Map([[0, createToyDisk()]]);
  const clock = createRealClock();
  const node = await startNode({
    genesis,
    disk,
    clock,
    hub: new MemoryHub({ clock }),
    failPoint: (step, height) => {
      if (step === "application committed")
        apps.set(height, { ...disk.app, values: new Map(disk.app.values) });
    },
  });
  for (let tx = 0; tx < 20; tx++) node.mempool.add(utf8ToBytes(`k${tx}=${tx}`));
  await node.reach(initialHeight + 5);
  await node.kill();
  last = disk.blocks.height();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Puts store, state and application at the given heights (0: nothing) and shakes hands. */
async function shake(at: {
  store: number;
  state: number;
  app: number;
}): Promise<{ state: ChainState; app: ToyApp; appDisk: ToyDisk }> {
  disk.blocks.rewind(at.store);
  disk.states.rewind(at.state);
  const saved = apps.get(at.app) as ToyDisk;
  const appDisk = { ...saved, values: new Map(saved.values) };
  const app = createToyApp(appDisk);
  const { blocks, states } = disk;
  const evidence = createEvidencePool({ blocks, states, verify: verifyOpenssl });
  const executor = createExecutor({
    app,
    blocks,
    states,
    mempool: createToyMempool(),
    evidence,
    verify: verifyOpenssl,
  });
  const state = await handshake({ genesis, app, blocks, states, executor });
  return { state, app, appDisk };
}

async function expectLevel(
  result: { state: ChainState; appDisk: ToyDisk },
  height: number,
): Promise<void> {
  expect(result.state.lastHeight).toBe(height);
  expect(result.appDisk.height).toBe(height);
  expect(bytesToHex(result.state.appHash)).toBe(bytesToHex((apps.get(height) as ToyDisk).appHash));
  expect((await disk.states.load())?.lastHeight).toBe(height);
}

describe("the handshake", () => {
  it("starts a chain with InitChain, again if it crashed before the first block", async () => {
    disk = createDisk(directory, 1);
    apps.set(0, createToyDisk());
    const first = await shake({ store: 0, state: 0, app: 0 });
    expect(first.app.calls).toEqual(["initChain"]);
    expect(first.state.validators.length).toBe(1);
    expect(bytesToHex(first.state.appHash)).toBe(bytesToHex(first.appDisk.appHash));
    const again = await shake({ store: 0, state: 0, app: 0 });
    expect(again.app.calls).toEqual(["initChain"]);
    expect(again.state).toEqual(first.state);
  });

  it("does nothing when all three are level", async () => {
    const result = await shake({ store: last, state: last, app: last });
    expect(result.app.calls).toEqual([]);
    await expectLevel(result, last);
  });

  it("replays blocks on an application that is behind a level store and state", async () => {
    const result = await shake({ store: last, state: last, app: last - 3 });
    expect(result.app.calls.filter((call) => call.startsWith("finalize"))).toEqual([
      `finalize ${last - 2}`,
      `finalize ${last - 1}`,
      `finalize ${last}`,
    ]);
    await expectLevel(result, last);
  });

  it("runs an application that lost everything through InitChain and all blocks", async () => {
    const result = await shake({ store: last, state: last, app: 0 });
    expect(result.app.calls[0]).toBe("initChain");
    expect(result.app.calls.filter((call) => call.startsWith("finalize")).length).toBe(
      last - initialHeight + 1,
    );
    await expectLevel(result, last);
  });

  it("applies the last block when it was saved and nothing more happened", async () => {
    const result = await shake({ store: last, state: last - 1, app: last - 1 });
    expect(result.app.calls).toEqual([`finalize ${last}`, "commit"]);
    await expectLevel(result, last);
  });

  it("applies the first block of all when it was saved and nothing more happened", async () => {
    const result = await shake({ store: initialHeight, state: 0, app: 0 });
    expect(result.app.calls).toEqual(["initChain", `finalize ${initialHeight}`, "commit"]);
    await expectLevel(result, initialHeight);
  });

  it("replays, then applies, when the application is further behind", async () => {
    const result = await shake({ store: last, state: last - 1, app: last - 3 });
    expect(result.app.calls.filter((call) => call.startsWith("finalize"))).toEqual([
      `finalize ${last - 2}`,
      `finalize ${last - 1}`,
      `finalize ${last}`,
    ]);
    await expectLevel(result, last);
  });

  it("never executes a block the application has committed, but takes the saved response", async () => {
    const result = await shake({ store: last, state: last - 1, app: last });
    expect(result.app.calls).toEqual([]);
    await expectLevel(result, last);
  });

  it("refuses what it cannot mend, each in one sentence", async () => {
    await expect(shake({ store: last - 1, state: last - 1, app: last })).rejects.toThrow(
      /application is at height \d+, ahead of the last block/,
    );
    await expect(shake({ store: last - 1, state: last, app: last - 1 })).rejects.toThrow(
      HandshakeError,
    );
    const rest = createDisk(directory, 2);
    apps.set(0, createToyDisk());
    disk = { ...disk, blocks: rest.blocks };
    await expect(shake({ store: 0, state: last, app: last - 1 })).rejects.toThrow(
      /there are no blocks, but/,
    );
  });

  it("refuses a state more than one block behind the store, and a missing saved response", async () => {
    disk.states.dropResponse(last);
    await expect(shake({ store: last, state: last - 1, app: last })).rejects.toThrow(
      /its saved result is missing/,
    );
    await expect(shake({ store: last, state: last - 2, app: last - 2 })).rejects.toThrow(
      /expected the same or one more/,
    );
  });

  it("refuses an application whose hash differs, and one behind the pruned store", async () => {
    const honest = apps.get(last) as ToyDisk;
    apps.set(last, { ...honest, appHash: new Uint8Array(32) });
    await expect(shake({ store: last, state: last, app: last })).rejects.toThrow(
      /application hash after block \d+: expected [0-9A-F]{64}, got 0{64}/,
    );
    apps.set(last, honest);
    await disk.blocks.prune(last - 1);
    await expect(shake({ store: last, state: last, app: last - 4 })).rejects.toThrow(
      /blocks begin at \d+: it cannot catch up/,
    );
  });

  it("refuses data of another chain", async () => {
    const app = createToyApp(createToyDisk());
    const { blocks, states } = disk;
    const evidence = createEvidencePool({ blocks, states, verify: verifyOpenssl });
    const executor = createExecutor({
      app,
      blocks,
      states,
      mempool: createToyMempool(),
      evidence,
      verify: verifyOpenssl,
    });
    const other = { ...genesis, chainId: "another-1" };
    await expect(handshake({ genesis: other, app, blocks, states, executor })).rejects.toThrow(
      /belongs to chain keel-test-1/,
    );
  });
});
