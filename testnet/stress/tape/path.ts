/** Paths from anchors: log-linear between them, with seeded noise on top. */
import type { Random } from "@keel/node/feeds/random";
import { MINUTE_MS } from "./tape.ts";

/** Minutes since the start, and the level there. */
export type Anchor = readonly [minute: number, level: number];

/** Linear between anchors, flat outside. */
export function levelAt(anchors: readonly Anchor[], minute: number): number {
  let [lastMinute, lastLevel] = anchors[0] ?? [0, 0];
  for (const [at, level] of anchors) {
    if (minute < at) {
      const share = at === lastMinute ? 1 : (minute - lastMinute) / (at - lastMinute);
      return lastLevel + share * (level - lastLevel);
    }
    [lastMinute, lastLevel] = [at, level];
  }
  return lastLevel;
}

/** Standard deviation of a minute's log return at 50 % a year: the calm before. */
export const CALM_MINUTE: number = 0.5 / Math.sqrt(365 * 1440);

/**
 * A random walk of so many steps whose deviation per minute is given by `deviation(minute)`, pulled back with a half-life of ten minutes: what the
 * anchors say stays what happens.
 */
export function noise(
  random: Random,
  steps: number,
  stepMs: number,
  deviation: (minute: number) => number,
): number[] {
  const keep = 0.5 ** (stepMs / (10 * MINUTE_MS));
  const root = Math.sqrt(stepMs / MINUTE_MS);
  let level = 0;
  return Array.from({ length: steps }, (_, step) => {
    if (step > 0)
      level = level * keep + random.normal() * root * deviation((step * stepMs) / MINUTE_MS);
    return level;
  });
}
