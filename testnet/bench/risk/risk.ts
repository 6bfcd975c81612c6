/** Bench 6: what risk costs per block. Each figure has its own file and stands in this list. */
import type { Measurement } from "../report.ts";
import { benchBankruptcies } from "./bankruptcies.ts";
import { benchCascade } from "./cascade.ts";
import { benchPortfolioMargin } from "./portfolio.ts";
import { benchSolvency } from "./solvency.ts";
import { benchSurface } from "./surface.ts";

const figures: readonly (() => Measurement[] | Promise<Measurement[]>)[] = [
  benchSurface,
  benchSolvency,
  benchPortfolioMargin,
  benchCascade,
  benchBankruptcies,
];

export async function benchRisk(): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const figure of figures) results.push(...(await figure()));
  return results;
}
