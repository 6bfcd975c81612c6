/**
 * What classes a loss is charged to: those of the markets that made it. Pure, exact.
 *
 * Of a cross-margined account these are the positions that stand at a loss when it is first found below water, in proportion to their losses, whatever
 * others have gained; an account whose positions all stand at a gain (its loss lies behind it) is charged by what they require.
 */
import type { ClassWeight } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { maximum, mulDivDown } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { positionValue } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import { positionMaintenance } from "../health/position-requirement.ts";
import { lotsElsewhere } from "../owners/elsewhere.ts";
import type { LossPart } from "../ports.ts";

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

export function originOf(
  account: Account,
  views: MarketViews,
  classOf: (feedId: number) => string,
): Origin {
  const losses = new Map<string, bigint>();
  const required = new Map<string, bigint>();
  for (const position of account.positions) {
    const view = position.lots === 0n ? undefined : views(position.market);
    if (view === undefined) continue;
    const riskClass = classOf(view.terms.feedId);
    addWeight(losses, riskClass, maximum(-positionValue(position, view), 0n));
    addWeight(
      required,
      riskClass,
      positionMaintenance(position, view, lotsElsewhere(account, position.market)),
    );
  }
  return originFrom(losses) ?? originFrom(required) ?? SHARED_ORIGIN;
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

export function originFromMessage(classes: readonly ClassWeight[]): Origin {
  return classes.map(({ riskClass, weight }) => ({ riskClass, weight: BigInt(weight) }));
}
