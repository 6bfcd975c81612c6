/**
 * Accounts under moves of prices that have not happened: equity of an account when underlyings move and all else stays, and what it would miss. For
 * queries: one pass over the accounts with positions, which pays gas for each valuation.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import { backingOf } from "../collateral-assets/backing.ts";
import { positionValue } from "../health/health.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { marketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { moveOfLot, moveOfLots } from "./shocks.ts";

/** Of one account under one set of moves. */
const VALUATION_GAS = 300;

export interface StressedPosition {
  readonly market: MarketId;
  readonly feedId: number;
  readonly lots: bigint;
  readonly value: bigint;
}

export interface StressedAccount {
  readonly id: AccountId;
  /** At present marks. */
  readonly equity: bigint;
  readonly positions: readonly StressedPosition[];
}

/** Which underlying moves; 0: all of them. */
export interface Move {
  readonly feedId: number;
  readonly movePpm: bigint;
}

export interface StressTest {
  readonly views: MarketViews;
  /** Accounts with positions, in key order; those in a market without a price cannot be valued and are left out. */
  each(ctx: ReadContext, visit: (account: StressedAccount) => void): void;
  /** Each position's value after the move; rounded down. */
  values(ctx: ReadContext, account: StressedAccount, move: Move): readonly bigint[];
  equity(ctx: ReadContext, account: StressedAccount, move: Move): bigint;
}

export function stressTest(
  ctx: ReadContext,
  state: MarginState,
  markets: ModelledMarkets,
): StressTest {
  const views = marketViews(ctx, markets);
  const moves = new Map<string, bigint>();

  function perLot(at: ReadContext, market: MarketId, movePpm: bigint): bigint {
    const key = `${market}/${movePpm}`;
    let move = moves.get(key);
    if (move === undefined) {
      const view = views(market);
      assert(view !== undefined, "a stressed market has no price");
      move = moveOfLot(at, markets, view, movePpm);
      moves.set(key, move);
    }
    return move;
  }

  function gain(at: ReadContext, position: StressedPosition, { feedId, movePpm }: Move): bigint {
    if (feedId !== 0 && feedId !== position.feedId) return 0n;
    return moveOfLots(position.lots, perLot(at, position.market, movePpm));
  }

  return {
    views,
    each(at, visit) {
      state.active.each(at, (id) => {
        const account = state.accounts.get(at, id);
        assert(account !== undefined, "an active account has no record");
        const positions: StressedPosition[] = [];
        // Prices of collateral stay as they are: which of them would follow, nothing here says.
        let equity = account.collateral + backingOf(account.assets, views.asset).maintenance;
        for (const position of account.positions) {
          if (position.lots === 0n) continue;
          const view = views(position.market);
          if (view === undefined) return;
          const value = positionValue(position, view);
          const { market, lots } = position;
          equity += value;
          positions.push({ market, feedId: view.terms.feedId, lots, value });
        }
        visit({ id, equity, positions });
      });
    },
    values(at, { positions }, move) {
      at.gas.consume(VALUATION_GAS, "Stress");
      return positions.map((position) => position.value + gain(at, position, move));
    },
    equity(at, account, move) {
      at.gas.consume(VALUATION_GAS, "Stress");
      let equity = account.equity;
      for (const position of account.positions) equity += gain(at, position, move);
      return equity;
    },
  };
}

export function shortfall(equity: bigint): bigint {
  return maximum(-equity, 0n);
}
