/** What classes a loss is charged to: those of the markets it belongs to (attribution.ts). Pure, exact. */
import type { ClassWeight } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { mulDivDown } from "../../kit/math/mul-div.ts";
import type { LossPart, MarketId } from "../ports.ts";
import type { Loss } from "./attribution.ts";

/** Weights > 0, ascending by class; never empty. */
export type Origin = readonly { readonly riskClass: string; readonly weight: bigint }[];

/** The shared fund bears all of it. */
export const SHARED_ORIGIN: Origin = [{ riskClass: "", weight: 1n }];

export function originFrom(weights: ReadonlyMap<string, bigint>): Origin | null {
  const origin = [...weights]
    .filter(([, weight]) => weight > 0n)
    .map(([riskClass, weight]) => ({ riskClass, weight }))
    .sort((a, b) => (a.riskClass < b.riskClass ? -1 : 1));
  return origin.length === 0 ? null : origin;
}

export function addWeight(weights: Map<string, bigint>, riskClass: string, weight: bigint): void {
  weights.set(riskClass, (weights.get(riskClass) ?? 0n) + weight);
}

/** Losses by market as losses by class. */
export function originByClass(
  losses: readonly Loss[],
  classOf: (market: MarketId) => string,
): Origin {
  const weights = new Map<string, bigint>();
  for (const { market, amount } of losses) addWeight(weights, classOf(market), amount);
  return originFrom(weights) ?? SHARED_ORIGIN;
}

/** Sums to `amount`: each part rounds down, and the largest takes the rest. */
export function splitWeights(
  origin: Origin,
  amount: bigint,
): readonly (readonly [string, bigint])[] {
  const all = origin.reduce((sum, { weight }) => sum + weight, 0n);
  const parts = origin.map(({ weight }) => mulDivDown(amount, weight, all));
  const rest = parts.reduce((left, part) => left - part, amount);
  let largest = 0;
  for (let i = 1; i < origin.length; i++) {
    if ((origin[i]?.weight ?? 0n) > (origin[largest]?.weight ?? 0n)) largest = i;
  }
  return origin.map(({ riskClass }, i) => {
    const part = parts[i] ?? 0n;
    return [riskClass, i === largest ? part + rest : part];
  });
}

export function splitLoss(origin: Origin, amount: bigint): readonly LossPart[] {
  return splitWeights(origin, amount).map(([riskClass, part]) => ({ riskClass, amount: part }));
}

export function originToMessage(origin: Origin): ClassWeight[] {
  return origin.map(({ riskClass, weight }) => ({ riskClass, weight: weight.toString() }));
}
