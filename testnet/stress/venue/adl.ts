/** Who is closed against a bankrupt position, and by how much. Pure; the same order for the same state. */
import type { AdlRule } from "./rules.ts";

export interface Counterparty {
  readonly account: number;
  /** Size held against the bankrupt, as much of it as its equity can bear; positive. */
  readonly base: number;
  readonly notional: number;
  readonly equity: number;
  /** Of the position since it was opened. */
  readonly profit: number;
  /** What was paid per unit. */
  readonly entry: number;
  readonly mark: number;
  readonly long: boolean;
}

export interface Part {
  readonly account: number;
  readonly base: number;
}

/** Cuts `needed` from the counterparties; less only when all together have less. `lot`: a number for the random rule. */
export function allocate(
  rule: AdlRule,
  others: readonly Counterparty[],
  needed: number,
  lot: number,
): Part[] {
  const all = others.reduce((sum, one) => sum + one.base, 0);
  if (all <= needed) return others.map(({ account, base }) => ({ account, base }));
  if (rule === "pro-rata")
    return others.map(({ account, base }) => ({ account, base: (base * needed) / all }));
  if (rule === "water-filling") return waterFill(others, needed);
  return inOrder(ordered(rule, others, lot), needed);
}

/** Highest leverages are cut to one level Λ with Σ max(0, base − Λ equity) = needed. */
function waterFill(others: readonly Counterparty[], needed: number): Part[] {
  const ranked = [...others].sort(
    (a, b) => b.base * a.equity - a.base * b.equity || a.account - b.account,
  );
  let [base, equity] = [0, 0];
  for (const [i, one] of ranked.entries()) {
    base += one.base;
    equity += one.equity;
    const next = ranked[i + 1];
    const level = (base - needed) / Math.max(equity, 1e-9);
    if (base < needed || (next !== undefined && level * next.equity < next.base)) continue;
    return ranked
      .slice(0, i + 1)
      .map(({ account, base: held, equity: own }) => ({
        account,
        base: Math.max(0, held - level * own),
      }))
      .filter((part) => part.base > 0);
  }
  return inOrder(ranked, needed);
}

function ordered(
  rule: "queue" | "profit-queue" | "random",
  others: readonly Counterparty[],
  lot: number,
): Counterparty[] {
  if (rule === "random") {
    const start = Math.floor(lot * others.length);
    return [...others.slice(start), ...others.slice(0, start)];
  }
  const score = rule === "queue" ? profitTimesLeverage : priceRatioTimesLeverage;
  return [...others].sort((a, b) => score(b) - score(a) || a.account - b.account);
}

/** As most venues rank: profit as a share of notional times leverage, losers by that divided by it. */
function profitTimesLeverage({ profit, notional, equity }: Counterparty): number {
  const leverage = notional / Math.max(equity, 1e-9);
  const share = profit / notional;
  return share > 0 ? share * leverage : share / leverage;
}

/** As Hyperliquid prints it: (mark / entry) × (notional / account value), the ratio turned over for shorts. */
function priceRatioTimesLeverage({ mark, entry, long, notional, equity }: Counterparty): number {
  const ratio = entry <= 0 ? 1 : long ? mark / entry : entry / mark;
  return (ratio * notional) / Math.max(equity, 1e-9);
}

function inOrder(ranked: readonly Counterparty[], needed: number): Part[] {
  let left = needed;
  const parts: Part[] = [];
  for (const { account, base } of ranked) {
    if (left <= 0) break;
    parts.push({ account, base: Math.min(base, left) });
    left -= base;
  }
  return parts;
}
