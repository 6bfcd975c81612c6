import { describe, expect, it } from "vitest";
import { simulate } from "./run.ts";

describe("the whole exchange", { timeout: 240_000 }, () => {
  it("lists, trades, expires and settles with every invariant whole, and an export and a snapshot go on as if nothing had been", async () => {
    const { coverage, compared, scans, height, historyHash } = await simulate({
      seed: 7,
      blocks: 260,
      agents: 30,
      messagesPerBlock: 10,
      scanEvery: 2,
      branches: [
        { height: 100, blocks: 8 },
        { height: 240, blocks: 20 },
      ],
    });
    expect([height, scans]).toEqual([260, 130]);
    expect(compared).toEqual({ export: 28, snapshot: 28 });
    expect(historyHash).toMatch(/^[0-9A-F]{64}$/);
    const kinds = ["future", "european call", "european put", "digital call", "asian call"];
    for (const kind of kinds)
      expect(coverage.count("life of a contract", `${kind}: settled`), kind).toBeGreaterThan(0);
    for (const [section, name] of [
      ["life of a contract", "perpetual: traded"],
      ["life of a contract", "perpetual: traded in an auction"],
      ["event", "position_settled"],
      ["event", "external_trade"],
      ["event", "order_triggered"],
      ["event", "twap_slice"],
      ["event", "auction_opening"],
      ["event", "oracle_surface"],
      ["event", "oracle_surface_below_quorum"],
      ["operation refused", "forged document"],
    ] as const)
      expect(coverage.count(section, name), name).toBeGreaterThan(0);
    expect(coverage.count("event", "market_quarantined")).toBe(0);
  });

  it("makes the same history from the same seed, and another from another", async () => {
    const of = async (seed: number): Promise<string> => {
      const small = { blocks: 12, agents: 18, messagesPerBlock: 12, scanEvery: 1, branches: [] };
      return (await simulate({ seed, ...small })).historyHash;
    };
    const first = await of(3);
    expect(await of(3)).toBe(first);
    expect(await of(4)).not.toBe(first);
  });
});
