/** One asset of eight decimals beside the settlement asset, for tests: 10 % and 5 % off, at most ten coins, five of one owner. */
import { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import { type AccountId, accountId } from "../../../kit/account-id.ts";
import { ModuleError } from "../../../kit/errors.ts";
import type { Health } from "../../health/health.ts";
import type { World } from "../../testing/world.ts";

export const COIN = 100_000_000n;
export const WBTC = "uwbtc";
export const FEED = 7;

export function wbtc(over: Partial<CollateralTerms> = {}): CollateralTerms {
  return CollateralTerms.fromPartial({
    denom: WBTC,
    decimals: 8,
    feedId: FEED,
    haircut: { initialPpm: 100_000n, maintenancePpm: 50_000n },
    cap: (10n * COIN).toString(),
    ownerSharePpm: 500_000n,
    depositMin: "1000",
    debtPpm: 200_000n,
    saleDiscountPpm: 20_000n,
    ...over,
  });
}

/** Deposits new coins of test owner `number`. */
export function give(world: World, number: number, units: bigint): AccountId {
  const id = accountId(world.owner(number), 0);
  world.bank.mint(world.ctx, world.owner(number), units, WBTC);
  world.margin.keeper.assets.deposit(world.ctx, id, WBTC, units);
  return id;
}

export function health(world: World, id: AccountId): Health {
  const found = world.margin.keeper.health(world.ctx, id);
  if (found === undefined) throw new Error("no such account");
  return found;
}

/** The code of the refusal; 0: there was none. */
export function codeOf(run: () => void): number {
  try {
    run();
  } catch (error) {
    if (error instanceof ModuleError) return error.code;
    throw error;
  }
  return 0;
}
