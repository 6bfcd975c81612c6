/** npm run study -- --prices FILE: margin rules over years of daily closes. Coverage at 99 %, independence of breaches, procyclicality. */
import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { parseCloses } from "./prices.ts";
import { allRules, study, studyText } from "./study.ts";

const options = new Command("study")
  .description(
    "Margin rules over daily closes: how often they were breached, and how much they moved.",
  )
  .requiredOption("--prices <file>", "CSV with columns timestamp and close, one row a day")
  .option("--from <date>", "first day that counts; earlier ones teach the rules", "2015-01-01")
  .option("--json <file>", "also write the figures there")
  .parse()
  .opts<{ readonly prices: string; readonly from: string; readonly json?: string }>();

try {
  const closes = parseCloses(readFileSync(options.prices, "utf8"));
  const rows = allRules().map((rule) => study(closes, options.from, rule));
  console.log(`${rows[0]?.days} days from ${options.from} to ${closes.at(-1)?.date}`);
  console.log(studyText(rows));
  console.log("95 % critical values: Kupiec and Christoffersen 3.841 each, both together 5.991");
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
} catch (error) {
  console.error(`study: ${error instanceof Error ? error.message : "failed"}`);
  process.exitCode = 1;
}
