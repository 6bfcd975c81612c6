import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { describe, expect, it } from "vitest";
import { TestChain } from "../app/testing/chain.ts";
import { feedGuard } from "./clearing-house.ts";
import { createGenesis, type GenesisChoices } from "./create.ts";

const signer = new TestChain().account(0);

function genesis(change: Partial<GenesisChoices> = {}): Record<string, unknown> {
  const { appState } = createGenesis({
    chainId: "keel-test-1",
    genesisTime: timestampFromMs(0),
    validators: [],
    accounts: [{ address: signer.address, coins: [{ denom: "ukeel", amount: 1n }] }],
    authority: null,
    insuranceFund: 1_000_001n,
    vaultQuotes: true,
    options: true,
    ...change,
  });
  return appState as Record<string, unknown>;
}

const clearingHouse = { emergencyKey: signer.address, noticeMs: 60_000n, priceRanges: true };

describe("a chain with the whole clearing house", () => {
  it("begins, makes blocks with every invariant whole, and begins again from its export", async () => {
    const chain = await new TestChain({ appState: genesis({ clearingHouse }) }).start();
    for (let i = 0; i < 3; i++) await chain.decide([]);
    expect(chain.app.brokenInvariant()).toBeNull();
    expect(chain.faults).toEqual([]);
    const exported = chain.app.exportGenesis();
    const again = await new TestChain({ appState: exported as Record<string, unknown> }).start();
    await again.decide([]);
    expect(again.app.brokenInvariant()).toBeNull();
  });

  it("has on what a plain chain has off, each from the first block", () => {
    const on = genesis({ clearingHouse });
    const off = genesis();
    const read = (state: Record<string, unknown>, ...path: readonly (string | number)[]): unknown =>
      path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)?.[key], state);
    for (const path of [
      ["oracle", "feeds", 0, "guard"],
      ["derivatives", "markets", 0, "market", "terms", "mark"],
      ["derivatives", "markets", 0, "market", "terms", "auction"],
      ["margin", "params", "ladder"],
      ["margin", "dynamic_margin", 0],
      ["margin", "portfolio_model"],
      ["margin", "waterfall"],
      ["insurance", "params", "cooldown_ms"],
      ["insurance", "params", "draw_cap_ppm"],
      ["guard", "params", "emergency_key"],
      ["guard", "params", "outage"],
      ["guard", "rules", 0, "rules", "ranges", 2],
      ["guard", "rules", 0, "rules", "open_interest"],
      ["guard", "rules", 0, "rules", "margin"],
      ["guard", "velocities", 0],
    ]) {
      expect(read(on, ...path), path.join(".")).toBeTruthy();
      expect(read(off, ...path), path.join(".")).toBeFalsy();
    }
    expect(read(on, "margin", "params", "market_gates")).toBe(true);
  });

  it("keeps the whole fund, in two parts", () => {
    const { funds } = genesis({ clearingHouse })["insurance"] as {
      readonly funds: readonly { readonly balance: string; readonly risk_class?: string }[];
    };
    expect(funds.map(({ balance, risk_class }) => [risk_class ?? "", balance])).toEqual([
      ["", "500001"],
      ["btc", "500000"],
    ]);
  });

  it("waits as many blocks where a price may be older, and never longer than a day", () => {
    const at = (maxAgeMs: bigint) =>
      feedGuard({ feedId: 1, marketId: 1, settlementDenom: "uusdc", maxAgeMs });
    expect(at(5_000n)).toMatchObject({
      noWithdrawalsAgeMs: 15_000n,
      noLiquidationAgeMs: 60_000n,
      slowLaneBlocks: 5,
    });
    expect(at(1_000n)).toEqual(at(5_000n));
    expect(at(10_000n)).toMatchObject({ noWithdrawalsAgeMs: 30_000n, slowLaneBlocks: 2 });
    expect(at(120_000n)).toMatchObject({ noLiquidationAgeMs: 1_440_000n, slowLaneBlocks: 1 });
    expect(at(86_400_000n).noLiquidationAgeMs).toBe(86_400_000n);
  });
});
