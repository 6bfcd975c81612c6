import { describe, expect, it } from "vitest";
import { benchmarksText } from "./record.ts";
import type { Measurement } from "./report.ts";
import { measurementText } from "./report.ts";
import { overRounds } from "./rounds.ts";

function measured(name: string, value: number): Measurement {
  return { name, value, unit: "a/s", mark: { atLeast: 20 }, details: { twice: 2 * value } };
}

describe("several rounds of a bench", () => {
  it("are the middle one, with its own details, between the least and the greatest", () => {
    const rounds = [30, 10, 21].map((value) => [measured("a", value), measured("b", -value)]);
    const [a, b] = overRounds(rounds);
    expect(a).toMatchObject({ value: 21, details: { twice: 42 }, rounds: { low: 10, high: 30 } });
    expect(b).toMatchObject({ name: "b", value: -21, rounds: { count: 3, low: -30, high: -10 } });
  });

  it("are the lower of two middle ones", () => {
    const rounds = [4, 1, 3, 2].map((value) => [measured("a", value)]);
    expect(overRounds(rounds)[0]?.value).toBe(2);
  });

  it("refuse to compare rounds that measured different things", () => {
    expect(() => overRounds([[measured("a", 1)], [measured("b", 1)]])).toThrow(
      "a was not measured",
    );
  });

  it("say their range in print and on the page; one round says none", () => {
    const [three] = overRounds([30, 10, 21].map((value) => [measured("a", value)]));
    expect(measurementText(three!)).toContain("a: 21 a/s (10 to 30 in 3 rounds)");
    const [one] = overRounds([[measured("a", 21)]]);
    expect(measurementText(one!)).toContain("a: 21 a/s (mark");
    const around = {
      ...{ commit: "c", cpu: "x", cores: 2, memoryGiB: 4, node: "v20" },
      ...{ load: 0, date: "2026-01-01" },
    };
    const page = benchmarksText(around, [three!], "npm run bench");
    expect(page).toContain("| a | 21 a/s | 10 – 30 | ≥ 20 | reached |");
    expect(benchmarksText(around, [one!], "npm run bench")).toContain("| a | 21 a/s | | ≥ 20 |");
  });
});
