import type { QueryRequest, QueryResponse } from "@keel/consensus/host/ports";
import { decodeExtension, encodeExtension } from "@keel/modules/oracle/extension";
import { QuerySettlementPricesResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import { QuerySurfacesResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { createSurfaceModel } from "./surface-model.ts";
import { createSurfaceSource } from "./surface-source.ts";

const START_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const WEEK = [START_MS + 7 * DAY_MS];

/** Annual, at the money of the first expiry. */
function volatility(vote: SurfaceVote | undefined, nowMs: number): number {
  const [first] = vote?.expiries ?? [];
  if (first === undefined) throw new Error("expected an expiry");
  return Math.sqrt((Number(first.theta) / 1e18 / (Number(first.expiryMs) - nowMs)) * 365 * DAY_MS);
}

describe("the model of a surface", () => {
  it("says nothing before the first price", () => {
    expect(createSurfaceModel().vote(1, WEEK, START_MS)).toBeUndefined();
  });

  it("raises volatility and skew in a crash, and calms down again", () => {
    const model = createSurfaceModel();
    let now = START_MS;
    let price = 60_000;
    const walk = (seconds: number, drift: number): SurfaceVote | undefined => {
      for (let i = 0; i < seconds; i++) {
        now += 1000;
        // Alternating steps of 1e-4: 56 % a year.
        price *= 1 + drift + (i % 2 === 0 ? 1e-4 : -1e-4);
        model.observe(price, now);
      }
      return model.vote(1, [...WEEK, START_MS + 60 * DAY_MS], now);
    };
    const calm = walk(7200, 0);
    const crash = walk(600, -3e-4);
    const after = walk(20 * 3600, 0);
    expect(volatility(calm, now)).toBeGreaterThan(0.5);
    expect(volatility(crash, now)).toBeGreaterThan(volatility(calm, now) * 1.1);
    expect(crash?.rhoPpm).toBeLessThan((calm?.rhoPpm ?? 0) - 100_000);
    expect(Math.abs(volatility(after, now) - volatility(calm, now))).toBeLessThan(0.05);
    for (const vote of [calm, crash, after]) {
      if (vote === undefined) throw new Error("expected a vote");
      expect(vote.etaPpm * (1_000_000 + Math.abs(vote.rhoPpm))).toBeLessThanOrEqual(2e12);
      const [near, far] = vote.expiries;
      expect(far?.theta).toBeGreaterThan(near?.theta ?? 0n);
      expect(decodeExtension(encodeExtension([], [vote]))).toHaveProperty("vote");
    }
  });

  it("stays free of calendar arbitrage from any volatility", () => {
    for (const move of [0, 0.0002, 0.002, 0.02]) {
      const model = createSurfaceModel();
      for (let i = 0; i < 3000; i++) model.observe(100 * (1 + (i % 2) * move), START_MS + i * 1000);
      const expiries = Array.from({ length: 16 }, (_, i) => START_MS + (i + 1) * 3_600_000);
      const thetas = model.vote(1, expiries, START_MS)?.expiries.map(({ theta }) => theta) ?? [];
      expect(thetas.every((theta, i) => theta > (thetas[i - 1] ?? 0n))).toBe(true);
    }
  });
});

describe("votes on surfaces", () => {
  it("name the chain's surfaces on indexes that have a price, at its contracts' expiries and at pillars", async () => {
    const source = createSurfaceSource(() => START_MS);
    source.observe([{ symbol: "BTC-USD", priceE8: 6_000_000_000_000n, confidenceE8: 1n }]);
    const surfaces = [
      { id: 3, symbol: "BTC-VOL", feedId: 1, enabled: true },
      { id: 4, symbol: "ETH-VOL", feedId: 2, enabled: true },
      { id: 5, symbol: "OLD-VOL", feedId: 1, enabled: false },
    ];
    const expiries = Array.from({ length: 20 }, (_, i) => BigInt(START_MS + (i - 1) * DAY_MS + 5));
    const asked: QueryRequest[] = [];
    const answer = (value: Uint8Array, code = 0): QueryResponse => ({
      ...{ code, codespace: "", log: "", info: "", index: 0n, key: value, value },
      ...{ proofOps: null, height: 1 },
    });
    const query = (request: QueryRequest): Promise<QueryResponse> => {
      asked.push(request);
      const prices = expiries.map((expiryMs, i) => ({ expiryMs, final: i === 7 }));
      return Promise.resolve(
        answer(
          request.path.endsWith("Surfaces")
            ? QuerySurfacesResponse.encode(QuerySurfacesResponse.fromPartial({ surfaces })).finish()
            : QuerySettlementPricesResponse.encode(
                QuerySettlementPricesResponse.fromPartial({ prices }),
              ).finish(),
        ),
      );
    };
    expect(source.votes()).toEqual([]);
    await source.refresh(query, (feedId) => (feedId === 1 ? "BTC-USD" : "ETH-USD"));
    expect(asked.map(({ path }) => path.split("/").at(-1))).toEqual([
      "Surfaces",
      "SettlementPrices",
      "SettlementPrices",
    ]);
    const [vote, none] = source.votes();
    expect([vote?.surfaceId, none]).toEqual([3, undefined]);
    const seen = vote?.expiries.map(({ expiryMs }) => expiryMs) ?? [];
    expect(seen).toHaveLength(16);
    expect([...seen].sort((a, b) => (a < b ? -1 : 1))).toEqual(seen);
    expect(seen).not.toContain(expiries[0]);
    expect(seen).not.toContain(expiries[7]);
    expect(seen.filter((ms) => ms % BigInt(DAY_MS) === 0n)).toHaveLength(3);
    await source.refresh(
      () => Promise.resolve(answer(new Uint8Array(0), 6)),
      () => "BTC-USD",
    );
    expect(source.votes()).toHaveLength(1);
  });
});
