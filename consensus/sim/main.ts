/**
 * `npm run sim -- --seed N --seeds K [--trace]`: runs K seeds from N on and prints what they went through. A failure prints the seed,
 * the reason and the command that repeats it; the exit code is 1.
 */

import { parseArgs } from "node:util";
import { type Outcome, runScenario, runSeed } from "./cluster.ts";
import { createRandom } from "./prng.ts";
import { drawScenario } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});

const first = toCount("--seed", values.seed);
const count = toCount("--seeds", values.seeds);
const totals = new Map<string, number>();
let failures = 0;

for (let seed = first; seed < first + count; seed += 1) {
  const outcome = values.trace ? runTraced(seed) : runSeed(seed);
  for (const [feature, times] of outcome.counts)
    totals.set(feature, (totals.get(feature) ?? 0) + times);
  if (outcome.failure !== null || count <= 20) console.log(say(outcome));
  if (outcome.failure === null) continue;
  failures += 1;
  console.log(`  ${outcome.failure}`);
  console.log(
    `  repeat: npm run sim -- --seed ${seed} --trace    keep: add ${seed} to consensus/sim/seeds.txt`,
  );
}
console.log(`${count - failures} of ${count} seeds held (from ${first}).`);
for (const [feature, times] of totals) console.log(`  ${times} × ${feature}`);
process.exitCode = failures === 0 ? 0 : 1;

function runTraced(seed: number): Outcome {
  return runScenario(seed, drawScenario(seed, createRandom(seed)), (line) => console.log(line));
}

function say({ seed, failure, heights, events, historyHash, actors }: Outcome): string {
  const verdict = failure === null ? "held" : "FAILED";
  return `seed ${seed} ${verdict}: ${heights} heights, ${events} events, history ${historyHash.slice(0, 16)}, ${actors.join(", ")}`;
}

function toCount(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  console.error(`expected ${flag} to be a positive integer, got ${text}`);
  process.exit(1);
}
