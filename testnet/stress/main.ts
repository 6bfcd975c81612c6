/** npm run stress: every tape on the real modules and on the model, both at once on two processors; exits 1 when anything does not hold. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tryProposal } from "./chain/proposal.ts";
import { hedgedBooks } from "./measures/capital.ts";
import { studyMargins } from "./measures/margins.ts";
import { type Options, readOptions } from "./options.ts";
import { type Plan, runTape, type TapeResult, tapesOf } from "./plan.ts";
import { reportHtml } from "./report/html.ts";
import { failures, type Report, reportText, tapeText } from "./report/text.ts";

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function runAll(plan: Plan, onTape: (tape: TapeResult) => void): Promise<TapeResult[]> {
  const results: TapeResult[] = [];
  for (const tape of tapesOf(plan)) {
    const result = await runTape(plan, tape);
    results.push(result);
    onTape(result);
  }
  return results;
}

/** The model's half in a process of its own, with the same arguments. */
function modelElsewhere(): { readonly results: Promise<readonly TapeResult[]> } {
  const directory = mkdtempSync(join(tmpdir(), "keel-stress-"));
  const file = join(directory, "model.json");
  const [entry = "", ...args] = process.argv.slice(1);
  const own = [...process.execArgv, entry, ...args, "--part", "model", "--json", file];
  const child = spawn(process.execPath, own, { stdio: ["ignore", "ignore", "inherit"] });
  const results = new Promise<readonly TapeResult[]>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code !== 0) return reject(new Error(`the model's process ended with ${code}`));
      resolve(JSON.parse(readFileSync(file, "utf8")) as readonly TapeResult[]);
      rmSync(directory, { recursive: true, force: true });
    });
  });
  return { results };
}

async function bothHalves(plan: Plan): Promise<TapeResult[]> {
  if (plan.chain.length === 0 || !plan.model)
    return runAll(plan, (tape) => console.log(`\n${tapeText(tape)}`));
  const model = modelElsewhere();
  const [chain, modelled] = await Promise.all([
    runAll({ ...plan, model: false }, ({ name, size, chain: all }) => {
      for (const [variant, { blocks, broken }] of Object.entries(all))
        console.log(`${name} x ${size}, ${variant}: ${blocks} blocks, ${broken ?? "all held"}`);
    }),
    model.results,
  ]);
  return chain.map((tape, i) => {
    const { rules, alternatives, broken } = modelled[i] as TapeResult;
    return { ...tape, rules, alternatives, broken };
  });
}

async function laboratory(options: Options): Promise<number> {
  const { plan, json, html, state, proposal } = options;
  const trial = state !== null && proposal !== null;
  const tapes = trial
    ? await tryProposal(plan, { state, proposal }, ({ name }) => console.log(`${name}: done`))
    : await bothHalves(plan);
  const margins = trial ? null : studyMargins(options.daily, plan.seed, plan.rules);
  const report: Report = {
    command: ["npm run stress --", ...process.argv.slice(2)].join(" "),
    ...{ seed: plan.seed, accounts: plan.accounts, tapes, margins },
    capital: margins === null ? [] : hedgedBooks(plan.rules, margins.quantile),
  };
  console.log(`\n${reportText(report)}`);
  if (json !== null) write(json, `${JSON.stringify(report, null, 1)}\n`);
  if (html !== null) write(html, reportHtml(report));
  console.log(`\nwritten: ${[json, html].filter((file) => file !== null).join(", ")}`);
  const broken = failures(tapes);
  for (const one of broken) console.error(`BROKEN ${one}`);
  return broken.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv);
  if (options.part === "model") {
    const results = await runAll(options.plan, () => undefined);
    write(options.json ?? "", JSON.stringify(results));
    return 0;
  }
  return laboratory(options);
}

process.exitCode = await main();
