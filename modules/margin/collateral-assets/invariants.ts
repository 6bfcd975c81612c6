/** What must hold of collateral assets. */
import type { ReadContext } from "../../kit/context.ts";
import type { BankPort, InsurancePort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { isJudged } from "./state.ts";

/** Per asset: what accounts and the fund hold lies in the vault. */
export function assetsBackedFault(
  ctx: ReadContext,
  state: MarginState,
  bank: BankPort,
): string | null {
  let fault: string | null = null;
  state.assets.assets.each(ctx, (denom, { held, inventory }) => {
    const claims = BigInt(held) + BigInt(inventory);
    const coins = bank.balance(ctx, COLLATERAL_VAULT, denom);
    if (coins < claims) fault = `the vault holds ${coins} ${denom}, claims on it are ${claims}`;
    return fault !== null;
  });
  return fault;
}

/** What the fund holds at cost is what it has paid for the assets here, and nothing costs nothing. */
export function inventoryFault(
  ctx: ReadContext,
  state: MarginState,
  insurance: InsurancePort,
): string | null {
  let fault: string | null = null;
  let sum = 0n;
  state.assets.assets.each(ctx, (denom, { inventory, inventoryCost }) => {
    const cost = BigInt(inventoryCost);
    if (cost < 0n || (inventory === "0" && cost > 0n)) {
      fault = `${inventory} ${denom} of the fund have cost ${cost}`;
    }
    sum += cost;
  });
  const held = insurance.inventory(ctx, state.params.require(ctx).settlementDenom);
  return fault ?? (sum === held ? null : `assets have cost ${sum}, the fund holds ${held}`);
}

/** Accounts' units sum to what is written down per asset, and the index of judged accounts says what they say. A scan. */
export function assetsHeldFault(ctx: ReadContext, state: MarginState): string | null {
  const { assets, judged } = state.assets;
  const sums = new Map<string, bigint>();
  let fault: string | null = null;
  let indexed = 0n;
  state.accounts.each(ctx, (id, account) => {
    for (const { denom, units } of account.assets) {
      if (units <= 0n) fault ??= `an account holds ${units} ${denom}`;
      sums.set(denom, (sums.get(denom) ?? 0n) + units);
    }
    if (!isJudged(account)) return;
    indexed += 1n;
    if (!judged.has(ctx, id)) fault ??= "an account that its assets back is not judged";
  });
  if (BigInt(judged.size(ctx)) !== indexed) fault ??= "the index of judged accounts has others";
  assets.each(ctx, (denom, { held }) => {
    const sum = sums.get(denom) ?? 0n;
    if (BigInt(held) !== sum) fault ??= `${held} ${denom} are written down, accounts hold ${sum}`;
    sums.delete(denom);
  });
  if (sums.size > 0) fault ??= "an account holds what is no collateral";
  return fault;
}
