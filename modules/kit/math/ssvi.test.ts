import { describe, expect, it } from "vitest";
import { expWad } from "./exp.ts";
import { Q_ONE, WAD } from "./fixed-point.ts";
import { ssviPoint, ssviSlice, volatilityOfVariance, volatilitySkew } from "./ssvi.ts";

const SHAPE = { rho: (-3n * WAD) / 10n, eta: WAD, gamma: (4n * WAD) / 10n };

function wad(text: string): bigint {
  const [whole = "0", rest = ""] = text.split(".");
  return BigInt(whole) * WAD + BigInt(rest.padEnd(18, "0").slice(0, 18));
}

/** Published with this many digits; half of the last one is allowed. */
function near(actualQ: bigint, published: string): void {
  const digits = (published.split(".")[1] ?? "").length;
  const actual = (actualQ * 10n ** 24n) / Q_ONE;
  const [whole = "0", rest = ""] = published.split(".");
  const wanted = BigInt(whole + rest.padEnd(24, "0"));
  const off = actual > wanted ? actual - wanted : wanted - actual;
  expect(off, published).toBeLessThanOrEqual(10n ** BigInt(24 - digits));
}

// theta, phi, w(-0.2), w(0.2) with rho -0.3, eta 1, gamma 0.4: computed independently at sixty digits.
const ROWS = [
  ["0.005", "8.3006549531932", "0.009194933963245", "0.0054081808167638"],
  ["0.02", "4.7252838149296", "0.028520087703649", "0.018680463551495"],
  ["0.05", "3.2188328049861", "0.063375746521516", "0.045521497443866"],
  ["0.1", "2.3722714866172", "0.11855335608295", "0.091371181525099"],
  ["0.3", "1.3828831557741", "0.32964317852514", "0.28068806125221"],
] as const;

describe("an SSVI slice", () => {
  it("has the reference values", () => {
    for (const [theta, phi, low, high] of ROWS) {
      const slice = ssviSlice(SHAPE, wad(theta));
      near(slice.phi, phi);
      const at = (k: string, sign: bigint): bigint =>
        ssviPoint(slice, 10n ** 30n, expWad(sign * wad(k)) * 10n ** 12n).variance;
      near(at("0.2", -1n), low);
      near(at("0.2", 1n), high);
    }
  });

  it("is theta at the forward, and its volatility the root of theta over time", () => {
    const theta = wad("0.0069");
    const slice = ssviSlice(SHAPE, theta);
    const { variance } = ssviPoint(slice, 60_000n, 60_000n);
    expect((variance * WAD + Q_ONE / 2n) / Q_ONE).toBe(theta);
    // A week at 0.6: 0.36 × 604,800 / 31,536,000.
    const week = (wad("0.36") * 604_800n) / 31_536_000n;
    const point = ssviPoint(ssviSlice(SHAPE, week), 1n, 1n);
    const off = volatilityOfVariance(point.variance, 604_800n) - wad("0.6");
    expect(off <= 0n && off > -1000n).toBe(true);
  });

  it("has the derivatives of its variance", () => {
    const slice = ssviSlice(SHAPE, wad("0.05"));
    const forward = 10n ** 30n;
    const step = wad("0.00001");
    for (const k of ["-0.6", "-0.1", "0", "0.3", "1"]) {
      const at = (shift: bigint) => {
        const sign = k.startsWith("-") ? -1n : 1n;
        const value = sign * wad(k.replace("-", "")) + shift;
        return ssviPoint(slice, forward, expWad(value) * 10n ** 12n);
      };
      const [low, middle, high] = [at(-step), at(0n), at(step)];
      const slope = ((high.variance - low.variance) * WAD) / (2n * step);
      expect(Number(slope - middle.slope) / Number(Q_ONE)).toBeCloseTo(0, 8);
      const curvature = ((high.slope - low.slope) * WAD) / (2n * step);
      expect(Number(curvature - middle.curvature) / Number(Q_ONE)).toBeCloseTo(0, 8);
    }
  });

  it("says how a strike's volatility moves with the forward", () => {
    const slice = ssviSlice(SHAPE, wad("0.02"));
    const seconds = 2_592_000n;
    const of = (forward: bigint): bigint =>
      volatilityOfVariance(ssviPoint(slice, forward, 55_000_000n).variance, seconds);
    const point = ssviPoint(slice, 60_000_000n, 55_000_000n);
    const skew = volatilitySkew(point, of(60_000_000n), seconds);
    const measured = ((of(60_060_000n) - of(59_940_000n)) * 1000n) / 2n;
    expect(Number(skew - measured) / 1e18).toBeCloseTo(0, 5);
    expect(skew).toBeGreaterThan(0n);
  });

  it("is refused outside its domain", () => {
    expect(() => ssviSlice({ ...SHAPE, rho: WAD }, WAD)).toThrow(/rho must be within/);
    expect(() => ssviSlice({ ...SHAPE, eta: 2n * WAD + 1n }, WAD)).toThrow(/eta/);
    expect(() => ssviSlice({ ...SHAPE, gamma: 0n }, WAD)).toThrow(/gamma/);
    expect(() => ssviSlice(SHAPE, 0n)).toThrow(/theta/);
  });
});
