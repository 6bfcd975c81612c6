import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Contract, Kind } from "./contract.ts";
import type { MarkInputs } from "./contract-kind.ts";
import { kinds } from "./kinds.ts";
import { shocked } from "./option-pricing.ts";

const UNIT = 10n ** 18n;
const options: readonly Kind[] = ["europeanOption", "digitalOption", "asianOption"];

const windows = fc.integer({ min: 60, max: 86_400 });
const contracts: fc.Arbitrary<Contract> = fc
  .record({
    kind: fc.constantFrom(...options),
    right: fc.constantFrom("call" as const, "put" as const),
    strike: fc.bigInt({ min: 100n, max: 200_000n }),
    window: windows,
  })
  .map(({ kind, right, strike, window }) => ({
    kind,
    maturity: { expiryMs: 2_000_000_000_000, windowMs: window * 1000, closeOnlyMs: 0 },
    option: {
      right,
      strike: strike * UNIT,
      volatilityFeedId: 1,
      volatilitySurfaceId: 0,
      payout: UNIT,
    },
  }));

/** Before the window, in it and at its end, by what share of it is left; spot near the strike. */
const cases = fc
  .record({
    contract: contracts,
    near: fc.bigInt({ min: 400_000n, max: 2_500_000n }),
    meanNear: fc.bigInt({ min: 800_000n, max: 1_200_000n }),
    left: fc.bigInt({ min: 0n, max: 3_000n }),
    volatility: fc.bigInt({ min: 10n ** 17n, max: 2n * UNIT }),
  })
  .map(({ contract, near, meanNear, left, volatility }) => {
    const windowMs = BigInt(contract.maturity?.windowMs ?? 0);
    const spot = ((contract.option?.strike ?? 0n) * near) / 1_000_000n;
    const remainingMs = (windowMs * left) / 1000n;
    const averagedMs = remainingMs >= windowMs ? 0n : windowMs - remainingMs;
    const mean = averagedMs === 0n ? 0n : (spot * meanNear) / 1_000_000n;
    const forward = averagedMs === 0n ? spot : (mean * averagedMs + spot * remainingMs) / windowMs;
    const inputs: MarkInputs = { spot, forward, averagedMs, mean, remainingMs, volatility };
    return { contract, inputs };
  });

describe("options of every kind", () => {
  it("cost a seller most in the scenarios that are looked at, of all of the grid", () => {
    fc.assert(
      fc.property(cases, ({ contract, inputs }) => {
        const { mark, worstForSeller } = kinds[contract.kind];
        const value = (spot: bigint, volatility: bigint): bigint =>
          mark(contract, shocked(inputs, spot * 150_000n, volatility * 500_000n));
        let worst = 0n;
        for (const spot of [-1n, 0n, 1n])
          for (const volatility of [-1n, 0n, 1n]) {
            const found = value(spot, volatility);
            if (found > worst) worst = found;
          }
        let looked = 0n;
        for (const { spot, volatility } of worstForSeller?.(contract) ?? []) {
          const found = value(BigInt(spot), BigInt(volatility));
          if (found > looked) looked = found;
        }
        // Prices are right to a unit of 1e-18, and a share of a window rounds once more.
        expect(worst - looked <= 4n).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("are worth what they pay when nothing is left to chance", () => {
    fc.assert(
      fc.property(cases, ({ contract, inputs }) => {
        const { mark, payoff } = kinds[contract.kind];
        const ended = { ...inputs, remainingMs: 0n };
        expect(mark(contract, ended)).toBe(payoff(contract, inputs.forward));
      }),
      { numRuns: 300 },
    );
  });

  it("are worth something between nothing and what they could pay, and more for a call the higher spot is", () => {
    fc.assert(
      fc.property(cases, ({ contract, inputs }) => {
        const { mark } = kinds[contract.kind];
        const value = mark(contract, inputs);
        const { right, strike = 0n, payout = 0n } = contract.option ?? {};
        const most =
          contract.kind === "digitalOption" ? payout : right === "put" ? strike : inputs.forward;
        expect(value >= 0n && value <= most + 2n).toBe(true);
        const up = mark(contract, shocked(inputs, 10_000n, 0n));
        expect(right === "call" ? up + 2n >= value : up <= value + 2n).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("as a call and a put are worth the forward less the strike, and digitals together their cash", () => {
    fc.assert(
      fc.property(cases, ({ contract, inputs }) => {
        const { kind, option } = contract;
        if (option === null) return;
        const of = (right: "call" | "put"): bigint =>
          kinds[kind].mark({ ...contract, option: { ...option, right } }, inputs);
        const gap =
          kind === "digitalOption"
            ? of("call") + of("put") - option.payout
            : of("call") - of("put") - (inputs.forward - option.strike);
        // Units of 1e-18: the forward itself is rounded.
        const slack = 10n ** 4n;
        expect(gap <= slack && gap >= -slack).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
