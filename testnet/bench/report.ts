/** What a bench says of itself, for people and for files. */

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it has to reach; null when there is no mark. */
  readonly mark: { readonly atLeast: number } | { readonly atMost: number } | null;
  /** Everything else worth knowing, in the order it is printed. */
  readonly details: Readonly<Record<string, number | string>>;
  /** The least and the greatest value of so many rounds, of which this is the middle one; absent for a single measurement. */
  readonly rounds?: { readonly count: number; readonly low: number; readonly high: number };
}

export function reached({ value, mark }: Measurement): boolean | null {
  if (mark === null) return null;
  return "atLeast" in mark ? value >= mark.atLeast : value <= mark.atMost;
}

export function measurementText(one: Measurement): string {
  const { name, value, unit, details } = one;
  const count = one.rounds?.count ?? 1;
  const range = count > 1 ? ` (${rangeText(one, "to")} in ${count} rounds)` : "";
  const lines = [`${name}: ${number(value)} ${unit}${range}${verdict(one)}`];
  for (const [key, detail] of Object.entries(details))
    lines.push(`    ${key}: ${typeof detail === "number" ? number(detail) : detail}`);
  return lines.join("\n");
}

export function markText({ mark }: Measurement): string {
  if (mark === null) return "";
  return "atLeast" in mark ? `≥ ${number(mark.atLeast)}` : `≤ ${number(mark.atMost)}`;
}

/** Least and greatest of the rounds; empty for one round. */
export function rangeText({ rounds }: Measurement, between: string): string {
  if (rounds === undefined || rounds.count < 2) return "";
  return `${number(rounds.low)} ${between} ${number(rounds.high)}`;
}

function verdict(one: Measurement): string {
  const isReached = reached(one);
  if (isReached === null) return "";
  return ` (mark ${markText(one)}: ${isReached ? "reached" : "MISSED"})`;
}

export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (
    sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ??
    Number.NaN
  );
}
