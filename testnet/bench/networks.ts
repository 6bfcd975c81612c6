/** Benches 3 and 4: real keeld processes, blocks on disk, orders signed beforehand and sent over RPC. */
import { loadavg } from "node:os";
import type { LoadRun } from "./load.ts";
import { runLoad } from "./load.ts";
import { processSeconds } from "./machine.ts";
import { Market } from "./market.ts";
import type { Measurement } from "./report.ts";
import { percentile } from "./report.ts";
import { HeaderStream } from "./rpc.ts";

const SIGNED_MARK = 3_000;
const IDLE_P50_MARK_MS = 150;
const LOADED_P50_MARK_MS = 300;
const LOADED_RATE = 500;
/** Unmeasured, before the measured load: a process that has just started spends half its time compiling. */
const WARM_ORDERS = 10_000;
const WARM_RATE = 1_000;

/** What is measured is validators; the reader that serves candles and streams belongs to nodes that people ask. */
const VALIDATOR_ONLY = { "market_data.enabled": false } as const;

/** One validator with default pacing (a block at most every 200 ms). */
export async function benchSignedOrders(
  rates: readonly number[],
  seconds: number,
): Promise<Measurement[]> {
  const market = await Market.open({
    validators: 1,
    config: VALIDATOR_ONLY,
    cancelLag: 2 * Math.max(...rates),
  });
  try {
    await runLoad(market, WARM_RATE, WARM_ORDERS / WARM_RATE);
    const out: Measurement[] = [];
    for (const rate of rates) {
      const run = await runLoad(market, rate, seconds);
      out.push({
        name: `signed orders on one validator, ${rate}/s offered`,
        value: run.committedPerSecond,
        unit: "orders/s",
        mark: rate >= SIGNED_MARK ? { atLeast: SIGNED_MARK } : null,
        details: loadDetails(run),
      });
    }
    return out;
  } finally {
    await market.close();
  }
}

/** Four validators without pacing: the next height begins as soon as the last is decided. */
export async function benchBlockIntervals(seconds: number): Promise<Measurement[]> {
  const market = await Market.open({
    validators: 4,
    config: {
      ...VALIDATOR_ONLY,
      "consensus.min_block_interval": "0s",
      "consensus.empty_block_interval": "0s",
      "consensus.timeout_commit": "0s",
    },
    cancelLag: 4 * LOADED_RATE,
  });
  try {
    const idle = await benchIdle(market, seconds);
    await runLoad(market, LOADED_RATE, WARM_ORDERS / LOADED_RATE);
    const run = await runLoad(market, LOADED_RATE, seconds);
    return [
      idle,
      {
        name: `block interval p50, four validators, ${LOADED_RATE} orders/s`,
        value: run.intervalP50Ms,
        unit: "ms",
        mark: { atMost: LOADED_P50_MARK_MS },
        details: loadDetails(run),
      },
    ];
  } finally {
    await market.close();
  }
}

async function benchIdle(market: Market, seconds: number): Promise<Measurement> {
  const { nodes } = market.network;
  const cpu = (): number =>
    nodes.reduce((sum, { process: { pid } }) => sum + (pid === null ? 0 : processSeconds(pid)), 0);
  const headers = await HeaderStream.open(nodes[0]?.rpc ?? "");
  try {
    const before = cpu();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const used = cpu() - before;
    const { arrivals } = headers;
    const intervals = arrivals.slice(1).map(({ atMs }, i) => atMs - (arrivals[i]?.atMs ?? atMs));
    return {
      name: "block interval p50, four validators, idle",
      value: percentile(intervals, 50),
      unit: "ms",
      mark: { atMost: IDLE_P50_MARK_MS },
      details: {
        "block interval p99, ms": percentile(intervals, 99),
        blocks: arrivals.length,
        "processor time of all nodes per block, ms": (used / arrivals.length) * 1000,
        "load average": (loadavg()[0] ?? 0).toFixed(1),
      },
    };
  } finally {
    headers.close();
  }
}

function loadDetails(run: LoadRun): Measurement["details"] {
  return {
    "committed while offered, orders/s": run.committedWhileOfferedPerSecond,
    "offered / committed": `${run.offered} / ${run.committed}`,
    "commit latency p50, ms": run.latencyP50Ms,
    "commit latency p99, ms": run.latencyP99Ms,
    "block interval p50, ms": run.intervalP50Ms,
    "block interval p99, ms": run.intervalP99Ms,
    blocks: run.blocks,
    "processor time of all nodes per order, µs": run.nodeMicrosPerOrder,
    "of it in their main threads, µs": run.mainMicrosPerOrder,
    "refused at admission": run.refusedAtAdmission,
    "refused by the market": run.failedInBlocks,
    ...(run.firstRefusal === "" ? {} : { "first refusal": run.firstRefusal }),
    "load average": (loadavg()[0] ?? 0).toFixed(1),
  };
}
