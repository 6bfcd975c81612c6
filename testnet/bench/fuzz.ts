/** npm run fuzz -- auction: the long form of a randomised comparison that npm test does briefly. Prints every seed; exits 1 at a difference. */
import { compareAuctions } from "@keel/modules/derivatives/auction-model";
import { Command } from "commander";

const program = new Command("fuzz")
  .description("Compares with a naive reference on random cases.")
  .argument("<what>", "auction")
  .option("--seeds <count>", "how many seeds", "1")
  .option("--first <seed>", "the first of them", "1")
  .option("--operations <count>", "random books per seed", "100000")
  .parse();
const options = program.opts<{ seeds: string; first: string; operations: string }>();

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000_000)
    program.error(`--${name}: expected 1 to 1000000000, got ${text}`);
  return value;
}

if (program.args[0] !== "auction") program.error(`expected "auction", got ${program.args[0]}`);
const first = count("first", options.first);
const seeds = count("seeds", options.seeds);
const books = count("operations", options.operations);
for (let seed = first; seed < first + seeds; seed++) {
  const before = process.cpuUsage();
  try {
    const { none, whole, rationed } = compareAuctions(seed, books);
    const { user } = process.cpuUsage(before);
    console.log(
      `seed ${seed}: ${books} books alike, ${none} without a trade, ${whole} filled whole, ${rationed} rationed (${(user / 1e6).toFixed(1)} s)`,
    );
  } catch (error) {
    console.error(`seed ${seed}: ${(error as Error).message}`);
    process.exit(1);
  }
}
