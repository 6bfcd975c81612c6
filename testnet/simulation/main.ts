/** npm run simulate: 5,000 blocks of the whole exchange with 500 agents; prints what they went through, and exits 1 when anything does not hold. */
import { Command } from "commander";
import { coverageText, missing } from "./coverage.ts";
import { required } from "./required.ts";
import { SimulationFailure, simulate } from "./run.ts";

const program = new Command("simulate")
  .description(
    "Agents trade every kind of contract through the real application; every invariant in every block.",
  )
  .option("--seed <number>", "the whole run follows from it", "1")
  .option("--blocks <count>", "", "5000")
  .option("--agents <count>", "", "500")
  .option("--messages <count>", "drawn for each block", "40")
  .option("--scan <blocks>", "full scan of all invariants every so many blocks", "1")
  .option(
    "--follow <blocks>",
    "how long the exports and snapshots at a quarter and three quarters are followed; the one at half to the end",
    "200",
  )
  .option("--partial", "do not ask that everything occurred", false)
  .parse();
const options = program.opts<
  Record<"seed" | "blocks" | "agents" | "messages" | "scan" | "follow", string> & {
    partial: boolean;
  }
>();

function count(name: "seed" | "blocks" | "agents" | "messages" | "scan" | "follow"): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1 || value > 10_000_000)
    program.error(`--${name}: expected 1 to 10000000, got ${options[name]}`);
  return value;
}

const [seed, blocks, agents, follow] = [
  count("seed"),
  count("blocks"),
  count("agents"),
  count("follow"),
];
console.log(`seed ${seed}, ${blocks} blocks, ${agents} agents`);
try {
  const half = Math.ceil(blocks / 2);
  const result = await simulate({
    seed,
    blocks,
    agents,
    messagesPerBlock: count("messages"),
    scanEvery: count("scan"),
    branches: [
      { height: Math.ceil(blocks / 4), blocks: follow },
      { height: half, blocks: blocks - half },
      { height: Math.ceil((3 * blocks) / 4), blocks: follow },
    ],
    onProgress: (text) => console.log(text),
  });
  console.log(coverageText(result.coverage));
  const { compared, scans, dropped, transactions } = result;
  console.log(`
${result.height} blocks, ${transactions} transactions, ${scans} full scans of all invariants, ${dropped} proposals executed and dropped
after export and import: ${compared.export} blocks with the same results, events and state
after snapshot and restore: ${compared.snapshot} blocks with the same results, events and app hash
history ${result.historyHash}
app hash ${result.appHash}
state ${result.stateHash}`);
  const never = options.partial ? [] : missing(result.coverage, required());
  if (never.length > 0) {
    console.error(`\nnever occurred:\n  ${never.join("\n  ")}`);
    process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof SimulationFailure)) throw error;
  console.error(error.message);
  console.error(`repeat: npm run simulate -- --seed ${seed} --blocks ${blocks} --agents ${agents}`);
  process.exitCode = 1;
}
