/** npm run bench: measures, prints, and says which marks are reached. */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { benchExchange } from "./exchange/exchange.ts";
import { benchKernel } from "./kernel.ts";
import { surroundings } from "./machine.ts";
import { benchBlockIntervals, benchSignedOrders } from "./networks.ts";
import { benchmarksText } from "./record.ts";
import type { Measurement } from "./report.ts";
import { measurementText, reached } from "./report.ts";
import { benchRisk } from "./risk/risk.ts";
import { overRounds } from "./rounds.ts";
import { benchStateMachine } from "./state-machine.ts";

interface Options {
  readonly only?: string;
  readonly json?: string;
  readonly record?: string;
  readonly rounds: string;
  readonly blocks: string;
  readonly seconds: string;
  readonly rates: string;
}

const parts = ["kernel", "state", "exchange", "risk", "signed", "intervals"] as const;
type Part = (typeof parts)[number];

const program = new Command("bench")
  .description(
    "Measures the kernel, the state machine, the exchange, the risk system, one validator and four.",
  )
  .argument("[part]", `as --only, of ${parts.join(", ")}`)
  .option("--only <parts>", `comma separated, of ${parts.join(", ")}`)
  .option("--json <file>", "also write the figures there")
  .option("--record <file>", "also write them there as a page")
  .option("--rounds <count>", "how often each part is measured, in turn: median and range", "1")
  .option("--blocks <count>", "blocks of the state machine bench", "30")
  .option("--seconds <count>", "length of each run against a network", "20")
  .option("--rates <list>", "orders per second offered to one validator", "3000,3500,4500")
  .parse();
const options = program.opts<Options>();

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    program.error(`--${name}: expected 1 to 10000, got ${text}`);
  return value;
}

function chosen(): readonly Part[] {
  const only = options.only ?? program.args[0];
  if (only === undefined) return parts;
  return only.split(",").map((name) => {
    const part = parts.find((one) => one === name);
    return part ?? program.error(`--only: expected ${parts.join(", ")}, got ${name}`);
  });
}

async function measure(part: Part): Promise<Measurement[]> {
  switch (part) {
    case "kernel":
      return benchKernel();
    case "state":
      return benchStateMachine(count("blocks", options.blocks));
    case "exchange":
      return benchExchange(count("blocks", options.blocks));
    case "risk":
      return benchRisk();
    case "signed":
      return benchSignedOrders(
        options.rates.split(",").map((rate) => count("rates", rate)),
        count("seconds", options.seconds),
      );
    case "intervals":
      return benchBlockIntervals(count("seconds", options.seconds));
  }
}

const around = surroundings();
console.log(
  `${around.cpu}, ${around.cores} cores, ${around.memoryGiB} GiB, Node ${around.node}, commit ${around.commit}, load ${around.load.toFixed(1)}`,
);
const wanted = count("rounds", options.rounds);
const rounds: Measurement[][] = [];
for (let round = 1; round <= wanted; round++) {
  const results: Measurement[] = [];
  if (wanted > 1) console.log(`\nround ${round} of ${wanted}`);
  for (const part of chosen()) {
    for (const one of await measure(part)) {
      results.push(one);
      console.log(measurementText(one));
    }
  }
  rounds.push(results);
}
const results = overRounds(rounds);
if (wanted > 1) {
  console.log(`\nmiddle of ${wanted} rounds`);
  for (const one of results) console.log(measurementText(one));
}
if (options.json !== undefined) {
  const body = results.map((one) => ({ ...one, reached: reached(one) }));
  writeFileSync(options.json, `${JSON.stringify({ ...around, results: body }, null, 2)}\n`);
}
if (options.record !== undefined) {
  // Without the names of files: those are this machine's.
  const only = chosen() === parts ? [] : ["--only", chosen().join(",")];
  const { blocks, seconds, rates } = options;
  const times = wanted > 1 ? ["--rounds", options.rounds] : [];
  const settings = [...only, ...times, "--blocks", blocks, "--seconds", seconds, "--rates", rates];
  const command = `npm run bench -- ${settings.join(" ")} --record BENCHMARKS.md`;
  writeFileSync(options.record, benchmarksText(around, results, command));
}
