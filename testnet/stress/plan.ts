/** What one run of the laboratory does: every tape of every seed, on the real modules and on the model, row by row. */
import { FULL_SIZE } from "./agents/depth.ts";
import { populate } from "./agents/population.ts";
import { type ChainOutcome, runOnChain } from "./chain/run.ts";
import { RECOMMENDED_VARIANT, VARIANTS } from "./chain/variants.ts";
import type { Outcome } from "./measures/outcome.ts";
import { crashTape } from "./tape/crash.ts";
import { type GeneratorName, generate } from "./tape/generators.ts";
import type { Tape } from "./tape/tape.ts";
import { ALTERNATIVES, CALM_BEFORE } from "./venue/rule-sets.ts";
import type { Rules } from "./venue/rules.ts";
import { runOnModel } from "./venue/venue.ts";

export interface Plan {
  /** The first, and how many from it on. */
  readonly seed: number;
  readonly seeds: number;
  readonly accounts: number;
  readonly sizes: readonly number[];
  readonly generators: readonly GeneratorName[];
  /** CSV files of minutes, played at size 1. */
  readonly prices: readonly string[];
  readonly rules: readonly Rules[];
  readonly alternatives: boolean;
  /** The recommended row on the real modules, with all accounts. */
  readonly chain: boolean;
  /** Names of variants to compare on the real modules, in a market of this many accounts. */
  readonly variants: readonly string[];
  readonly variantAccounts: number;
  readonly model: boolean;
  readonly blockMs: number;
  /** Full scan of all invariants every so many blocks of the recommended row; of variants a twentieth as often. */
  readonly scanEvery: number;
  /** Settlement units behind the market with 2,000 accounts, less with fewer. */
  readonly fund: number;
  readonly vault: number;
}

export interface TapeResult {
  readonly name: string;
  readonly size: number;
  readonly seed: number;
  readonly about: string;
  /** On the real modules: the recommended row, and its variants in a smaller market. */
  readonly chain: ChainOutcome | null;
  readonly variants: Readonly<Record<string, ChainOutcome>>;
  /** By rule set, then by alternative. */
  readonly rules: Readonly<Record<string, Outcome>>;
  readonly alternatives: Readonly<Record<string, Outcome>>;
  /** What did not hold on the model, by row. */
  readonly broken: readonly string[];
}

export interface SeededTape {
  readonly tape: Tape;
  readonly seed: number;
}

export function tapesOf(plan: Plan): SeededTape[] {
  return Array.from({ length: plan.seeds }, (_, i) => plan.seed + i).flatMap((seed) =>
    [
      ...plan.sizes.flatMap((size) => plan.generators.map((name) => generate(name, size, seed))),
      ...plan.prices.map((file) => crashTape(file, 1, seed)),
    ].map((tape) => ({ tape, seed })),
  );
}

/** One row of one tape: what a process does at a time. */
export interface Job {
  /** Place among `tapesOf`. */
  readonly tape: number;
  readonly kind: "chain" | "variants" | "rules" | "alternatives";
  readonly name: string;
}

export type JobResult = { readonly outcome: Outcome } | { readonly failed: string };

/** Longest first, so that the last ones to end are short. */
export function jobsOf(plan: Plan): Job[] {
  const tapes = tapesOf(plan).map((_, tape) => tape);
  const rows = (kind: Job["kind"], names: readonly string[]): Job[] =>
    names.flatMap((name) => tapes.map((tape) => ({ tape, kind, name })));
  return [
    ...rows("chain", plan.chain ? [RECOMMENDED_VARIANT] : []),
    ...rows("variants", plan.variants),
    ...(plan.model && plan.alternatives
      ? rows(
          "alternatives",
          ALTERNATIVES.map(({ key }) => key),
        )
      : []),
    ...(plan.model
      ? rows(
          "rules",
          plan.rules.map(({ name }) => name),
        )
      : []),
  ];
}

const SCANNED_SELDOM = 20;

export async function runJob(
  plan: Plan,
  { tape, seed }: SeededTape,
  { kind, name }: Job,
): Promise<JobResult> {
  const accounts = kind === "variants" ? plan.variantAccounts : plan.accounts;
  const fund = Math.round((plan.fund * accounts) / FULL_SIZE);
  const vault = Math.round((plan.vault * accounts) / FULL_SIZE);
  if (kind === "chain" || kind === "variants") {
    const variant = VARIANTS[name]?.of(vault);
    if (variant === undefined) return { failed: `no variant ${name}` };
    const scanEvery = plan.scanEvery * (kind === "chain" ? 1 : SCANNED_SELDOM);
    return {
      outcome: await runOnChain({ ...plan, accounts, scanEvery, seed, tape, fund, variant }),
    };
  }
  const alternative = ALTERNATIVES.find(({ key }) => key === name);
  const rules = kind === "rules" ? plan.rules.find((one) => one.name === name) : alternative?.rules;
  if (rules === undefined) return { failed: `no rules ${name}` };
  const before = kind === "rules" ? CALM_BEFORE : (alternative?.before ?? CALM_BEFORE);
  const agents = populate(accounts, seed);
  try {
    return { outcome: runOnModel({ tape, agents, rules, seed, fund, vault, before }) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : "failed" };
  }
}

/** Rows of the tapes put together, in the order of the plan. */
export function collected(
  plan: Plan,
  jobs: readonly Job[],
  results: readonly JobResult[],
): TapeResult[] {
  return tapesOf(plan).map(({ tape, seed }, i) => {
    const rows: Record<Job["kind"], Record<string, Outcome>> = {
      ...{ chain: {}, variants: {}, rules: {}, alternatives: {} },
    };
    const broken: string[] = [];
    for (const [at, job] of jobs.entries()) {
      const result = results[at];
      if (job.tape !== i || result === undefined) continue;
      if ("failed" in result) broken.push(`${job.name}: ${result.failed}`);
      else rows[job.kind][job.name] = result.outcome;
    }
    const { name, size, about } = tape;
    return {
      ...{ name, size, seed, about, broken, rules: rows.rules, alternatives: rows.alternatives },
      chain: (rows.chain[RECOMMENDED_VARIANT] ?? null) as ChainOutcome | null,
      variants: rows.variants as Record<string, ChainOutcome>,
    };
  });
}
