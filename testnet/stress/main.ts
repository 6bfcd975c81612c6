/** npm run stress: every tape on the real modules and on the model, on all processors; exits 1 when anything does not hold. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { InputError } from "./chain/input.ts";
import { tryProposal } from "./chain/proposal.ts";
import type { ChainOutcome } from "./chain/run.ts";
import { hedgedBooks } from "./measures/capital.ts";
import { studyMargins } from "./measures/margins.ts";
import { type Options, readOptions } from "./options.ts";
import { collected, jobsOf, type Plan, type TapeResult, tapesOf } from "./plan.ts";
import { runJobs, serveJobs } from "./pool.ts";
import { reportHtml } from "./report/html.ts";
import { failures, type Report, reportText } from "./report/text.ts";

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function everyRow(plan: Plan, processes: number): Promise<TapeResult[]> {
  const [jobs, tapes] = [jobsOf(plan), tapesOf(plan)];
  const results = await runJobs(jobs, processes, ({ kind, name, tape: at }, result) => {
    const { tape, seed } = tapes[at] as (typeof tapes)[number];
    const { blocks, broken } =
      (kind === "chain" || kind === "variants") && "outcome" in result
        ? (result.outcome as ChainOutcome)
        : { blocks: 0, broken: "failed" in result ? result.failed : null };
    const where = blocks > 0 ? `real modules, ${blocks} blocks` : "model";
    console.log(
      `${tape.name} x ${tape.size}, seed ${seed}, ${name} (${where}): ${broken ?? "all held"}`,
    );
  });
  return collected(plan, jobs, results);
}

async function laboratory(options: Options): Promise<number> {
  const { plan, json, html, state, proposal } = options;
  const trial = state !== null && proposal !== null;
  const tapes = trial
    ? await tryProposal(plan, { state, proposal }, ({ name }) => console.log(`${name}: done`))
    : await everyRow(plan, options.processes);
  const margins = trial ? null : studyMargins(options.daily, plan.seed, plan.rules);
  const report: Report = {
    command: ["npm run stress --", ...process.argv.slice(2)].join(" "),
    ...{ seed: plan.seed, seeds: plan.seeds, accounts: plan.accounts, tapes, margins },
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

const options = readOptions(process.argv);
if (options.part === "worker") serveJobs(options.plan);
else
  process.exitCode = await laboratory(options).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    return 1;
  });
