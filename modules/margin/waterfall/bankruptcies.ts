/**
 * An account below zero of which the book takes no more: the funds pay, then the other side is deleveraged; what nobody can bear stands in the deficit
 * queue. Its ledger is measured, not reckoned: what the others lost is the difference of their equities.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import type { Account } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import type { Conversion } from "../collateral-assets/conversion.ts";
import { contained } from "../contained.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { isClosable, marketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { shortfallFloor } from "./attribution.ts";
import type { Deleveraging } from "./deleverage.ts";
import { type Losses, LossLedger } from "./losses.ts";
import type { Origin } from "./origins.ts";

export interface Bankruptcies {
  /** `held`: its markets, in the order they are closed. Returns false when nothing was done. */
  resolve(
    ctx: WriteContext,
    id: AccountId,
    held: readonly MarketId[],
    origin: Origin,
    budget: BankruptcyBudget,
  ): void;
}

/** What one block may still do. Mutable: one per block. */
export interface BankruptcyBudget {
  readonly notional: bigint;
  deleverages: number;
  /** Something was closed, charged or paid in this block. */
  worked: boolean;
}

/** Where losses end markets: what is only borne in part leaves its positions as they are, since who has closed them has left with the rest. */
class NotBorne extends Error {}

export function createBankruptcies(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly losses: Losses;
  readonly deleveraging: Deleveraging;
  readonly conversion: Conversion;
}): Bankruptcies {
  const { state, markets, claims, losses, deleveraging, conversion } = parts;

  function load(ctx: WriteContext, id: AccountId) {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "bankruptcy of an unknown account");
    const views = marketViews(ctx, markets);
    return { account, views, health: maintenanceHealth(account, views) };
  }

  function isFlat({ positions }: Account): boolean {
    return positions.every(({ lots }) => lots === 0n);
  }

  /** Closes what the account holds against the other side; returns what that lost by it. `whole`: nothing is closed unless all that is missing is borne by it. */
  function deleverage(
    ctx: WriteContext,
    id: AccountId,
    held: readonly MarketId[],
    budget: BankruptcyBudget,
    whole: boolean,
  ): bigint {
    let lost = 0n;
    let sound = true;
    const closeAll = (inner: WriteContext): void => {
      for (const market of held) {
        budget.deleverages -= 1;
        budget.worked = true;
        let part = 0n;
        const done = contained(inner, markets, market, (step) => {
          part = deleveraging.deleverage(step, id, market).lost;
          assertMarketSound(step, state, market);
        });
        if (done) lost += part;
        else sound = false;
      }
      const equity = whole && sound ? (load(inner, id).health?.equity ?? 0n) : 0n;
      if (equity < 0n) throw new NotBorne();
    };
    try {
      atomically(ctx, closeAll);
    } catch (error) {
      if (!(error instanceof NotBorne)) throw error;
      return 0n;
    }
    return lost;
  }

  return {
    resolve(ctx, id, held, origin, budget) {
      const { views, health } = load(ctx, id);
      if (health === null || health.equity >= 0n) return;
      if (held.length > 0) {
        const spent = budget.deleverages <= 0 || budget.notional <= 0n;
        if (spent || !held.every((market) => isClosable(views(market)))) return;
      }
      // Its own assets before anyone else's money; equity stands.
      conversion.convertAll(ctx, id, views);
      // Where losses end markets an account waits in the queue with its positions open: what it misses is no new loss then.
      const waited =
        state.params.require(ctx).marketSettlement !== undefined && state.deficits.has(ctx, id);
      const ledger = new LossLedger(waited ? "queue" : "defaulter", -health.equity, origin);
      if (losses.pay(ctx, id, ledger) > 0n) budget.worked = true;
      const whole = waited && -health.equity >= shortfallFloor(ctx, state);
      ledger.add("deleveraging", deleverage(ctx, id, held, budget, whole));
      const left = load(ctx, id);
      // What rounding to whole ticks took from the other side beyond the deficit belongs to the fund, not to the bankrupt account.
      const alone = isFlat(left.account) && left.account.assets.length === 0;
      if (held.length > 0 && alone && left.account.collateral > 0n) {
        ledger.add("residue", -left.account.collateral);
        claims.pay(ctx, id, left.account.collateral, "residue");
      }
      const equity = load(ctx, id).health?.equity ?? 0n;
      // Above zero only when a fault has kept a position.
      ledger.add(equity < 0n ? "queue" : "kept", -equity);
      if (waited && ledger.lines.length === 0) return;
      losses.close(ctx, id, ledger, "liquidation");
    },
  };
}
