/** Two processes on loopback: round trip of 200-byte frames, and frames per second by size. Rates of limits.ts apply. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Libp2pTransport } from "./libp2p-transport.ts";
import { generateNodeKey } from "./node-key.ts";
import { formatPeerAddress, parsePeerAddress } from "./peer-address.ts";
import { testClock, until } from "./test-support.ts";

const roundTrips = 4_000;
const warmUp = 1_000;
const last = 9;

function create(peer: string | undefined): Libp2pTransport {
  return new Libp2pTransport({
    key: generateNodeKey(),
    chainId: "bench-1",
    moniker: "bench",
    listen: { host: "127.0.0.1", port: 0 },
    persistentPeers: peer === undefined ? [] : [parsePeerAddress(peer)],
    clock: testClock,
  });
}

async function serve(peer: string): Promise<void> {
  const transport = create(peer);
  await transport.start();
  transport.onMessage("consensus", (from, message) => {
    if (message.length === 200 && message[0] === 0) transport.send(from, "consensus", message);
    if (message[0] === last) transport.send(from, "evidence", message.subarray(0, 1));
  });
  process.on("message", () => {
    void transport.stop().then(() => process.exit(0));
  });
}

async function measure(): Promise<void> {
  const transport = create(undefined);
  await transport.start();
  const child = fork(
    fileURLToPath(import.meta.url),
    [formatPeerAddress(transport.address ?? never())],
    {
      execArgv: process.execArgv,
    },
  );
  await until("the other process", () => transport.peers().length === 1, 10_000);
  const peer = transport.peers()[0]?.id ?? never();
  let answered: () => void = () => {};
  transport.onMessage("consensus", () => answered());
  transport.onMessage("evidence", () => answered());

  const times: number[] = [];
  const echo = new Uint8Array(200);
  for (let i = 0; i < roundTrips; i++) {
    const startMs = performance.now();
    await new Promise<void>((resolve) => {
      answered = resolve;
      transport.send(peer, "consensus", echo);
    });
    if (i >= warmUp) times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    ((times[Math.floor(times.length * share)] ?? 0) * 1000).toFixed(0);
  console.log(`net::rtt/bytes=200 p50=${at(0.5)} us p99=${at(0.99)} us`);

  for (const [size, count] of [
    [201, 40_000],
    [1024, 40_000],
    [65_536, 1_000],
  ] as const) {
    const frame = new Uint8Array(size).fill(1);
    const final = new Uint8Array(size).fill(last);
    // One second's burst is free; start each size with a full one.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const startMs = performance.now();
    const done = new Promise<void>((resolve) => {
      answered = resolve;
    });
    for (let sent = 0; sent < count; ) {
      if (transport.send(peer, "consensus", sent === count - 1 ? final : frame)) sent += 1;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    const seconds = (performance.now() - startMs) / 1000;
    console.log(
      `net::throughput/bytes=${size} ${Math.round(count / seconds)} frames/s ${((count * size) / seconds / 1e6).toFixed(1)} MB/s`,
    );
  }
  child.send("stop");
  await transport.stop();
}

function never(): never {
  throw new Error("bench: no peer");
}

const peer = process.argv[2];
await (peer === undefined ? measure() : serve(peer));
