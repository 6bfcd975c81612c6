/** What margins covered over years of days, and how much they moved on the way: Keel's rule that follows volatility, and each rule set's fixed rates. */
import { readFileSync } from "node:fs";
import { seededRandom } from "@keel/node/feeds/random";
import { type Close, parseCloses } from "../../bench/study/prices.ts";
import { combinedRule, fixedRule, type Rule } from "../../bench/study/rules.ts";
import { type Studied, study } from "../../bench/study/study.ts";
import type { Rules } from "../venue/rules.ts";

/** Days of a generated history, a third of which only teaches the rules. */
const GENERATED_DAYS = 4_000;
const DAY_MS = 86_400_000;
const BEGINS_MS = 1_400_000_000_000;

/** Every day a regime's deviation and, seldom, a jump with a tail of 4.3: the shape of ten years of BTC (kurtosis 16, a worst day beyond a third). */
export function generatedCloses(seed: number): Close[] {
  const random = seededRandom(seed * 17 + 3);
  let [price, deviation] = [10_000, 0.03];
  return Array.from({ length: GENERATED_DAYS }, (_, day) => {
    deviation = Math.exp(
      0.97 * Math.log(deviation) + 0.03 * Math.log(0.028) + 0.11 * random.normal(),
    );
    const jumps = random.next() < 0.01;
    const size = jumps ? 0.06 * random.next() ** (-1 / 4.3) : 0;
    const move = deviation * random.normal() + (random.next() < 0.55 ? -size : size);
    price *= Math.exp(Math.max(-0.5, Math.min(0.5, move)));
    return { date: new Date(BEGINS_MS + day * DAY_MS).toISOString().slice(0, 10), price };
  });
}

export interface MarginStudy {
  readonly source: string;
  /** 99 % quantile of a day's move, without sign. */
  readonly quantile: number;
  readonly rows: readonly Studied[];
}

/** `file`: daily closes; null: generated ones. */
export function studyMargins(
  file: string | null,
  seed: number,
  ruleSets: readonly Rules[],
): MarginStudy {
  const closes = file === null ? generatedCloses(seed) : parseCloses(readFileSync(file, "utf8"));
  const from = file === null ? (closes[1_200]?.date ?? "") : "2015-01-01";
  const fixed = ruleSets.map((rules): Rule => {
    const rate = rules.initial(0, 100_000) / 100_000;
    const rule = fixedRule(rate);
    return { ...rule, name: `${rules.title}: ${(rate * 100).toFixed(1)} % initial, fixed` };
  });
  const following: Rule[] = [combinedRule(false), combinedRule(true)];
  const rows = [...following, ...fixed].map((rule) => study(closes, from, rule));
  const moves = closes.slice(1).flatMap(({ date, price }, i) => {
    const before = closes[i]?.price ?? price;
    return date >= from ? [Math.abs(price / before - 1)] : [];
  });
  moves.sort((a, b) => a - b);
  return {
    source: file === null ? `generated days, seed ${seed}` : "daily closes of the file",
    quantile: moves[Math.floor(moves.length * 0.99)] ?? 0,
    rows,
  };
}
