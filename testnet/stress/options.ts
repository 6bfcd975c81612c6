/** Options of `npm run stress`. */
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { VARIANTS } from "./chain/variants.ts";
import type { Plan } from "./plan.ts";
import { GENERATORS, type GeneratorName } from "./tape/generators.ts";
import { RULE_SETS } from "./venue/rule-sets.ts";

export interface Options {
  readonly plan: Plan;
  readonly daily: string | null;
  readonly json: string | null;
  readonly html: string | null;
  readonly state: string | null;
  readonly proposal: string | null;
  readonly processes: number;
  /** A process that another one gives rows to. */
  readonly part: "worker" | null;
}

interface Raw {
  readonly rules: string;
  readonly tapes: string;
  readonly sizes: string;
  readonly prices: readonly string[];
  readonly seed: string;
  readonly seeds: string;
  readonly processes: string;
  readonly accounts: string;
  readonly blockMs: string;
  readonly scan: string;
  readonly fund: string;
  readonly vault: string;
  readonly chain: boolean;
  readonly variants: string;
  readonly variantAccounts: string;
  readonly model: boolean;
  readonly alternatives: boolean;
  readonly daily?: string;
  readonly json?: string;
  readonly html?: string;
  readonly state?: string;
  readonly proposal?: string;
  readonly part?: string;
}

const collect = (file: string, files: readonly string[]): readonly string[] => [...files, file];

export function readOptions(argv: readonly string[]): Options {
  const program = new Command("stress")
    .description("Bad days on the real modules, and on one model under other venues' rules.")
    .option(
      "--rules <names>",
      `of ${Object.keys(RULE_SETS).join(", ")}`,
      Object.keys(RULE_SETS).join(","),
    )
    .option("--tapes <names>", `of ${GENERATORS.join(", ")}, or none`, GENERATORS.join(","))
    .option("--sizes <factors>", "1 is as bad as measured", "3")
    .option(
      "--prices <file>",
      "a CSV of minutes to replay; may be given several times",
      collect,
      [],
    )
    .option("--seed <number>", "the whole run follows from it", "1")
    .option("--seeds <count>", "that one and the next ones: the report gives mean and spread", "1")
    .option("--accounts <count>", "", "2000")
    .option("--block-ms <ms>", "between two blocks of the chain", "6000")
    .option(
      "--scan <blocks>",
      "full scan of all invariants every so many blocks of the recommended row",
      "1",
    )
    .option("--fund <units>", "insurance fund with 2,000 accounts", "1000000")
    .option("--vault <units>", "liquidity vault with 2,000 accounts", "3000000")
    .option(
      "--variants <names>",
      `on the real modules, of ${Object.keys(VARIANTS).join(", ")}, or none`,
      Object.keys(VARIANTS).join(","),
    )
    .option("--variant-accounts <count>", "in the market in which variants are compared", "500")
    .option("--no-chain", "leave the recommended row on the real modules out")
    .option("--no-model", "leave the model out")
    .option("--no-alternatives", "leave Keel's own alternatives out")
    .option("--daily <file>", "CSV of daily closes for coverage; without it they are generated")
    .option("--json <file>", "all figures", "reports/stress.json")
    .option("--html <file>", "the report as a page", "reports/stress.html")
    .option("--state <export>", "a genesis document as keeld export prints it; with --proposal")
    .option("--proposal <file>", "JSON: a list of the authority's messages to try on it")
    .option("--processes <count>", "", `${availableParallelism()}`)
    .option("--part <name>", "internal: a process of several")
    .parse(argv as string[]);
  const raw = program.opts<Raw>();
  const number = (name: keyof Raw, low: number, high: number): number => {
    const value = Number(raw[name]);
    if (!(value >= low && value <= high))
      program.error(`--${name}: expected ${low} to ${high}, got ${String(raw[name])}`);
    return value;
  };
  const named = <T extends string>(text: string, names: readonly T[], flag: string): T[] =>
    (text === "none" ? [] : text.split(",")).map((one) => {
      const found = names.find((name) => name === one);
      return (
        found ?? program.error(`--${flag}: expected some of ${names.join(", ")}, got "${one}"`)
      );
    });
  const sizes = raw.sizes.split(",").map(Number);
  if (sizes.some((size) => !(size > 0 && size <= 10)))
    program.error(`--sizes: expected numbers up to 10, got ${raw.sizes}`);
  if ((raw.state === undefined) !== (raw.proposal === undefined))
    program.error("--state and --proposal belong together");
  return {
    plan: {
      seed: number("seed", 0, 1e9),
      seeds: number("seeds", 1, 100),
      accounts: number("accounts", 40, 100_000),
      sizes,
      generators: named<GeneratorName>(raw.tapes, GENERATORS, "tapes"),
      prices: raw.prices,
      rules: named(raw.rules, Object.keys(RULE_SETS), "rules").flatMap(
        (name) => RULE_SETS[name] ?? [],
      ),
      alternatives: raw.alternatives,
      chain: raw.chain,
      variants: named(raw.variants, Object.keys(VARIANTS), "variants"),
      variantAccounts: number("variantAccounts", 40, 100_000),
      model: raw.model,
      blockMs: number("blockMs", 1_000, 60_000),
      scanEvery: number("scan", 1, 1e6),
      fund: number("fund", 1, 1e12),
      vault: number("vault", 0, 1e12),
    },
    daily: raw.daily ?? null,
    json: raw.json ?? null,
    html: raw.html ?? null,
    state: raw.state ?? null,
    proposal: raw.proposal ?? null,
    processes: number("processes", 1, 256),
    part: raw.part === "worker" ? "worker" : null,
  };
}
