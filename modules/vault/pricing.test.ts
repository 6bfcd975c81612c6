import { describe, expect, it } from "vitest";
import { leverageWad, quoteTicks } from "./pricing.ts";
import { WAD } from "./shares.ts";

const terms = {
  referenceTicks: 1_000_000n,
  spreadPpm: 10_000n,
  skewPpm: 2_000_000n,
  concessionMaxPpm: 50_000n,
};
const at = (side: "buy" | "sell", tenths: bigint) => quoteTicks(side, (tenths * WAD) / 10n, terms);

describe("a quote", () => {
  it("without inventory lies one spread from the mark on either side", () => {
    expect(at("buy", 0n)).toBe(990_000n);
    expect(at("sell", 0n)).toBe(1_010_000n);
  });

  it("leans against a long position: the ask by u, the bid by (1 + u)² − 1", () => {
    // u = 2 × 0.2
    expect(at("sell", 2n)).toBe(1_006_000n);
    expect(at("buy", 2n)).toBe(1_000_000n - 19_600n);
  });

  it("leans against a short one in the mirror", () => {
    expect(at("buy", -2n)).toBe(994_000n);
    expect(at("sell", -2n)).toBe(1_019_600n);
  });

  it("goes beyond the mark as far as it may, and no farther", () => {
    expect(at("sell", 10n)).toBe(990_000n);
    expect(at("buy", -10n)).toBe(1_010_000n);
    expect(quoteTicks("sell", 10n * WAD, terms)).toBe(950_000n);
    expect(quoteTicks("buy", -10n * WAD, terms)).toBe(1_050_000n);
    expect(quoteTicks("sell", 10n * WAD, { ...terms, concessionMaxPpm: 0n })).toBe(1_000_000n);
  });

  it("rounds asks up and bids down", () => {
    const odd = { ...terms, referenceTicks: 101n };
    expect(quoteTicks("sell", 0n, odd)).toBe(103n);
    expect(quoteTicks("buy", 0n, odd)).toBe(99n);
  });

  it("is not made where there is no such price", () => {
    expect(quoteTicks("buy", 10n * WAD, terms)).toBeNull();
    expect(quoteTicks("sell", 0n, { ...terms, referenceTicks: 2_147_483_647n })).toBeNull();
  });

  it("knows leverage with its sign, toward zero", () => {
    expect(leverageWad(-1n, 3n)).toBe(-333_333_333_333_333_333n);
    expect(leverageWad(500n, 1_000n)).toBe(WAD / 2n);
  });
});
