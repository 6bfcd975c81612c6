/** What one run of the laboratory does: tapes on the chain, and on the model under every rule set and alternative. */
import { populate } from "./agents/population.ts";
import { type ChainOutcome, runOnChain } from "./chain/run.ts";
import { VARIANTS } from "./chain/variants.ts";
import type { Outcome } from "./measures/outcome.ts";
import { crashTape } from "./tape/crash.ts";
import { type GeneratorName, generate } from "./tape/generators.ts";
import type { Tape } from "./tape/tape.ts";
import { ALTERNATIVES, CALM_BEFORE } from "./venue/rule-sets.ts";
import type { Rules } from "./venue/rules.ts";
import { runOnModel } from "./venue/venue.ts";

export interface Plan {
  readonly seed: number;
  readonly accounts: number;
  readonly sizes: readonly number[];
  readonly generators: readonly GeneratorName[];
  /** CSV files of minutes, played at size 1. */
  readonly prices: readonly string[];
  readonly rules: readonly Rules[];
  readonly alternatives: boolean;
  /** Names of variants to run on the real modules. */
  readonly chain: readonly string[];
  readonly model: boolean;
  readonly blockMs: number;
  readonly scanEvery: number;
  /** Settlement units behind the market with 2,000 accounts, less with fewer. */
  readonly fund: number;
  readonly vault: number;
}

export interface TapeResult {
  readonly name: string;
  readonly size: number;
  readonly about: string;
  /** On the real modules, by variant. */
  readonly chain: Readonly<Record<string, ChainOutcome>>;
  /** By rule set, then by alternative. */
  readonly rules: Readonly<Record<string, Outcome>>;
  readonly alternatives: Readonly<Record<string, Outcome>>;
  /** What did not hold on the model, by row. */
  readonly broken: readonly string[];
}

export function tapesOf(plan: Plan): Tape[] {
  return [
    ...plan.sizes.flatMap((size) => plan.generators.map((name) => generate(name, size, plan.seed))),
    ...plan.prices.map((file) => crashTape(file, 1, plan.seed)),
  ];
}

const ACCOUNTS = 2_000;

export async function runTape(plan: Plan, tape: Tape): Promise<TapeResult> {
  const broken: string[] = [];
  const fund = Math.round((plan.fund * plan.accounts) / ACCOUNTS);
  const vault = Math.round((plan.vault * plan.accounts) / ACCOUNTS);
  const model = (name: string, rules: Rules, before: number): [string, Outcome][] => {
    const agents = populate(plan.accounts, plan.seed);
    try {
      return [[name, runOnModel({ tape, agents, rules, seed: plan.seed, fund, vault, before })]];
    } catch (error) {
      broken.push(`${name}: ${error instanceof Error ? error.message : "failed"}`);
      return [];
    }
  };
  const chain: Record<string, ChainOutcome> = {};
  for (const name of plan.chain) {
    const variant = VARIANTS[name]?.of(vault);
    if (variant !== undefined) chain[name] = await runOnChain({ ...plan, tape, fund, variant });
  }
  return {
    ...{ name: tape.name, size: tape.size, about: tape.about, chain, broken },
    rules: plan.model
      ? Object.fromEntries(plan.rules.flatMap((rules) => model(rules.name, rules, CALM_BEFORE)))
      : {},
    alternatives:
      plan.model && plan.alternatives
        ? Object.fromEntries(
            ALTERNATIVES.flatMap(({ key, rules, before }) => model(key, rules, before)),
          )
        : {},
  };
}
