/** A tape from a CSV file of minutes: within each the price goes from open over both extremes to close. ETH moves 1.5 times as far, plus noise of its own. */
import { basename } from "node:path";
import type { Bar } from "@keel/node/feeds/csv";
import { readBars } from "@keel/node/feeds/csv";
import { seededRandom } from "@keel/node/feeds/random";
import { altOf } from "./generators.ts";
import { CALM_MINUTE, levelAt, noise } from "./path.ts";
import { MINUTE_MS, SECOND_MS, type Tape } from "./tape.ts";

const QUOTED = 0.6;
/** Deviation of a minute over the last ones, as quoted volatility follows it: slowly. */
const QUOTED_KEEP = 0.97;

/** Prices of a bar as they came, at quarters of it; the extreme on the way to the close is the later one. */
function pathOf(bar: Bar): readonly number[] {
  const [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return close < open ? [open, high, low, close] : [open, low, high, close];
}

export function crashTape(file: string, size: number, seed: number): Tape {
  const { bars, intervalMs } = readBars(file);
  if (intervalMs !== MINUTE_MS) throw new Error(`${file}: expected a row a minute`);
  const start = Number((bars[0] as Bar).open);
  const anchors = bars.flatMap((bar, minute) =>
    pathOf(bar).map((price, i) => [minute + i / 4, size * Math.log(price / start)] as const),
  );
  const steps = bars.length * (MINUTE_MS / SECOND_MS);
  const random = seededRandom(seed);
  const own = noise(random, steps, SECOND_MS, () => size * 2 * CALM_MINUTE);
  let variance = CALM_MINUTE ** 2;
  let before = 0;
  return {
    name: basename(file, ".csv"),
    size,
    stepMs: SECOND_MS,
    about: `${bars.length} minutes of ${basename(file)}`,
    steps: own.map((apart, step) => {
      const minute = (step * SECOND_MS) / MINUTE_MS;
      const level = levelAt(anchors, minute);
      if (step % 60 === 0) {
        variance = QUOTED_KEEP * variance + (1 - QUOTED_KEEP) * (level - before) ** 2;
        before = level;
      }
      const btc = Math.exp(level);
      const index = [btc, altOf(btc, apart)];
      const measured = Math.sqrt(variance * 365 * 1440);
      // A month's quote follows the last hour by a tenth of what that was above calm.
      const volatility = QUOTED + Math.max(0, measured - QUOTED) / 10;
      return {
        atMs: step * SECOND_MS,
        index,
        reported: index,
        open: true,
        volatility,
        depthMax: 1,
      };
    }),
  };
}
