/** Which accounts are judged as portfolios, by which model, and what is refused on the way. */
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { AccountId } from "../../kit/account-id.ts";
import { ownerOf } from "../../kit/account-id.ts";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import { type MarginCode, refuse } from "../errors.ts";
import { evaluate, meetsInitial } from "../health/health.ts";
import { keepingHealthy } from "../health/healthy.ts";
import { type ModelledMarkets, marketViews } from "../health/market-view.ts";
import { beside } from "../owners/beside.ts";
import type { PricesPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { validateModel } from "./model.ts";
import { shortText } from "./refusals.ts";

/** Market by market; as one portfolio; market by market in one market only. */
export type MarginMode = "cross" | "portfolio" | "isolated";

export interface PortfolioModes {
  /** Throws ModuleError and changes nothing unless the account meets its initial requirement under the new mode. */
  setMode(ctx: WriteContext, id: AccountId, mode: MarginMode): void;
  /** undefined: removes it. Throws ModuleError when an account that is healthy now would be liquidatable; the caller reverts. */
  setModel(ctx: WriteContext, model: PortfolioModel | undefined): void;
  /** Applies what portfolios are judged by, which is refused with this code when one that is healthy now would be liquidatable; the caller reverts. */
  keepPortfolios(ctx: WriteContext, code: MarginCode, apply: () => void): void;
}

export function createPortfolioModes(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly prices: PricesPort;
  readonly name: (id: AccountId) => string;
}): PortfolioModes {
  const { markets, name, prices, state } = parts;

  function otherPortfolio(ctx: ReadContext, id: AccountId): boolean {
    let found = false;
    state.accounts.eachWithPrefix(ctx, bytesToKey(ownerOf(id)), (other, account) => {
      found = other !== id && account.portfolio;
      return found;
    });
    return found;
  }

  function keepPortfolios(ctx: WriteContext, code: MarginCode, apply: () => void): void {
    keepingHealthy(ctx, parts, {
      code,
      each: (visit) => state.portfolios.each(ctx, visit),
      concerns: () => true,
      name,
      apply,
    });
  }

  return {
    keepPortfolios,

    setMode(ctx, id, mode) {
      const portfolio = mode === "portfolio";
      const isolated = mode === "isolated";
      const account = state.accounts.get(ctx, id);
      if (account === undefined) throw refuse("unknownAccount", "no such sub-account");
      if (account.portfolio === portfolio && account.isolated === isolated) {
        throw refuse("invalidRequest", "the sub-account is in this mode already");
      }
      if (portfolio) {
        if (state.portfolioModel.get(ctx) === undefined) {
          throw refuse("noModel", "there is no portfolio-margin model");
        }
        // What grows with size is charged per account: in several it would cost less.
        if (otherPortfolio(ctx, id)) {
          throw refuse("secondPortfolio", "the owner has another portfolio sub-account");
        }
      }
      if (isolated && account.positions.length > 1) {
        throw refuse("isolatedMarket", "the sub-account holds more than one market");
      }
      const changed: Account = { ...account, portfolio, isolated };
      // What it must hold stays the same.
      if (account.portfolio === portfolio) return state.accounts.set(ctx, id, changed);
      const after = beside(ctx, state, id, changed);
      const views = marketViews(ctx, markets);
      const health = evaluate(after, views);
      if (!health.fresh) throw refuse("stalePrice", "a price of this sub-account is stale");
      if (!meetsInitial(after, health)) {
        throw refuse("insufficientMargin", shortText(after, views, health));
      }
      state.accounts.set(ctx, id, after);
      if (portfolio) state.portfolios.set(ctx, id, true);
      else state.portfolios.delete(ctx, id);
    },

    setModel(ctx, model) {
      if (model !== undefined) validateModel(model);
      if (model === undefined) {
        const used = state.portfolios.size(ctx);
        if (used > 0) throw refuse("modelInUse", `${used} accounts are judged by the model`);
        if (state.portfolioModel.get(ctx) !== undefined) state.portfolioModel.delete(ctx);
        return;
      }
      const stable = model.depeg?.feedId ?? 0;
      if (stable !== 0 && prices.price(ctx, stable) === undefined) {
        throw refuse("unknownFeed", `feed ${stable} has no price of the settlement asset`);
      }
      keepPortfolios(ctx, "modelInUse", () => state.portfolioModel.set(ctx, model));
    },
  };
}

/** Portfolio accounts need a model, are in the index, and an owner has at most one. */
export function portfolioFault(ctx: ReadContext, state: MarginState): string | null {
  const modelled = state.portfolioModel.get(ctx) !== undefined;
  let fault: string | null = null;
  let previous: string | null = null;
  let indexed = 0;
  state.accounts.each(ctx, (id, account) => {
    if (!account.portfolio) return false;
    const owner = bytesToKey(ownerOf(id));
    if (!modelled) fault = "an account is judged as a portfolio without a model";
    else if (owner === previous) fault = "an owner has two portfolio accounts";
    previous = owner;
    if (state.portfolios.has(ctx, id)) indexed += 1;
    else fault ??= "a portfolio account is not in the index";
    return fault !== null;
  });
  if (indexed !== state.portfolios.size(ctx))
    fault ??= "the index of portfolio accounts has others";
  return fault;
}
