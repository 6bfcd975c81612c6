/**
 * The smallest move of one price that would exhaust the funds. Of accounts with linear positions the sum of what they miss is convex in the move, so the
 * first move that exhausts is found exactly, to a millionth; with options it is the first one between the moves of the curve. Accounts that stay above
 * zero at every move of the curve are not looked at again.
 */
import type {
  QueryResilienceResponse,
  StressPoint,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { ReadContext } from "../../kit/context.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { InsurancePort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { RiskClasses } from "./classes.ts";
import { type StressedAccount, shortfall, stressTest } from "./stress.ts";

/** Percent. */
const DOWN = [1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100];
const UP = [1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500];
const PERCENT_PPM = 10_000n;

interface Missed {
  readonly shortfall: bigint;
  readonly accounts: number;
}

export function resilienceOf(
  ctx: ReadContext,
  parts: {
    readonly state: MarginState;
    readonly markets: ModelledMarkets;
    readonly insurance: InsurancePort;
    readonly classes: RiskClasses;
  },
  feedId: number,
): QueryResilienceResponse {
  const { state, markets, insurance, classes } = parts;
  const { settlementDenom: denom } = state.params.require(ctx);
  const riskClass = classes.ofFeed(ctx, feedId);
  let resources = insurance.available(ctx, denom, riskClass);
  for (const other of insurance.riskClasses(ctx, denom)) {
    if (other !== riskClass) resources += insurance.assessable(ctx, denom, other);
  }

  const test = stressTest(ctx, state, markets);
  const grid = [...DOWN.map((one) => -BigInt(one)).reverse(), 0n, ...UP.map(BigInt)].map(
    (percent) => percent * PERCENT_PPM,
  );
  // Below zero without holding anything: whatever moves. Accounts with positions are valued below.
  let constant = 0n;
  let flat = 0;
  state.deficits.each(ctx, (id, deficit) => {
    if (state.active.has(ctx, id)) return;
    constant += deficit.shortfall;
    flat += 1;
  });
  const risky: StressedAccount[] = [];
  test.each(ctx, (account) => {
    if (!account.positions.some((position) => position.feedId === feedId)) {
      constant += shortfall(account.equity);
      flat += account.equity < 0n ? 1 : 0;
      return;
    }
    const sinks = grid.some((movePpm) => test.equity(ctx, account, { feedId, movePpm }) < 0n);
    if (sinks) risky.push(account);
  });

  function missedAt(movePpm: bigint): Missed {
    let sum = constant;
    let accounts = flat;
    for (const account of risky) {
      const missed = shortfall(test.equity(ctx, account, { feedId, movePpm }));
      sum += missed;
      if (missed > 0n) accounts += 1;
    }
    return { shortfall: sum, accounts };
  }

  const point = (movePpm: bigint): StressPoint => {
    const missed = missedAt(movePpm);
    return { movePpm, shortfall: missed.shortfall.toString(), accounts: missed.accounts };
  };

  const curve = grid.map(point);
  const exhausts = (one: StressPoint): boolean => BigInt(one.shortfall) > resources;

  /** `moves` from zero outwards. */
  function first(moves: readonly StressPoint[]): StressPoint | undefined {
    const at = moves.findIndex(exhausts);
    const found = moves[at];
    if (found === undefined || at === 0) return found;
    let safe = moves[at - 1]?.movePpm ?? 0n;
    let sunk = found.movePpm;
    while (sunk - safe > 1n || safe - sunk > 1n) {
      const middle = (safe + sunk) >> 1n;
      if (missedAt(middle).shortfall > resources) sunk = middle;
      else safe = middle;
    }
    return point(sunk);
  }

  const zero = DOWN.length;
  return {
    riskClass,
    resources: resources.toString(),
    down: first(curve.slice(0, zero + 1).reverse()),
    up: first(curve.slice(zero)),
    curve,
  };
}
