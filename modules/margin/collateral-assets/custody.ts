/** Units of assets in and out of sub-accounts. The coins lie in the collateral vault; per asset, what accounts hold and what the fund holds is written down. */
import type { CollateralAsset } from "@keel/proto/gen/keel/margin/v1/collateral";
import { type AccountId, ownerOf } from "../../kit/account-id.ts";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import { type Account, EMPTY_ACCOUNT } from "../account-codec.ts";
import { refuse } from "../errors.ts";
import { requireOpenGate } from "../gate.ts";
import { evaluate, meetsInitial } from "../health/health.ts";
import { holdsBack, type ModelledMarkets, marketViews } from "../health/market-view.ts";
import { shortText } from "../portfolio/refusals.ts";
import type { BankPort, GuardPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { unitsOf, withUnits } from "./holdings.ts";
import { isJudged } from "./state.ts";

export interface AssetCustody {
  /** Throws ModuleError "wrongDenom" where it is no collateral. */
  require(ctx: ReadContext, denom: string): CollateralAsset;
  /** Throws ModuleError when the asset is restricted and the address not on its list. */
  requireHolder(ctx: ReadContext, asset: CollateralAsset, holder: Uint8Array): void;
  /** Coins of the owner become units of its sub-account, which is made when there is none; returns the units it has then. */
  deposit(ctx: WriteContext, to: AccountId, denom: string, units: bigint): bigint;
  /** Units that the account can do without become coins of its owner. Returns the units left. */
  withdraw(ctx: WriteContext, from: AccountId, denom: string, units: bigint): bigint;
  /** Between sub-accounts of one owner. */
  transfer(
    ctx: WriteContext,
    from: AccountId,
    to: AccountId,
    asset: { readonly denom: string; readonly units: bigint },
  ): void;
}

export function createAssetCustody(
  state: MarginState,
  bank: BankPort,
  markets: ModelledMarkets,
  guard: GuardPort,
): AssetCustody {
  const { assets, holders, judged } = state.assets;

  function requireAsset(ctx: ReadContext, denom: string): CollateralAsset {
    const asset = assets.get(ctx, denom);
    if (asset?.terms === undefined) {
      const { settlementDenom } = state.params.require(ctx);
      throw refuse("wrongDenom", `expected ${settlementDenom}, got "${denom.slice(0, 130)}"`);
    }
    return asset;
  }

  function requireHolder(ctx: ReadContext, { terms }: CollateralAsset, holder: Uint8Array): void {
    if (terms?.restriction === undefined || holders.has(ctx, [terms.denom, holder])) return;
    throw refuse("holderNotAllowed", `the issuer of ${terms.denom} does not list this holder`);
  }

  function requireThawed({ terms, frozenNs }: CollateralAsset): void {
    if (frozenNs > 0n) throw refuse("collateralFrozen", `${terms?.denom} is frozen`);
  }

  /** Units in all sub-accounts of the owner. */
  function ownedUnits(ctx: ReadContext, owner: Uint8Array, denom: string): bigint {
    let sum = 0n;
    state.accounts.eachWithPrefix(ctx, bytesToKey(owner), (_id, account) => {
      sum += unitsOf(account, denom);
    });
    return sum;
  }

  function requireRoom(ctx: ReadContext, asset: CollateralAsset, to: AccountId, units: bigint) {
    const { terms } = asset;
    if (terms === undefined) return;
    const { denom, ownerSharePpm } = terms;
    const least = BigInt(terms.depositMin);
    if (units < least) {
      throw refuse("collateralCap", `expected at least ${least} ${denom}, got ${units}`);
    }
    const cap = BigInt(terms.cap);
    const all = BigInt(asset.held) + units;
    if (all > cap) {
      throw refuse("collateralCap", `${all} ${denom} would be held, the cap is ${cap}`);
    }
    const most = mulDivDown(cap, ownerSharePpm, PPM);
    const owned = ownedUnits(ctx, ownerOf(to), denom) + units;
    if (owned > most) {
      throw refuse("collateralCap", `the owner would hold ${owned} ${denom}, one may hold ${most}`);
    }
  }

  function credit(ctx: WriteContext, to: AccountId, denom: string, units: bigint): bigint {
    const known = state.accounts.get(ctx, to);
    const account = withUnits(known ?? EMPTY_ACCOUNT, denom, units);
    state.accounts.set(ctx, to, account);
    if (known === undefined) {
      const totals = state.totals.require(ctx);
      state.totals.set(ctx, { ...totals, accounts: totals.accounts + 1n });
    }
    return unitsOf(account, denom);
  }

  /** Takes units from an account that meets its initial requirement without them. */
  function debit(ctx: WriteContext, from: AccountId, denom: string, units: bigint): bigint {
    const account = state.accounts.get(ctx, from);
    if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
    for (const { market } of account.positions) {
      const terms = markets.terms(ctx, market);
      if (terms?.status === "quarantined") {
        throw refuse("marketQuarantined", `market ${terms.symbol} is quarantined`);
      }
    }
    const after = withUnits(account, denom, -units);
    requireEnough(ctx, after);
    write(ctx, from, after);
    return unitsOf(after, denom);
  }

  function requireEnough(ctx: ReadContext, after: Account): void {
    const views = marketViews(ctx, markets);
    const health = evaluate(after, views);
    if (!health.fresh || holdsBack(after.positions, views))
      throw refuse("stalePrice", "a price of this sub-account is stale");
    if (!meetsInitial(after, health)) {
      throw refuse("insufficientCollateral", shortText(after, views, health));
    }
  }

  /** An account left empty is removed. */
  function write(ctx: WriteContext, id: AccountId, after: Account): void {
    const { assets: left, collateral, positions } = after;
    if (left.length === 0 && collateral === 0n && positions.length === 0) {
      state.accounts.delete(ctx, id);
      if (after.portfolio) state.portfolios.delete(ctx, id);
      const totals = state.totals.require(ctx);
      state.totals.set(ctx, { ...totals, accounts: totals.accounts - 1n });
    } else state.accounts.set(ctx, id, after);
    if (!isJudged(after) && judged.has(ctx, id)) judged.delete(ctx, id);
  }

  function hold(ctx: WriteContext, asset: CollateralAsset, denom: string, delta: bigint): void {
    assets.set(ctx, denom, { ...asset, held: (BigInt(asset.held) + delta).toString() });
  }

  return {
    require: requireAsset,
    requireHolder,

    deposit(ctx, to, denom, units) {
      const asset = requireAsset(ctx, denom);
      requireHolder(ctx, asset, ownerOf(to));
      requireThawed(asset);
      requireRoom(ctx, asset, to, units);
      const held = credit(ctx, to, denom, units);
      hold(ctx, asset, denom, units);
      bank.transfer(ctx, ownerOf(to), COLLATERAL_VAULT, denom, units);
      guard.deposited(ctx, denom, units);
      return held;
    },

    withdraw(ctx, from, denom, units) {
      requireOpenGate(ctx, state);
      guard.withdrawing(ctx, denom, units);
      const asset = requireAsset(ctx, denom);
      requireHolder(ctx, asset, ownerOf(from));
      requireThawed(asset);
      const left = debit(ctx, from, denom, units);
      hold(ctx, asset, denom, -units);
      bank.transfer(ctx, COLLATERAL_VAULT, ownerOf(from), denom, units);
      return left;
    },

    transfer(ctx, from, to, { denom, units }) {
      const asset = requireAsset(ctx, denom);
      requireHolder(ctx, asset, ownerOf(from));
      requireThawed(asset);
      debit(ctx, from, denom, units);
      credit(ctx, to, denom, units);
    },
  };
}
