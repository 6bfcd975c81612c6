/** Prometheus metrics of a node, named as CometBFT's where the meaning is theirs. */
import type { Server } from "node:http";
import { createServer } from "node:http";
import { type OracleMetricSources, registerOracleMetrics } from "./oracle-metrics.ts";
import { Counter, Gauge, Histogram, monitorEventLoopDelay, Registry } from "./prometheus.ts";

export interface NodeMetrics {
  onCommitted(block: {
    readonly height: number;
    readonly txs: number;
    readonly timeMs: number;
  }): void;
  onRound(round: number): void;
  onFault(where: string): void;
}

export interface MetricSources {
  readonly peers: () => number;
  readonly poolTxs: () => number;
  readonly poolBytes: () => number;
  readonly catchingUp: () => boolean;
  readonly oracle: OracleMetricSources;
}

export interface Metrics extends NodeMetrics {
  text(): Promise<string>;
  stop(): void;
}

export function createMetrics(sources: MetricSources, chainId: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ chain_id: chainId });
  const registers = [registry];
  const gauge = (name: string, help: string, read?: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      ...(read === undefined
        ? {}
        : {
            collect(this: Gauge) {
              this.set(read());
            },
          }),
    });
  const height = gauge("cometbft_consensus_height", "Height of the chain.");
  const round = gauge("cometbft_consensus_rounds", "Round of the height in progress.");
  const blockTxs = gauge("cometbft_consensus_num_txs", "Transactions in the newest block.");
  const txs = new Counter({
    name: "cometbft_consensus_total_txs",
    help: "Transactions committed since start.",
    registers,
  });
  const interval = new Histogram({
    name: "cometbft_consensus_block_interval_seconds",
    help: "Real time between commits.",
    buckets: [0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10],
    registers,
  });
  const faults = new Counter({
    name: "keel_contained_faults_total",
    help: "Reverted messages, quarantined markets, broken invariants.",
    labelNames: ["where"],
    registers,
  });
  gauge("cometbft_p2p_peers", "Connected peers.", sources.peers);
  gauge("cometbft_mempool_size", "Pooled transactions.", sources.poolTxs);
  gauge("cometbft_mempool_size_bytes", "Bytes of pooled transactions.", sources.poolBytes);
  gauge("cometbft_blocksync_syncing", "1 while catching up.", () => (sources.catchingUp() ? 1 : 0));
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  registerOracleMetrics(registry, sources.oracle);
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  gauge(
    "keel_event_loop_lag_p99_seconds",
    "Event loop delay since the last scrape, 99th percentile.",
    () => {
      const p99 = delay.percentile(99) / 1e9;
      delay.reset();
      return p99;
    },
  );
  let last: number | null = null;
  return {
    onCommitted(block) {
      height.set(block.height);
      blockTxs.set(block.txs);
      txs.inc(block.txs);
      if (last !== null) interval.observe((block.timeMs - last) / 1000);
      last = block.timeMs;
    },
    onRound: (number) => round.set(number),
    onFault: (where) => faults.inc({ where }),
    text: () => registry.metrics(),
    stop: () => delay.disable(),
  };
}

/** GET /metrics; everything else is 404. */
export async function serveMetrics(metrics: Metrics, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`port ${port} on ${host} is in use; choose another prometheus_listen_addr`)
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
  return server;
}
