/** npm run proposer: what a proposer gains from ordering, adding and holding back, by kind of market. Prints a table in units of money. */
import { Command } from "commander";
import { play, type Standing, type Strategy, strategies } from "./episode.ts";
import { RULES, type Rules, Stage } from "./stage.ts";

const program = new Command("proposer")
  .description("Measures what a proposer can gain within the rules.")
  .option("--episodes <count>", "episodes per market and strategy", "60")
  .option("--seed <seed>", "the first episode's", "1")
  .parse();
const options = program.opts<{ episodes: string; seed: string }>();
const episodes = Number(options.episodes);
const seed = Number(options.seed);
if (!Number.isInteger(episodes) || episodes < 1 || episodes > 100_000 || !Number.isInteger(seed))
  program.error("--episodes, --seed: expected whole numbers");

async function series(
  rules: Rules,
  strategy: Strategy | null,
  standing: Standing,
): Promise<number[]> {
  const stage = await Stage.open(rules, seed);
  const gains: number[] = [];
  for (let at = 0; at < episodes; at++)
    gains.push(Number(await play(stage, seed + at, strategy, standing)) / 1e6);
  return gains;
}

const mean = (all: readonly number[]): number =>
  all.reduce((sum, one) => sum + one, 0) / all.length;
const share = (all: readonly number[]): number =>
  (100 * all.filter((one) => one > 0).length) / all.length;

console.log(`${episodes} episodes from seed ${seed}; mean per episode in units, share with a gain`);
console.log("| market | strategy | with power | share | without | share | of power |");
console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
for (const rules of RULES) {
  for (const strategy of strategies) {
    const power = await series(rules, strategy, "power");
    const none = await series(rules, strategy, "none");
    const cells = [
      mean(power).toFixed(3),
      `${share(power).toFixed(0)} %`,
      mean(none).toFixed(3),
      `${share(none).toFixed(0)} %`,
    ];
    console.log(
      `| ${rules} | ${strategy} | ${cells.join(" | ")} | ${(mean(power) - mean(none)).toFixed(3)} |`,
    );
  }
}
