/** npm run fuzz -- book|auction|permutation|rounds: the long form of a randomised comparison that npm test does briefly. Prints every seed; exits 1 at a difference. */
import { compareAuctions } from "@keel/modules/derivatives/auction/model";
import { BLOCKS, comparePermutations } from "@keel/modules/derivatives/auction/permutation-model";
import { compareProposers, BLOCKS as ROUNDS } from "@keel/modules/derivatives/auction/rounds-model";
import { compareBooks } from "@keel/modules/derivatives/book/book-model";
import { Command } from "commander";

interface Subject {
  readonly seeds: string;
  readonly operations: string;
  /** Throws at a difference. Says what was compared. */
  compare(seed: number, operations: number): string;
}

/** Ticks over which each side of the book is scattered: dense, middling, sparse. */
const SPREADS = [12, 400, 990] as const;

const subjects: Readonly<Record<string, Subject>> = {
  book: {
    seeds: "20",
    operations: "1000000",
    compare(seed, operations) {
      const spread = SPREADS[seed % SPREADS.length] as number;
      compareBooks(seed, operations, spread);
      return `${operations} operations alike, spread ${spread}`;
    },
  },
  auction: {
    seeds: "1",
    operations: "100000",
    compare(seed, books) {
      const { none, whole, rationed } = compareAuctions(seed, books);
      return `${books} books alike, ${none} without a trade, ${whole} filled whole, ${rationed} rationed`;
    },
  },
  permutation: {
    seeds: "1",
    operations: "100000",
    compare(seed, auctions) {
      const found = comparePermutations(seed, Math.ceil(auctions / BLOCKS));
      const { fills, reasons, refills, refused, slices, waiting } = found;
      return `${auctions} auctions alike in any order, ${fills} fills, ${refills} parts of icebergs, ${slices} slices, ${waiting} orders that began to wait, ${refused} refusals, ${JSON.stringify(reasons)}`;
    },
  },
  rounds: {
    seeds: "1",
    operations: "100000",
    compare(seed, rounds) {
      const found = compareProposers(seed, Math.ceil(rounds / ROUNDS));
      const { cancels, fills, leftOut, paired, refilled, slices, triggered } = found;
      return `${rounds} rounds alike with ${leftOut} messages left out of their blocks, ${fills} fills, ${cancels} cancels, ${triggered} triggers, ${refilled} parts of icebergs, ${slices} slices, ${paired} pairs that took something off`;
    },
  },
};

const names = Object.keys(subjects).join(" or ");
const program = new Command("fuzz")
  .description("Compares with a naive reference on random cases.")
  .argument("<what>", names)
  .option("--seeds <count>", "how many seeds; default: 20 books, else 1")
  .option("--first <seed>", "the first of them", "1")
  .option("--operations <count>", "operations, or auctions, per seed; default: 1000000, 100000")
  .parse();
const options = program.opts<{ seeds?: string; first: string; operations?: string }>();

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000_000)
    program.error(`--${name}: expected 1 to 1000000000, got ${text}`);
  return value;
}

const what = program.args[0] ?? "";
const subject = subjects[what] ?? program.error(`expected ${names}, got ${what}`);
const first = count("first", options.first);
const seeds = count("seeds", options.seeds ?? subject.seeds);
const operations = count("operations", options.operations ?? subject.operations);
const started = process.cpuUsage();
for (let seed = first; seed < first + seeds; seed++) {
  const before = process.cpuUsage();
  try {
    const said = subject.compare(seed, operations);
    const { user } = process.cpuUsage(before);
    console.log(`seed ${seed}: ${said} (${(user / 1e6).toFixed(1)} s)`);
  } catch (error) {
    console.error(`seed ${seed}: ${(error as Error).message}`);
    process.exit(1);
  }
}
const { user } = process.cpuUsage(started);
console.log(`${seeds} seeds, ${(user / 1e6).toFixed(0)} s of processor time`);
