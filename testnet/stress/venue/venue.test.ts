import { describe, expect, it } from "vitest";
import { populate } from "../agents/population.ts";
import { generate } from "../tape/generators.ts";
import type { Tape } from "../tape/tape.ts";
import { keelRules, RECOMMENDED } from "./policies/keel.ts";
import { CALM_BEFORE, RULE_SETS } from "./rule-sets.ts";
import { runOnModel } from "./venue.ts";

const SEED = 1;
const agents = populate(150, SEED);
const capital = { fund: 50_000, vault: 150_000, before: CALM_BEFORE, seed: SEED };

function first(tape: Tape, minutes: number): Tape {
  return { ...tape, steps: tape.steps.filter(({ atMs }) => atMs < minutes * 60_000) };
}

describe("the model", () => {
  const tape = first(generate("flash-crash", 3, SEED), 10);

  it.each(Object.keys(RULE_SETS))(
    "loses no money under the rules of %s, and repeats itself",
    (name) => {
      const rules = RULE_SETS[name];
      if (rules === undefined) throw new Error(name);
      // A sum of equities that changes throws.
      const outcome = runOnModel({ ...capital, tape, agents, rules });
      expect(outcome.accountsLiquidated).toBeGreaterThan(0);
      const borne = outcome.paidByFund + outcome.paidByDeleveraging + outcome.socialised;
      expect(outcome.badDebt).toBeCloseTo(borne + outcome.unpaid, 3);
      expect(runOnModel({ ...capital, tape, agents, rules })).toEqual(outcome);
    },
  );

  it("breaks the loop of a crash by a bound on flow, not by closing less of each account", () => {
    const crowd = populate(300, SEED);
    const start = { ...capital, fund: 150_000, vault: 450_000, agents: crowd };
    const crash = first(generate("flash-crash", 1, SEED), 24);
    const [full, partial, throttled] = (["full", "partial", "throttled"] as const).map((close) =>
      runOnModel({ ...start, tape: crash, rules: keelRules({ ...RECOMMENDED, close }) }),
    );
    expect(throttled?.markTrough).toBeLessThan((partial?.markTrough ?? 0) * 0.9);
    expect(throttled?.badDebt).toBeLessThan((partial?.badDebt ?? 0) / 5);
    expect(partial?.markTrough).toBeGreaterThan((full?.markTrough ?? 0) * 0.9);
  });

  it("liquidates nobody while nothing happens", () => {
    const { steps } = tape;
    const calm = { ...tape, steps: steps.map((step) => ({ ...step, ...still })) };
    for (const rules of Object.values(RULE_SETS)) {
      const outcome = runOnModel({ ...capital, tape: calm, agents, rules });
      expect([rules.name, outcome.accountsLiquidated, outcome.badDebt]).toEqual([rules.name, 0, 0]);
    }
  });
});

const still = { index: [1, 1], reported: [1, 1] };
