/** What authority, issuers and attestors may do to an asset, and who buys of the fund. */
import type { CollateralAsset, CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { accountText } from "../events.ts";
import { keepingHealthy } from "../health/healthy.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { BankPort, InsurancePort } from "../ports.ts";
import { COLLATERAL_VAULT, type MarginState } from "../state.ts";
import type { AssetCustody } from "./custody.ts";
import { emitCollateralSold } from "./events.ts";
import { withSold } from "./inventory.ts";
import { validateCollateralTerms } from "./terms.ts";
import { saleCost } from "./valuation.ts";

export interface AssetTerms {
  /** undefined: it is collateral no longer. Throws ModuleError when someone holds it then, or would be liquidatable; the caller reverts. */
  set(ctx: WriteContext, denom: string, terms: CollateralTerms | undefined): void;
  /** `price` 1e-18 settlement units per asset. */
  attest(ctx: WriteContext, attestor: string, denom: string, price: bigint): void;
  freeze(ctx: WriteContext, issuer: string, denom: string, frozen: boolean): void;
  allow(
    ctx: WriteContext,
    issuer: string,
    listing: { readonly denom: string; readonly holder: Uint8Array; readonly allowed: boolean },
  ): void;
  /** Units of the fund's inventory for coins; returns the cost, quanta. */
  buy(
    ctx: WriteContext,
    buyer: Uint8Array,
    order: { readonly denom: string; readonly units: bigint; readonly costMax: bigint },
  ): bigint;
}

export function createAssetTerms(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly bank: BankPort;
  readonly insurance: InsurancePort;
  readonly custody: AssetCustody;
  readonly addresses: Addresses;
}): AssetTerms {
  const { state, markets, bank, insurance, custody, addresses } = parts;
  const { assets, holders, judged } = state.assets;

  function end(ctx: WriteContext, denom: string): void {
    const { held, inventory } = custody.require(ctx, denom);
    if (held !== "0" || inventory !== "0") {
      throw refuse("collateralInUse", `accounts hold ${held} ${denom}, the fund ${inventory}`);
    }
    assets.delete(ctx, denom);
    const listed: Uint8Array[] = [];
    state.assets.holders.eachWithPrefix(
      ctx,
      `${denom}\0`,
      ([, holder]) => void listed.push(holder),
    );
    for (const holder of listed) holders.delete(ctx, [denom, holder]);
  }

  function requireRole(
    ctx: ReadContext,
    denom: string,
    role: "issuer" | "attestor",
    sender: string,
  ): CollateralAsset {
    const asset = custody.require(ctx, denom);
    const named = asset.terms?.restriction?.[role] ?? "";
    if (named === "" || named !== sender) {
      throw refuse("unauthorized", `expected the ${role} of ${denom}, got ${sender}`);
    }
    return asset;
  }

  return {
    set(ctx, denom, terms) {
      if (terms === undefined) {
        end(ctx, denom);
        return;
      }
      validateCollateralTerms(terms, addresses);
      if (terms.denom !== denom) throw refuse("invalidRequest", "expected terms of the same denom");
      if (denom === state.params.require(ctx).settlementDenom) {
        throw refuse("invalidRequest", "the settlement asset is collateral without terms");
      }
      const known = assets.get(ctx, denom) ?? UNHELD;
      if (known.terms !== undefined && known.terms.decimals !== terms.decimals) {
        throw refuse("invalidRequest", "the decimals of a coin do not change");
      }
      keepingHealthy(ctx, parts, {
        code: "collateralInUse",
        each: (visit) => judged.each(ctx, visit),
        concerns: (account) => account.assets.some((held) => held.denom === denom),
        name: (id) => accountText(addresses, id),
        apply: () => assets.set(ctx, denom, { ...known, terms }),
      });
    },

    attest(ctx, attestor, denom, price) {
      const asset = requireRole(ctx, denom, "attestor", attestor);
      const attestedNs = ctx.header.timeNs;
      assets.set(ctx, denom, { ...asset, attestedPrice: price.toString(), attestedNs });
    },

    freeze(ctx, issuer, denom, frozen) {
      const asset = requireRole(ctx, denom, "issuer", issuer);
      if (asset.frozenNs > 0n === frozen) {
        throw refuse("invalidRequest", `${denom} is ${frozen ? "" : "not "}frozen already`);
      }
      assets.set(ctx, denom, { ...asset, frozenNs: frozen ? ctx.header.timeNs : 0n });
    },

    allow(ctx, issuer, { denom, holder, allowed }) {
      requireRole(ctx, denom, "issuer", issuer);
      if (holders.has(ctx, [denom, holder]) === allowed) {
        throw refuse("invalidRequest", "the list says so already");
      }
      if (allowed) holders.set(ctx, [denom, holder], true);
      else holders.delete(ctx, [denom, holder]);
    },

    buy(ctx, buyer, { denom, units, costMax }) {
      const asset = custody.require(ctx, denom);
      custody.requireHolder(ctx, asset, buyer);
      const view = markets.asset(ctx, denom);
      if (view?.usable !== true) {
        throw refuse("collateralFrozen", `${denom} is frozen or has no good price`);
      }
      const inventory = BigInt(asset.inventory);
      if (units > inventory) {
        throw refuse("insufficientCollateral", `the fund has ${inventory} ${denom}, got ${units}`);
      }
      const cost = saleCost(view, units);
      if (cost > costMax) {
        throw refuse("invalidRequest", `the cost is ${cost}, more than ${costMax}`);
      }
      const { settlementDenom } = state.params.require(ctx);
      const sold = withSold(asset, units);
      assets.set(ctx, denom, sold.asset);
      const totals = state.totals.require(ctx);
      state.totals.set(ctx, { ...totals, netDeposits: totals.netDeposits + cost });
      bank.transfer(ctx, buyer, COLLATERAL_VAULT, settlementDenom, cost);
      insurance.sell(ctx, settlementDenom, { cost: sold.cost, proceeds: cost });
      bank.transfer(ctx, COLLATERAL_VAULT, buyer, denom, units);
      const paid = sold.cost;
      emitCollateralSold(ctx, { view, buyer: addresses.format(buyer), units, cost, paid });
      return cost;
    },
  };
}

const UNHELD: CollateralAsset = {
  terms: undefined,
  held: "0",
  inventory: "0",
  inventoryCost: "0",
  attestedPrice: "0",
  attestedNs: 0n,
  frozenNs: 0n,
};
