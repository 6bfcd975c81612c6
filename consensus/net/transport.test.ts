/** One suite for every Transport: what the reactors rely on holds in memory and over sockets alike. */
import { afterEach, describe, expect, it } from "vitest";
import type { PeerId, Transport } from "../host/ports.ts";
import { Libp2pTransport } from "./libp2p-transport.ts";
import { channelLimits } from "./limits.ts";
import { MemoryHub } from "./memory-transport.ts";
import { generateNodeKey } from "./node-key.ts";
import { testClock, until } from "./test-support.ts";

type Network = (count: number) => Promise<Transport[]>;

const memory: Network = async (count) => {
  const hub = new MemoryHub({ clock: testClock, delayMs: 1 });
  const nodes = Array.from({ length: count }, (_, i) => hub.create(`node-${i}`));
  for (const node of nodes) await node.start();
  return nodes;
};

const libp2p: Network = async (count) => {
  const nodes: Libp2pTransport[] = [];
  for (let i = 0; i < count; i++) {
    const node = new Libp2pTransport({
      key: generateNodeKey(),
      chainId: "test-1",
      moniker: `node-${i}`,
      listen: { host: "127.0.0.1", port: 0 },
      persistentPeers: nodes.flatMap((other) => other.address ?? []),
      clock: testClock,
    });
    await node.start();
    nodes.push(node);
  }
  return nodes;
};

let running: Transport[] = [];
afterEach(async () => {
  await Promise.all(running.map((node) => node.stop()));
  running = [];
});

describe.each([
  ["memory", memory],
  ["libp2p", libp2p],
] as const)("%s transport", (_name, network) => {
  async function start(count: number): Promise<Transport[]> {
    running = await network(count);
    const full = (node: Transport): boolean => node.peers().length === count - 1;
    await until("a full mesh", () => running.every(full));
    return running;
  }

  it("links every pair of four nodes once and names peers by id", async () => {
    const nodes = await start(4);
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node).map((other) => other.self);
      expect(
        node
          .peers()
          .map((peer) => peer.id)
          .sort(),
      ).toEqual(others.sort());
      for (const peer of node.peers()) expect(peer.address.startsWith(`${peer.id}@`)).toBe(true);
    }
    // Exactly one side of each link has dialled it.
    const outbound = nodes.flatMap((node) => node.peers().filter((peer) => peer.outbound));
    expect(outbound.length).toBe(6);
  });

  it("delivers frames in order on their own channel, in both directions", async () => {
    const [a, b] = (await start(2)) as [Transport, Transport];
    const atB: number[] = [];
    const atA: string[] = [];
    const strays: Uint8Array[] = [];
    b.onMessage("consensus", (peer, message) => {
      expect(peer).toBe(a.self);
      atB.push(new DataView(message.buffer, message.byteOffset).getUint32(0));
    });
    b.onMessage("mempool", (_, message) => strays.push(message));
    a.onMessage("mempool", (peer, message) => atA.push(`${peer} ${message.length}`));
    for (let i = 0; i < 2000; i++) {
      const message = new Uint8Array(200);
      new DataView(message.buffer).setUint32(0, i);
      expect(a.send(b.self, "consensus", message)).toBe(true);
    }
    b.broadcast("mempool", new Uint8Array(300_000));
    await until("all frames", () => atB.length === 2000 && atA.length === 1);
    expect(atB).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    expect(atA).toEqual([`${b.self} 300000`]);
    expect(strays).toEqual([]);
  });

  it("broadcasts to all but the excepted peer", async () => {
    const nodes = await start(4);
    const [a, b] = nodes as [Transport, Transport];
    const got: PeerId[] = [];
    for (const node of nodes) node.onMessage("consensus", () => got.push(node.self));
    a.broadcast("consensus", new Uint8Array([1]), b.self);
    await until("two deliveries", () => got.length >= 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(got.sort()).toEqual([nodes[2]?.self, nodes[3]?.self].sort());
  });

  it("refuses frames to unknown peers, frames above the limit, and frames beyond a full queue, and counts the drops", async () => {
    const [a, b] = (await start(2)) as [Transport, Transport];
    expect(a.send("00".repeat(20), "consensus", new Uint8Array(1))).toBe(false);
    expect(
      a.send(b.self, "consensus", new Uint8Array(channelLimits.consensus.frameBytesMax + 1)),
    ).toBe(false);
    let accepted = 0;
    // In one turn nothing can be written, so the queue has to fill.
    for (let i = 0; i < channelLimits.mempool.sendFramesMax + 500; i++) {
      if (a.send(b.self, "mempool", new Uint8Array(100))) accepted += 1;
    }
    expect(accepted).toBeLessThanOrEqual(channelLimits.mempool.sendFramesMax);
    expect(accepted).toBeGreaterThan(0);
    expect(a.peers()[0]?.dropped).toBe(channelLimits.mempool.sendFramesMax + 500 - accepted + 1);
  });

  it("drops what a handler refuses, keeps the link, and disconnects a peer that goes on", async () => {
    const [a, b] = (await start(2)) as [Transport, Transport];
    const changes: string[] = [];
    b.onPeer((_, change) => changes.push(change));
    let handled = 0;
    b.onMessage("consensus", () => {
      handled += 1;
      throw new Error("refused");
    });
    a.send(b.self, "consensus", new Uint8Array([1]));
    await until("the first frame", () => handled === 1);
    expect(b.peers().length).toBe(1);
    for (let i = 0; i < 5; i++) a.send(b.self, "consensus", new Uint8Array([1]));
    await until("the ban", () => b.peers().length === 0);
    expect(changes).toEqual(["down"]);
    await until("the other end noticing", () => a.peers().length === 0);
  });

  it("tells both ends of a peer that stops, and stops cleanly twice", async () => {
    const [a, b] = (await start(2)) as [Transport, Transport];
    const changes: string[] = [];
    a.onPeer((peer, change) => changes.push(`${peer} ${change}`));
    await b.stop();
    await b.stop();
    await until("down", () => a.peers().length === 0);
    expect(changes).toEqual([`${b.self} down`]);
    expect(b.peers()).toEqual([]);
    expect(a.send(b.self, "consensus", new Uint8Array(1))).toBe(false);
  });
});
