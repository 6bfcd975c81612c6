/**
 * Open loop: batches leave at their appointed times whatever became of the earlier ones, and latency counts from the appointed
 * time, so that a node that stalls cannot hide it.
 */
import { txHash } from "@keel/consensus/wire/block";
import { base64ToBytes } from "@keel/proto/bytes/base64";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { mainThreadSeconds, processSeconds } from "./machine.ts";
import type { Market } from "./market.ts";
import { broadcastBody, refusalOf } from "./market.ts";
import { percentile } from "./report.ts";
import type { Answer } from "./rpc.ts";
import { HeaderStream } from "./rpc.ts";

export interface LoadRun {
  readonly offeredPerSecond: number;
  /** From the first appointed time to the last block that took one of the orders. */
  readonly committedPerSecond: number;
  /** During the time of the offering alone. */
  readonly committedWhileOfferedPerSecond: number;
  readonly offered: number;
  readonly committed: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly intervalP50Ms: number;
  readonly intervalP99Ms: number;
  readonly blocks: number;
  /** Of all nodes together, per committed order. */
  readonly nodeMicrosPerOrder: number;
  /** Of their main threads alone. */
  readonly mainMicrosPerOrder: number;
  readonly refusedAtAdmission: number;
  readonly firstRefusal: string;
  readonly failedInBlocks: number;
}

interface Batch {
  readonly body: string;
  readonly hashes: readonly string[];
  readonly offsetMs: number;
}

/** Fewer, larger batches would make waves; this is near what a busy gateway sends. */
const BATCH_MS = 20;
const BATCH_MAX = 100;
const LATE_TIMEOUT_MS = 60_000;

export async function runLoad(market: Market, rate: number, seconds: number): Promise<LoadRun> {
  const batches = prepare(market, rate, seconds);
  const pids = market.network.nodes.flatMap(({ process: { pid } }) => pid ?? []);
  const cpu = (): number => pids.reduce((sum, pid) => sum + processSeconds(pid), 0);
  const mainCpu = (): number => pids.reduce((sum, pid) => sum + mainThreadSeconds(pid), 0);
  const headers = await HeaderStream.open(market.network.nodes[0]?.rpc ?? "");
  try {
    const cpuBefore = cpu();
    const mainBefore = mainCpu();
    const start = performance.now() + 100;
    const refusals: string[] = [];
    const answers = batches.map(async ({ body, offsetMs }) => {
      await sleep(start + offsetMs - performance.now());
      const all = (await market.rpc.post(body)) as Answer[];
      refusals.push(...all.flatMap((answer) => refusalOf(answer) ?? []));
    });
    const finished = Promise.all(answers);
    await withTimeout(finished, seconds * 1000 + LATE_TIMEOUT_MS);
    await market.settle();
    await headers.reach(await market.height(), LATE_TIMEOUT_MS);
    const cpuUsed = cpu() - cpuBefore;
    const mainUsed = mainCpu() - mainBefore;
    const first = headers.arrivals[0]?.height ?? 0;
    const blocks = await readBlocks(market, headers);
    const offeredAt = new Map(
      batches.flatMap(({ hashes, offsetMs }) =>
        hashes.map((hash) => [hash, start + offsetMs] as const),
      ),
    );
    const latencies: number[] = [];
    let lastMs = start;
    let during = 0;
    let failed = 0;
    for (const { atMs, hashes, failures } of blocks) {
      const ours = hashes.filter((hash) => offeredAt.has(hash));
      failed += failures;
      if (ours.length === 0) continue;
      lastMs = atMs;
      if (atMs <= start + seconds * 1000) during += ours.length;
      for (const hash of ours) latencies.push(atMs - (offeredAt.get(hash) as number));
    }
    const busy = headers.arrivals.filter(({ atMs }) => atMs >= start && atMs <= lastMs);
    const intervals = busy.slice(1).map(({ atMs }, i) => atMs - (busy[i]?.atMs ?? atMs));
    return {
      offeredPerSecond: rate,
      committedPerSecond: latencies.length / ((lastMs - start) / 1000),
      committedWhileOfferedPerSecond: during / seconds,
      offered: offeredAt.size,
      committed: latencies.length,
      latencyP50Ms: percentile(latencies, 50),
      latencyP99Ms: percentile(latencies, 99),
      intervalP50Ms: percentile(intervals, 50),
      intervalP99Ms: percentile(intervals, 99),
      blocks: (headers.arrivals.at(-1)?.height ?? first) - first + 1,
      nodeMicrosPerOrder: (cpuUsed / Math.max(1, latencies.length)) * 1e6,
      mainMicrosPerOrder: (mainUsed / Math.max(1, latencies.length)) * 1e6,
      refusedAtAdmission: refusals.length,
      firstRefusal: refusals[0] ?? "",
      failedInBlocks: failed,
    };
  } finally {
    headers.close();
  }
}

function prepare(market: Market, rate: number, seconds: number): Batch[] {
  const batches: Batch[] = [];
  const total = rate * seconds;
  const size = Math.max(1, Math.min(BATCH_MAX, Math.round((rate * BATCH_MS) / 1000)));
  for (let sent = 0; sent < total; sent += size) {
    const txs = Array.from({ length: Math.min(size, total - sent) }, () =>
      market.sign(market.flow.next()),
    );
    batches.push({
      body: broadcastBody(txs),
      hashes: txs.map((tx) => bytesToHex(txHash(base64ToBytes(tx)))),
      offsetMs: (sent / rate) * 1000,
    });
  }
  return batches;
}

async function readBlocks(
  market: Market,
  headers: HeaderStream,
): Promise<{ atMs: number; hashes: string[]; failures: number }[]> {
  const out = [];
  for (const { height, atMs } of headers.arrivals) {
    const params = { height: height.toString() };
    const { block } = await market.rpc.call<{ block: { data: { txs: string[] } } }>(
      "block",
      params,
    );
    const { txs } = block.data;
    let failures = 0;
    if (txs.length > 1) {
      const results = await market.rpc.call<{ txs_results: { code: number }[] | null }>(
        "block_results",
        params,
      );
      failures = (results.txs_results ?? []).filter(({ code }) => code !== 0).length;
    }
    out.push({ atMs, hashes: txs.map((tx) => bytesToHex(txHash(base64ToBytes(tx)))), failures });
  }
  return out;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the node did not answer all requests in time")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
