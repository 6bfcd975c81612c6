import { describe, expect, it } from "vitest";
import { type GeneratorName, generate } from "./generators.ts";

const SEED = 1;

function fall(name: GeneratorName, size: number, underlying: number): number {
  const levels = generate(name, size, SEED).steps.map(({ index }) => index[underlying] ?? 1);
  return Math.min(...levels) - 1;
}

describe("generators", () => {
  it.each([
    ["flash-crash", -0.131],
    ["grind", -0.151],
    ["gap", -0.171],
    ["oracle-lag", -0.205],
    ["correlated-collapse", -0.221],
  ] as const)("%s at size 1 falls as far as was measured", (name, measured) => {
    expect(fall(name, 1, 0)).toBeGreaterThan(measured - 0.03);
    expect(fall(name, 1, 0)).toBeLessThan(measured + 0.02);
  });

  it("multiply moves as logarithms: a fall at size 3 leaves the cube", () => {
    expect(Math.log(1 + fall("correlated-collapse", 3, 0))).toBeCloseTo(
      3 * Math.log(1 + fall("correlated-collapse", 1, 0)),
      6,
    );
  });

  it("let hedges gap apart, feeds stand still, chains stop and books empty where they say so", () => {
    const [btc, eth] = [fall("correlated-collapse", 1, 0), fall("correlated-collapse", 1, 1)];
    expect(btc - eth).toBeGreaterThan(0.15);
    const lag = generate("oracle-lag", 1, SEED).steps.at(10 * 60);
    expect((lag?.reported[0] ?? 0) / (lag?.index[0] ?? 1)).toBeGreaterThan(1.05);
    expect(generate("gap", 1, SEED).steps.filter(({ open }) => !open)).toHaveLength(600);
    expect(generate("black-hole", 1, SEED).steps.at(600)?.depthMax).toBe(0.05);
    expect(
      Math.max(...generate("depeg", 1, SEED).steps.map(({ index }) => index[0] ?? 0)),
    ).toBeGreaterThan(1.12);
    expect(
      Math.max(...generate("volatility-spike", 1, SEED).steps.map((s) => s.volatility)),
    ).toBeCloseTo(1.5);
  });

  it("are functions of name, size and seed", () => {
    const prices = (seed: number): string =>
      JSON.stringify(generate("gap", 3, seed).steps.map(({ index }) => index));
    expect(prices(7)).toBe(prices(7));
    expect(prices(7)).not.toBe(prices(8));
  });
});
