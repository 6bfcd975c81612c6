import {
  QueryPricesResponse,
  QueryValidatorReportsResponse,
} from "@keel/proto/gen/keel/oracle/v1/query";
import { expect, it } from "vitest";
import type { SourceStatus } from "../feeds/types.ts";
import { createMetrics } from "./metrics.ts";

const status: SourceStatus = {
  sources: [
    { venue: "kraken", symbol: "BTC-USD", state: "outlier", ageMs: 250 },
    { venue: "okx", symbol: "BTC-USD", state: "silent", ageMs: null },
  ],
  faults: [{ venue: "okx", kind: "timeout", count: 3 }],
};

it("shows outliers, dead sources, the age of prices, and how validators report", async () => {
  let code = 0;
  const metrics = createMetrics(
    {
      peers: () => 0,
      poolTxs: () => 0,
      poolBytes: () => 0,
      catchingUp: () => false,
      oracle: {
        sources: () => status,
        missing: () => 2,
        query: ({ path }) => {
          const value = path.endsWith("/Prices")
            ? QueryPricesResponse.encode(
                QueryPricesResponse.fromPartial({ prices: [{ symbol: "BTC-USD", ageMs: 1_500n }] }),
              ).finish()
            : QueryValidatorReportsResponse.encode(
                QueryValidatorReportsResponse.fromPartial({
                  reports: {
                    reports: [
                      {
                        address: Uint8Array.of(10, 11),
                        blocks: 9n,
                        missedBlocks: 4n,
                        deviantVotes: 1n,
                      },
                    ],
                  },
                }),
              ).finish();
          const none = { codespace: "", log: "", info: "", index: 0n, proofOps: null, height: 1 };
          return Promise.resolve({ ...none, code, key: value, value });
        },
      },
    },
    "keel-test-1",
  );
  const text = await metrics.text();
  for (const line of [
    'keel_oracle_source{venue="kraken",symbol="BTC-USD",state="outlier",chain_id="keel-test-1"} 1',
    'keel_oracle_source{venue="okx",symbol="BTC-USD",state="silent",chain_id="keel-test-1"} 1',
    'keel_oracle_source_age_seconds{venue="kraken",symbol="BTC-USD",chain_id="keel-test-1"} 0.25',
    'keel_oracle_source_faults_total{venue="okx",kind="timeout",chain_id="keel-test-1"} 3',
    'keel_oracle_missing_symbols{chain_id="keel-test-1"} 2',
    'keel_oracle_price_age_seconds{feed="BTC-USD",chain_id="keel-test-1"} 1.5',
    'keel_oracle_validator_reports{validator="0A0B",counter="missed_blocks",chain_id="keel-test-1"} 4',
    'keel_oracle_validator_reports{validator="0A0B",counter="deviant_votes",chain_id="keel-test-1"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  code = 6;
  expect(await metrics.text()).not.toContain("keel_oracle_validator_reports{");
  metrics.stop();
});
