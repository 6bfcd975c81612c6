/** Several rounds of the same parts as one result: the machine's own speed changes between rounds, so one round says little. */
import type { Measurement } from "./report.ts";

/**
 * One measurement per name, in the order of the first round: the middle round's by value (of an even number the lower of the two), whole,
 * so that its details belong together, with the least and the greatest value of all rounds. Throws when rounds measured different things.
 */
export function overRounds(rounds: readonly (readonly Measurement[])[]): Measurement[] {
  return (rounds[0] ?? []).map(({ name }) => {
    const all = rounds.map((round) => round.find((one) => one.name === name));
    const known = all.filter((one) => one !== undefined);
    if (known.length !== rounds.length) throw new Error(`${name} was not measured in every round`);
    const sorted = known.sort((a, b) => a.value - b.value);
    const middle = sorted[Math.ceil(sorted.length / 2) - 1] as Measurement;
    const [low, high] = [sorted[0]?.value ?? 0, sorted.at(-1)?.value ?? 0];
    return { ...middle, rounds: { count: rounds.length, low, high } };
  });
}
