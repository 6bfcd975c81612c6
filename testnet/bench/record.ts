/** BENCHMARKS.md: the figures of one run, with what they depend on. */
import type { Surroundings } from "./machine.ts";
import type { Measurement } from "./report.ts";
import { markText, number, rangeText, reached } from "./report.ts";

export function benchmarksText(
  around: Surroundings,
  results: readonly Measurement[],
  command: string,
): string {
  const rows = results.map((one) => {
    const isReached = reached(one);
    const verdict = isReached === null ? "" : isReached ? "reached" : "missed";
    const range = rangeText(one, "–");
    return `| ${one.name} | ${number(one.value)} ${one.unit} | ${range === "" ? "" : `${range} `}| ${markText(one)} | ${verdict} |`;
  });
  const details = results.map(({ name, details: more }) =>
    [
      `### ${name[0]?.toUpperCase()}${name.slice(1)}`,
      "",
      ...Object.entries(more).map(
        ([key, value]) => `- ${key}: ${typeof value === "number" ? number(value) : value}`,
      ),
      "",
    ].join("\n"),
  );
  return `# Benchmarks

Written by \`${command}\` at commit ${around.commit} on ${around.date}: ${around.cpu}, ${around.cores} cores, ${around.memoryGiB} GiB, Node ${around.node}.
Load average when it began: ${around.load.toFixed(1)}. Above the number of cores, other programs had a share of the machine: rates and intervals are
then lower bounds of what the code does alone, and processor time per order is the figure to compare.
A value is the middle one of its rounds, as are the details below it; *Rounds* is the least and the greatest.

| Measured | Value | Rounds | Mark | |
| --- | ---: | ---: | ---: | --- |
${rows.join("\n")}

What each bench does, and how to profile it: \`testnet/bench/README.md\`.

${details.join("\n").trimEnd()}
`;
}
