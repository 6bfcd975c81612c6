/** All tapes of a seed added up, one line a row; with several seeds their mean and how far the farthest is from it. */
import { VARIANTS } from "../chain/variants.ts";
import type { Outcome } from "../measures/outcome.ts";
import type { TapeResult } from "../plan.ts";
import { ALTERNATIVES } from "../venue/rule-sets.ts";

export interface Measured {
  readonly mean: number;
  /** Of the seed that is farthest from the mean; 0 with one seed. */
  readonly spread: number;
}

export interface SummaryRow {
  readonly title: string;
  readonly values: readonly Measured[];
}

export interface SummaryTable {
  readonly title: string;
  readonly rows: readonly SummaryRow[];
}

interface SummaryColumn {
  readonly title: string;
  /** Of all tapes of a seed. */
  readonly of: (outcomes: readonly Outcome[]) => number;
  readonly places: number;
  /** Less is better, and a bar chart is drawn. */
  readonly charted?: true;
}

const sum =
  (of: (outcome: Outcome) => number) =>
  (outcomes: readonly Outcome[]): number =>
    outcomes.reduce((all, one) => all + of(one), 0);
const millions = (of: (outcome: Outcome) => number) => sum((outcome) => of(outcome) / 1e6);

export const SUMMARY_COLUMNS: readonly SummaryColumn[] = [
  { title: "bad debt M", of: millions((o) => o.badDebt), places: 1 },
  {
    title: "after the fund M",
    of: millions((o) => o.badDebt - o.paidByFund),
    places: 1,
    charted: true,
  },
  { title: "unpaid M", of: millions((o) => o.unpaid), places: 1 },
  { title: "ADL M", of: millions((o) => o.deleveragedNotional), places: 1, charted: true },
  { title: "at book M", of: millions((o) => o.liquidatedNotional), places: 1 },
  { title: "amplification", of: amplification, places: 2, charted: true },
  { title: "liquidated", of: sum((o) => o.accountsLiquidated), places: 0 },
  { title: "false", of: sum((o) => o.falseLiquidations), places: 0 },
  { title: "hedges broken", of: sum((o) => o.hedgesBroken), places: 0 },
];

/** Mean over the tapes whose price falls outside by more than a fortieth; of the others the ratio says nothing. */
function amplification(outcomes: readonly Outcome[]): number {
  const falling = outcomes.filter(({ outsideTrough }) => outsideTrough > 0.025);
  return sum((o) => o.amplification)(falling) / Math.max(1, falling.length);
}

type Kind = "variants" | "rules" | "alternatives";

function summed(tapes: readonly TapeResult[], kind: Kind, name: string, title: string): SummaryRow {
  const seeds = [...new Set(tapes.map(({ seed }) => seed))];
  const bySeed = seeds.map((seed) =>
    tapes.flatMap((tape) => {
      const outcome = tape.seed === seed ? tape[kind][name] : undefined;
      return outcome === undefined ? [] : [outcome];
    }),
  );
  const values = SUMMARY_COLUMNS.map(({ of }) => {
    const each = bySeed.map(of);
    const mean = each.reduce((all, one) => all + one, 0) / each.length;
    return { mean, spread: Math.max(...each.map((one) => Math.abs(one - mean))) };
  });
  return { title, values };
}

/** `copy`: rows of the second table are an exported chain's, not the model's. */
export function summaries(tapes: readonly TapeResult[], copy: boolean): SummaryTable[] {
  const [first] = tapes;
  if (first === undefined) return [];
  const rows = (
    kind: Kind,
    titles: readonly (readonly [name: string, title: string])[],
  ): SummaryRow[] =>
    titles.flatMap(([name, title]) =>
      first[kind][name] === undefined ? [] : [summed(tapes, kind, name, title)],
    );
  return [
    {
      title: "keel on the real modules in a smaller market, one choice changed",
      rows: rows(
        "variants",
        Object.entries(VARIANTS).map(([name, { group, title }]) => [name, `${group}: ${title}`]),
      ),
    },
    {
      title: copy ? "a copy of the exported chain" : "rule sets on the model",
      rows: rows(
        "rules",
        Object.keys(first.rules).map((name) => [name, name]),
      ),
    },
    {
      title: "keel on the model, one choice changed",
      rows: [
        ...rows("rules", [["keel", "as recommended"]]),
        ...rows(
          "alternatives",
          ALTERNATIVES.map(({ key, group, title }) => [key, `${group}: ${title}`]),
        ),
      ],
    },
  ].filter((table) => table.rows.length > 0);
}

export function measuredText({ mean, spread }: Measured, places: number): string {
  const text = mean.toFixed(places);
  return spread === 0 ? text : `${text} ± ${spread.toFixed(places)}`;
}
