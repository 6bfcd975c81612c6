import { describe, expect, it } from "vitest";
import { populate } from "../agents/population.ts";
import { hedgedBooks } from "../measures/capital.ts";
import { studyMargins } from "../measures/margins.ts";
import { generate } from "../tape/generators.ts";
import { CALM_BEFORE, RULE_SETS } from "../venue/rule-sets.ts";
import { runOnModel } from "../venue/venue.ts";
import { reportHtml } from "./html.ts";
import { failures, type Report, reportText } from "./text.ts";

const seed = 1;
const rules = Object.values(RULE_SETS);
const margins = studyMargins(null, seed, rules);
const whole = generate("gap", 3, seed);
const tape = { ...whole, steps: whole.steps.slice(240, 360) };
const agents = populate(60, seed);
const outcomes = rules.map((one) => {
  const capital = { fund: 10_000, vault: 30_000, before: CALM_BEFORE };
  return [one.name, runOnModel({ tape, agents, rules: one, seed, ...capital })] as const;
});

const report: Report = {
  ...{ command: "npm run stress -- --tapes <gap>", seed, seeds: 1, accounts: 60, margins },
  capital: hedgedBooks(rules, margins.quantile),
  tapes: [
    {
      ...{
        name: "gap",
        size: 3,
        seed,
        about: tape.about,
        chain: null,
        variants: {},
        alternatives: {},
      },
      rules: Object.fromEntries(outcomes),
      broken: ["dydx: a sum < zero"],
    },
  ],
};

describe("the report", () => {
  it("is one page that fetches nothing, with plots, for light and dark", () => {
    const page = reportHtml(report);
    expect(page).not.toMatch(/https?:|<script|<link|url\(/);
    expect(page).toContain("prefers-color-scheme:dark");
    expect(page.match(/<svg/g)?.length).toBeGreaterThan(4);
    expect(page).toContain("--tapes &lt;gap&gt;");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("says what broke, in the page, the text and the failures that make the run fail", () => {
    expect(failures(report.tapes)).toEqual(["gap x 3, seed 1: dydx: a sum < zero"]);
    expect(reportText(report)).toContain("BROKEN dydx: a sum < zero");
    expect(reportHtml(report)).toContain("dydx: a sum &lt; zero");
    expect(reportText(report)).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("measures margins of generated days whose rule that follows volatility covers what it promises", () => {
    const [following] = margins.rows;
    expect(following?.rate).toBeLessThan(0.01);
    expect(margins.rows).toHaveLength(2 + rules.length);
  });

  it("counts what portfolio margin saves on a hedge at equal coverage, and markets that are summed do not", () => {
    const of = (name: string) => report.capital.find((one) => one.rules.startsWith(name));
    expect(of("dYdX v4")?.sameUnderlying).toBeCloseTo(2 * margins.quantile, 12);
    expect(of("Keel, portfolio")?.sameUnderlying).toBeLessThan(margins.quantile);
  });
});
