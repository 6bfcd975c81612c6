/** What the oracle looks like from this node: its own sources, the chain's prices, and how each validator reports. Read when they are asked for. */
import type { QueryRequest, QueryResponse } from "@keel/consensus/host/ports";
import { bytesToHex } from "@keel/proto/bytes/hex";
import {
  QueryPricesResponse,
  QueryValidatorReportsResponse,
} from "@keel/proto/gen/keel/oracle/v1/query";
import type { SourceStatus } from "../feeds/types.ts";
import { Counter, Gauge, type Registry } from "./prometheus.ts";

export interface OracleMetricSources {
  /** Null: this node has no venues. */
  readonly sources: () => SourceStatus | null;
  /** Symbols the chain lists and this node has no price of; null: it does not vote. */
  readonly missing: () => number | null;
  readonly query: (request: QueryRequest) => Promise<QueryResponse>;
}

const PATH = "/keel.oracle.v1.Query";

export function registerOracleMetrics(registry: Registry, from: OracleMetricSources): void {
  const registers = [registry];
  const ask = async <A>(
    name: string,
    codec: { decode(bytes: Uint8Array): A },
  ): Promise<A | null> => {
    const request = { path: `${PATH}/${name}`, data: new Uint8Array(0), height: 0, prove: false };
    const answer = await from.query(request);
    return answer.code === 0 ? codec.decode(answer.value) : null;
  };

  new Gauge({
    name: "keel_oracle_source",
    help: "1 for the state each venue's price of a symbol is in: used, outlier, late, silent.",
    labelNames: ["venue", "symbol", "state"],
    registers,
    collect() {
      this.reset();
      for (const { venue, symbol, state } of from.sources()?.sources ?? []) {
        this.set({ venue, symbol, state }, 1);
      }
    },
  });
  new Gauge({
    name: "keel_oracle_source_age_seconds",
    help: "Age of each venue's last quote.",
    labelNames: ["venue", "symbol"],
    registers,
    collect() {
      this.reset();
      for (const { venue, symbol, ageMs } of from.sources()?.sources ?? []) {
        if (ageMs !== null) this.set({ venue, symbol }, ageMs / 1000);
      }
    },
  });
  new Counter({
    name: "keel_oracle_source_faults_total",
    help: "Failures of each venue since start: connect, timeout, status, size, content, closed.",
    labelNames: ["venue", "kind"],
    registers,
    collect() {
      this.reset();
      for (const { venue, kind, count } of from.sources()?.faults ?? []) {
        this.inc({ venue, kind }, count);
      }
    },
  });
  new Gauge({
    name: "keel_oracle_missing_symbols",
    help: "Symbols the chain lists and this node has no price of.",
    registers,
    collect() {
      const missing = from.missing();
      if (missing !== null) this.set(missing);
    },
  });
  new Gauge({
    name: "keel_oracle_price_age_seconds",
    help: "Age of the chain's price of each feed, in block time.",
    labelNames: ["feed"],
    registers,
    async collect() {
      const found = await ask("Prices", QueryPricesResponse);
      this.reset();
      for (const { symbol, ageMs } of found?.prices ?? []) {
        this.set({ feed: symbol }, Number(ageMs) / 1000);
      }
    },
  });
  new Gauge({
    name: "keel_oracle_validator_reports",
    help: "Counters of the recent window: blocks, missed_blocks, missed_feeds, deviant_votes.",
    labelNames: ["validator", "counter"],
    registers,
    async collect() {
      const found = await ask("ValidatorReports", QueryValidatorReportsResponse);
      this.reset();
      for (const report of found?.reports?.reports ?? []) {
        const validator = bytesToHex(report.address);
        const { blocks, deviantVotes, missedBlocks, missedFeeds } = report;
        this.set({ validator, counter: "blocks" }, Number(blocks));
        this.set({ validator, counter: "missed_blocks" }, Number(missedBlocks));
        this.set({ validator, counter: "missed_feeds" }, Number(missedFeeds));
        this.set({ validator, counter: "deviant_votes" }, Number(deviantVotes));
      }
    },
  });
}
