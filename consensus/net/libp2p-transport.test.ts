/** What only sockets can show: identities, strangers who speak something else, floods, and coming back. */
import { createConnection, type Socket } from "node:net";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p, type Libp2p } from "libp2p";
import { afterEach, describe, expect, it } from "vitest";
import { encodeHello, protocolVersion } from "./hello.ts";
import { Libp2pTransport, type Libp2pTransportOptions } from "./libp2p-transport.ts";
import { channels } from "./limits.ts";
import { generateNodeKey } from "./node-key.ts";
import { hostPortToMultiaddr, type PeerAddress } from "./peer-address.ts";
import { channelProtocol } from "./peer-link.ts";
import { pause, testClock, until } from "./test-support.ts";

let stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

async function start(options: Partial<Libp2pTransportOptions> = {}): Promise<Libp2pTransport> {
  const transport = new Libp2pTransport({
    key: generateNodeKey(),
    chainId: "test-1",
    moniker: "node",
    listen: { host: "127.0.0.1", port: 0 },
    persistentPeers: [],
    clock: testClock,
    ...options,
  });
  await transport.start();
  stops.push(() => transport.stop());
  return transport;
}

const addressOf = (transport: Libp2pTransport): PeerAddress => transport.address as PeerAddress;

/** A libp2p node of the outside, without our code. */
async function stranger(): Promise<Libp2p> {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
  stops.push(async () => node.stop());
  return node;
}

const hello = (): Uint8Array =>
  encodeHello({
    version: protocolVersion,
    chainId: "test-1",
    moniker: "x",
    listenPort: 0,
    session: new Uint8Array(8),
  });

function frame(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + payload.length);
  new DataView(out.buffer).setUint32(0, payload.length);
  out.set(payload, 4);
  return out;
}

async function rawSocket(address: PeerAddress): Promise<Socket> {
  const socket = createConnection(address.port, address.host);
  socket.on("error", () => {});
  stops.push(async () => socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

describe("libp2p transport", () => {
  it("refuses a peer whose key is not the one its name says", async () => {
    const real = await start();
    const wrong = { ...addressOf(real), id: "ab".repeat(20) };
    const caller = await start({ persistentPeers: [wrong] });
    await expect(caller.dial(wrong)).rejects.toThrow(/expected peer abab/);
    await pause(200);
    expect(caller.peers()).toEqual([]);
    expect(real.peers()).toEqual([]);
  });

  it("refuses peers of another chain, on both sides", async () => {
    const refused: string[] = [];
    const log = {
      debug: () => {},
      error: () => {},
      warn: (message: string, fields: object) =>
        refused.push(`${message} ${JSON.stringify(fields)}`),
    };
    const one = await start({ log });
    const other = await start({ chainId: "test-2", log });
    await expect(other.dial(addressOf(one))).rejects.toThrow();
    await until("the refusal", () => refused.some((text) => text.includes("expected chain")));
    expect([...one.peers(), ...other.peers()]).toEqual([]);
  });

  it("says in one sentence that its port is taken, and can be started later", async () => {
    const first = await start();
    const listen = { host: "127.0.0.1", port: addressOf(first).port };
    const second = new Libp2pTransport({
      key: generateNodeKey(),
      chainId: "test-1",
      moniker: "node",
      listen,
      persistentPeers: [],
      clock: testClock,
    });
    stops.push(() => second.stop());
    await expect(second.start()).rejects.toThrow(
      `cannot listen for peers on 127.0.0.1:${listen.port}: another process uses that port`,
    );
    await first.stop();
    await second.start();
    expect(second.address?.port).toBe(listen.port);
  });

  it("refuses to dial itself", async () => {
    const one = await start();
    await expect(one.dial(addressOf(one))).rejects.toThrow(/ourselves/);
  });

  it("keeps one of two connections dialled at the same time, the same at both ends", async () => {
    for (let i = 0; i < 3; i++) {
      const a = await start();
      const b = await start();
      await Promise.allSettled([a.dial(addressOf(b)), b.dial(addressOf(a))]);
      const settled = (): boolean => a.peers().length === 1 && b.peers().length === 1;
      await until("one link", () => settled() && a.peers()[0]?.outbound !== b.peers()[0]?.outbound);
      let got = 0;
      b.onMessage("consensus", () => {
        got += 1;
      });
      await until("a frame to pass", () => {
        a.send(b.self, "consensus", new Uint8Array(1));
        return got > 0;
      });
    }
  });

  it("redials a persistent peer that comes back on the same port", async () => {
    const key = generateNodeKey();
    const first = await start({ key });
    const address = addressOf(first);
    const caller = await start({ persistentPeers: [address] });
    await until("the first link", () => caller.peers().length === 1);
    await first.stop();
    await until("its end", () => caller.peers().length === 0);
    const again = await start({ key, listen: { host: address.host, port: address.port } });
    await until("the second link", () => caller.peers().length === 1 && again.peers().length === 1);
    let got = 0;
    again.onMessage("mempool", () => {
      got += 1;
    });
    caller.send(again.self, "mempool", new Uint8Array(5));
    await until("a frame", () => got === 1);
  });

  it("can be stopped and started again itself", async () => {
    const peer = await start();
    const node = await start({ persistentPeers: [addressOf(peer)] });
    await until("up", () => node.peers().length === 1);
    await node.stop();
    await until("down", () => peer.peers().length === 0);
    await node.start();
    await until("up again", () => node.peers().length === 1 && peer.peers().length === 1);
  });

  it("passes 12,000 frames of 1 KiB in order while both ends push back", async () => {
    const a = await start();
    const b = await start({ persistentPeers: [addressOf(a)] });
    await until("up", () => a.peers().length === 1 && b.peers().length === 1);
    let next = 0;
    let gaps = 0;
    b.onMessage("consensus", (_, message) => {
      const index = new DataView(message.buffer, message.byteOffset).getUint32(0);
      if (index !== next) gaps += 1;
      next = index + 1;
    });
    for (let sent = 0; sent < 12_000; ) {
      const message = new Uint8Array(1024);
      new DataView(message.buffer).setUint32(0, sent);
      if (a.send(b.self, "consensus", message)) sent += 1;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await until("all", () => next === 12_000, 15_000);
    expect(gaps).toBe(0);
    expect(a.peers().length).toBe(1);
  });

  it("serves consensus while a peer floods the mempool channel, within its rate and in bounded memory", async () => {
    const victim = await start();
    const flooder = await start({ persistentPeers: [addressOf(victim)] });
    await until("up", () => victim.peers().length === 1 && flooder.peers().length === 1);
    let floods = 0;
    let votes = 0;
    let sentVotes = 0;
    victim.onMessage("mempool", () => {
      floods += 1;
    });
    victim.onMessage("consensus", () => {
      votes += 1;
    });
    const endMs = performance.now() + 1_000;
    const frame1k = new Uint8Array(1024);
    while (performance.now() < endMs) {
      while (flooder.send(victim.self, "mempool", frame1k));
      if (flooder.send(victim.self, "consensus", new Uint8Array(100))) sentVotes += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sentVotes).toBeGreaterThan(0);
    await until("the votes", () => votes === sentVotes);
    // 4,000 a second and one second's burst.
    expect(floods).toBeLessThan(10_000);
    expect(victim.peers().length).toBe(1);
  });

  it("survives garbage on the socket, on the muxer, as greeting and as length, and stays of use to others", async () => {
    const victim = await start();
    const address = addressOf(victim);
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(5000).fill(0xff),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    ]) {
      const socket = await rawSocket(address);
      socket.write(bytes);
    }
    const outsider = await stranger();
    const greetings = [
      new Uint8Array(64).fill(0xff),
      frame(new Uint8Array(600)),
      frame(Buffer.from("not a greeting")),
      frame(new Uint8Array(0)),
    ];
    for (const bytes of greetings) {
      const connection = await outsider.dial(multiaddr(hostPortToMultiaddr(address)), {
        force: true,
      });
      const stream = await connection.newStream(channelProtocol("consensus"));
      stream.send(bytes);
      await until("the refusal", () => connection.status !== "open");
    }
    expect(victim.peers()).toEqual([]);
    // Greeted as one of us on all channels, then a frame longer than any may be.
    const connection = await outsider.dial(multiaddr(hostPortToMultiaddr(address)), {
      force: true,
    });
    const streams = await Promise.all(
      channels.map((channel) => connection.newStream(channelProtocol(channel))),
    );
    for (const stream of streams) stream.send(frame(hello()));
    await until("the outsider as a peer", () => victim.peers().length === 1);
    streams[0]?.send(Uint8Array.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]));
    await until("its end", () => victim.peers().length === 0);
    expect(victim.counters.refusedIn).toBe(1);
    const friend = await start({ persistentPeers: [address] });
    await until("a friend", () => friend.peers().length === 1 && victim.peers().length === 1);
  });

  it("closes connections that never greet", async () => {
    const victim = await start({
      clock: {
        ...testClock,
        startTimer: (ms, callback) => testClock.startTimer(ms / 20, callback),
      },
    });
    const outsider = await stranger();
    const connection = await outsider.dial(multiaddr(hostPortToMultiaddr(addressOf(victim))));
    await connection.newStream(channelProtocol("consensus"));
    await until("the close", () => connection.status !== "open");
  });

  it("refuses a banned peer's connections", async () => {
    const judge = await start();
    const pest = await start();
    await pest.dial(addressOf(judge));
    await until("up", () => judge.peers().length === 1);
    for (let i = 0; i < 4; i++) judge.report(pest.self, "test", "major");
    await until("down", () => judge.peers().length === 0 && pest.peers().length === 0);
    await expect(pest.dial(addressOf(judge))).rejects.toThrow();
    await expect(judge.dial(addressOf(pest))).rejects.toThrow(/banned/);
    expect(judge.peers()).toEqual([]);
  });

  it("takes no more inbound peers than allowed", async () => {
    const host = await start({ inboundPeersMax: 1 });
    const first = await start();
    const second = await start();
    await first.dial(addressOf(host));
    await until("the first", () => host.peers().length === 1);
    await second.dial(addressOf(host)).catch(() => {});
    await until("the refusal", () => second.peers().length === 0);
    expect(host.peers().map((peer) => peer.id)).toEqual([first.self]);
  });
});
