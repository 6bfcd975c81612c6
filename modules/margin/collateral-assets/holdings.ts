/** The list of an account's assets, ascending by denom, without zeros. Pure. */

import { absolute } from "../../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../../kit/money.ts";
import type { Account, AssetHolding } from "../account-codec.ts";
import { refuse } from "../errors.ts";

/** Kinds of assets in one account: each is a product in every look at it. */
const ASSETS_PER_ACCOUNT_MAX = 8;

export function unitsOf(account: Account, denom: string): bigint {
  return account.assets.find((one) => one.denom === denom)?.units ?? 0n;
}

/** The account with `delta` more units. Throws ModuleError when it would hold too much or too many kinds, or less than nothing. */
export function withUnits(account: Account, denom: string, delta: bigint): Account {
  const held = unitsOf(account, denom);
  const units = held + delta;
  if (units < 0n) {
    throw refuse("insufficientCollateral", `expected at most ${held} ${denom}, got ${-delta}`);
  }
  if (absolute(units) >= MONEY_LIMIT) throw refuse("outOfRange", "units would leave their range");
  const assets: AssetHolding[] = account.assets.filter((one) => one.denom !== denom);
  if (units > 0n) {
    const at = assets.findIndex((one) => one.denom > denom);
    assets.splice(at < 0 ? assets.length : at, 0, { denom, units });
  }
  if (assets.length > ASSETS_PER_ACCOUNT_MAX) {
    throw refuse("outOfRange", `expected at most ${ASSETS_PER_ACCOUNT_MAX} assets in an account`);
  }
  return { ...account, assets };
}
