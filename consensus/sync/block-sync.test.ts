import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerId } from "../host/ports.ts";
import { MemoryHub, type MemoryTransport } from "../net/memory-transport.ts";
import { decodeBlockSyncMessage, encodeBlockSyncMessage } from "../net/messages.ts";
import { VirtualTime } from "../net/test-support.ts";
import { BlockSync } from "./block-sync.ts";
import {
  addresses,
  type ChainBlock,
  genesisState,
  MemoryBlockStore,
  makeChain,
  signCommit,
  testExecutor,
  verify,
} from "./test-chain.ts";

const chain = makeChain(30);
let time: VirtualTime;
let stops: (() => void)[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

interface TestNode {
  readonly transport: MemoryTransport;
  readonly store: MemoryBlockStore;
  readonly sync: BlockSync;
}

async function node(hub: MemoryHub, id: PeerId, held: readonly ChainBlock[]): Promise<TestNode> {
  const transport = hub.create(id);
  const store = new MemoryBlockStore(held);
  const sync = new BlockSync({
    transport,
    clock: time.clock,
    store,
    executor: testExecutor(store),
    verify,
    self: addresses[0] ?? null,
  });
  await transport.start();
  stops.push(() => {
    sync.stop();
    void transport.stop();
  });
  return { transport, store, sync };
}

type Answer = (height: number) => Uint8Array | null;

/** A peer that claims 30 blocks and answers requests as told; null says nothing. */
async function liar(
  hub: MemoryHub,
  id: PeerId,
  answer: Answer,
  claim: number = 30,
): Promise<MemoryTransport> {
  const transport = hub.create(id);
  const status = encodeBlockSyncMessage({ type: "status", base: 1, height: claim });
  transport.onPeer((peer, change) => {
    if (change === "up") transport.send(peer, "blocksync", status);
  });
  transport.onMessage("blocksync", (peer, bytes) => {
    const message = decodeBlockSyncMessage(bytes);
    if (message.type === "statusRequest") transport.send(peer, "blocksync", status);
    if (message.type !== "blockRequest") return;
    const frame = answer(message.height);
    if (frame !== null) transport.send(peer, "blocksync", frame);
  });
  await transport.start();
  stops.push(() => void transport.stop());
  return transport;
}

const isLinked = (node: TestNode, id: PeerId): boolean =>
  node.transport.peers().some((peer) => peer.id === id);

function blockFrame(
  height: number,
  change: (block: ChainBlock) => { bytes: Uint8Array; commit: ChainBlock["commit"] },
): Uint8Array {
  const { bytes, commit } = change(chain[height - 1] as ChainBlock);
  return encodeBlockSyncMessage({ type: "block", height, block: bytes, commit });
}

describe("block sync", () => {
  it("brings an empty node to the tip with blocks of several peers, byte for byte, commits and extensions included", async () => {
    const hub = new MemoryHub({ clock: time.clock, delayMs: 2 });
    await node(hub, "a", chain);
    await node(hub, "b", chain.slice(0, 20));
    const late = await node(hub, "late", []);
    const state = await time.settle(late.sync.run(genesisState()));
    expect(state.lastHeight).toBe(30);
    for (const height of [1, 17, 30]) {
      const { stored, commit } = chain[height - 1] as ChainBlock;
      expect((await late.store.load(height))?.bytes).toEqual(stored.bytes);
      expect(await late.store.loadSeenCommit(height)).toEqual(commit);
    }
    // And serves them on.
    const later = await node(hub, "later", []);
    expect((await time.settle(later.sync.run(genesisState()))).lastHeight).toBe(30);
  });

  it("hands over at once when nobody is ahead, and before anything when the chain would stand still", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    const nodes = await Promise.all(["a", "b"].map((id) => node(hub, id, [])));
    const startMs = time.clock.monotonicMs();
    await time.settle(Promise.all(nodes.map(({ sync }) => sync.run(genesisState()))));
    expect(time.clock.monotonicMs() - startMs).toBeLessThan(1_500);
    const state = genesisState();
    const alone = {
      ...state,
      validators: state.validators.filter((one) => one.address === state.validators[0]?.address),
    };
    const transport = hub.create("c");
    const store = new MemoryBlockStore();
    const sync = new BlockSync({
      transport,
      clock: time.clock,
      store,
      executor: testExecutor(store),
      verify,
      self: alone.validators[0]?.address ?? null,
    });
    expect(await time.settle(sync.run(alone))).toBe(alone);
  });

  const forgeries: readonly [
    string,
    (block: ChainBlock) => { bytes: Uint8Array; commit: ChainBlock["commit"] },
  ][] = [
    ["bytes that are no block", ({ commit }) => ({ bytes: new Uint8Array(500).fill(9), commit })],
    [
      "another height's block",
      ({ commit }) => ({ bytes: (chain[25] as ChainBlock).stored.bytes, commit }),
    ],
    [
      "a commit with too little power",
      ({ stored }) => ({ bytes: stored.bytes, commit: signCommit(genesisState(), stored, 2) }),
    ],
    [
      "a commit with one forged signature among enough good ones",
      ({ stored, commit }) => ({
        bytes: stored.bytes,
        commit: {
          ...commit,
          extendedSignatures: commit.extendedSignatures.map((one, i) =>
            i === 3
              ? {
                  ...(commit.extendedSignatures[0] as typeof one),
                  validatorAddress: addresses[3] as Uint8Array,
                }
              : one,
          ),
        },
      }),
    ],
    [
      "a commit without extensions where they are enabled",
      ({ stored, commit }) => ({
        bytes: stored.bytes,
        commit: {
          ...commit,
          extendedSignatures: commit.extendedSignatures.map((one) => ({
            ...one,
            extension: new Uint8Array(0),
            extensionSignature: new Uint8Array(0),
          })),
        },
      }),
    ],
    [
      "a forged extension",
      ({ stored, commit }) => ({
        bytes: stored.bytes,
        commit: {
          ...commit,
          extendedSignatures: commit.extendedSignatures.map((one) =>
            one.flag === "commit" ? { ...one, extension: Uint8Array.from([99]) } : one,
          ),
        },
      }),
    ],
  ];

  it.each(forgeries)("bans a peer that sends %s, and syncs from the others", async (_, change) => {
    const hub = new MemoryHub({ clock: time.clock });
    await node(hub, "honest", chain);
    await liar(hub, "liar", (height) => blockFrame(height, change));
    const late = await node(hub, "late", []);
    const state = await time.settle(late.sync.run(genesisState()));
    expect(state.lastHeight).toBe(30);
    expect((await late.store.loadSeenCommit(3))?.extendedSignatures).toEqual(
      chain[2]?.commit.extendedSignatures,
    );
    expect(isLinked(late, "liar")).toBe(false);
    expect(isLinked(late, "honest")).toBe(true);
  });

  it("is not kept from consensus by a peer that claims heights it never delivers", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    await node(hub, "honest", chain);
    await liar(hub, "liar", () => null, 1_000_000);
    const late = await node(hub, "late", []);
    const startMs = time.clock.monotonicMs();
    expect((await time.settle(late.sync.run(genesisState()))).lastHeight).toBe(30);
    expect(time.clock.monotonicMs() - startMs).toBeLessThan(8_000);
  });

  it("is not kept from consensus by ever new peers, whatever they claim", async () => {
    for (const claim of [0, 1_000_000]) {
      const hub = new MemoryHub({ clock: time.clock });
      await node(hub, "honest", chain);
      const late = await node(hub, "late", []);
      const startMs = time.clock.monotonicMs();
      let isOver = false;
      const running = late.sync.run(genesisState()).then((state) => {
        isOver = true;
        return state;
      });
      // One newcomer replaces the other before it can be doubted, and before peers count as complete.
      let before: MemoryTransport | null = null;
      for (let i = 0; !isOver && i < 300; i++) {
        const newcomer = await liar(hub, `liar${i}`, () => null, claim);
        await time.pass(150);
        await before?.stop();
        before = newcomer;
      }
      expect(isOver).toBe(true);
      expect((await running).lastHeight).toBe(30);
      expect(time.clock.monotonicMs() - startMs).toBeLessThan(25_000);
    }
  });

  it("drops a peer that takes back its height, and one that has not what it claimed", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    const lowering = await liar(hub, "lowering", () => null, 500);
    await liar(hub, "empty", (height) => encodeBlockSyncMessage({ type: "noBlock", height }), 400);
    const late = await node(hub, "late", []);
    const running = late.sync.run(genesisState());
    await time.until(
      "the claims",
      () => late.sync.progress()?.peers === 1 || late.sync.progress()?.maxPeerHeight === 500,
    );
    lowering.send(
      "late",
      "blocksync",
      encodeBlockSyncMessage({ type: "status", base: 1, height: 499 }),
    );
    await time.until("both dropped", () => late.sync.progress()?.peers === 0);
    await node(hub, "honest", chain);
    expect((await time.settle(running)).lastHeight).toBe(30);
  });

  it("stops the node when a block with enough power behind it cannot be valid here", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    await node(hub, "honest", chain);
    const late = await node(hub, "late", []);
    // This node's application answered otherwise: its next header must differ.
    const other = { ...genesisState(), appHash: new Uint8Array(32).fill(1) };
    await expect(time.settle(late.sync.run(other))).rejects.toThrow(/block 1 has the signatures/);
  });

  it("survives a server that stops in the middle", async () => {
    const hub = new MemoryHub({ clock: time.clock, delayMs: 5 });
    const first = await node(hub, "first", chain);
    await node(hub, "second", chain);
    const late = await node(hub, "late", []);
    const running = late.sync.run(genesisState());
    await time.until("some blocks", () => late.store.height() >= 5);
    await first.transport.stop();
    expect((await time.settle(running)).lastHeight).toBe(30);
  });

  it("serves a flooding peer no more than the bound, and reports it", async () => {
    const hub = new MemoryHub({ clock: time.clock });
    const server = await node(hub, "server", chain);
    const load = server.store.load.bind(server.store);
    server.store.load = async (height) => {
      await time.pass(10);
      return load(height);
    };
    let blocks = 0;
    const flooder = hub.create("flooder");
    flooder.onMessage("blocksync", (_, bytes) => {
      if (decodeBlockSyncMessage(bytes).type === "block") blocks += 1;
    });
    await flooder.start();
    stops.push(() => void flooder.stop());
    const request = encodeBlockSyncMessage({ type: "blockRequest", height: 5 });
    for (let i = 0; i < 2000; i++) flooder.send("server", "blocksync", request);
    await time.until("the ban", () => !isLinked(server, "flooder"));
    await time.pass(50);
    expect(blocks).toBeLessThan(50);
  });
});
