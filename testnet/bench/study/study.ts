/** Runs every rule over the same days. What lies before the first day only teaches them. */
import { type Coverage, coverageOf, type Day } from "./coverage.ts";
import type { Close } from "./prices.ts";
import { combinedRule, fixedRule, type Rule, separateRule } from "./rules.ts";

/** 99 % of days are to be covered. */
export const TARGET = 0.01;
/** Range of a stressed market that gives the published figures; the source does not state its own. */
const STRESS = 0.265;

export interface Studied extends Coverage {
  readonly name: string;
  /** Margin held the day before some days that are remembered, by date. */
  readonly before: Readonly<Record<string, number>>;
}

const REMEMBERED = ["2020-03-12", "2021-05-19", "2024-08-05"] as const;

export function allRules(): readonly Rule[] {
  const two = [0.94, 0.99];
  const floored = { deviations: 3, keep: two, floor: true };
  return [
    fixedRule(0.1),
    separateRule({ name: "EWMA 0.94, z 2.33", deviations: 2.33, keep: [0.94] }),
    separateRule({ name: "EWMA 0.94, k 3.5", deviations: 3.5, keep: [0.94] }),
    separateRule({ name: "EWMA 0.97, k 3.5", deviations: 3.5, keep: [0.97] }),
    separateRule({ name: "larger of 0.94 and 0.99, k 3.5", deviations: 3.5, keep: two }),
    separateRule({ name: "the same, k 3.0, 4-year floor", ...floored }),
    separateRule({ name: "and a buffer of 25 %", ...floored, hold: true }),
    separateRule({ name: "floor and 25 % stress", ...floored, stress: STRESS }),
    separateRule({ name: "floor, buffer, ramp", ...floored, hold: true, ramp: 0.25 }),
    combinedRule(false),
    combinedRule(true),
    combinedRule(false, STRESS),
    combinedRule(true, STRESS),
  ];
}

export function study(closes: readonly Close[], from: string, rule: Rule): Studied {
  const days: Day[] = [];
  const before: Record<string, number> = {};
  for (let i = 1; i < closes.length; i++) {
    const { date, price } = closes[i] as Close;
    const last = (closes[i - 1] as Close).price;
    if (date >= from) {
      const margin = rule.margin();
      if (margin === null) throw new Error(`${rule.name} knows nothing before ${date}`);
      days.push({ margin, move: Math.abs(price / last - 1) });
      if (REMEMBERED.some((one) => one === date)) before[date] = margin;
    }
    rule.learn(last, price);
  }
  if (days.length < 2) throw new Error(`expected days from ${from} on`);
  return { name: rule.name, before, ...coverageOf(days, TARGET) };
}

const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)}%`;

/** A table, one row a rule. */
export function studyText(rows: readonly Studied[]): string {
  const header = ["rule", "mean", "breaches", "rate", "Kupiec", "Christ.", "both"];
  header.push("peak/trough", "1 d", "5 d", "30 d", "largest", "sum", ...REMEMBERED);
  const cells = rows.map((row) => [
    row.name,
    percent(row.meanMargin),
    `${row.breaches}`,
    percent(row.rate, 2),
    row.kupiec.toFixed(1),
    row.christoffersen.toFixed(1),
    (row.kupiec + row.christoffersen).toFixed(1),
    row.peakToTrough.toFixed(1),
    percent(row.rise1, 0),
    percent(row.rise5, 0),
    percent(row.rise30, 0),
    percent(row.largestBreach),
    percent(row.sumOfBreaches),
    ...REMEMBERED.map((date) => (row.before[date] === undefined ? "" : percent(row.before[date]))),
  ]);
  const table = [header, ...cells];
  const widths = header.map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? "").length)),
  );
  return table
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .join("\n");
}
