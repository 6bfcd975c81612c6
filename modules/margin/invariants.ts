/** What must always hold. `running` reads totals only and runs every block; `full` scans every account. */
import type { ReadContext } from "../kit/context.ts";
import type { Invariant, ModuleInvariants } from "../kit/module.ts";
import type { MarketLedger } from "./account-codec.ts";
import { boundsFault, heldMarkets } from "./bounds/branch-bounds.ts";
import { sweepFault } from "./clearing/sweep-invariant.ts";
import {
  assetsBackedFault,
  assetsHeldFault,
  inventoryFault,
} from "./collateral-assets/invariants.ts";
import { custodyFault, marketShortfallFault, solvencyMatchesFault } from "./custody/invariants.ts";
import { maintenanceHealth, positionValue } from "./health/health.ts";
import { marketViews } from "./health/market-view.ts";
import type { MarginParts } from "./keeper.ts";
import { ladderFault } from "./liquidation/invariant.ts";
import { ownersFault } from "./owners/invariant.ts";
import { portfolioFault } from "./portfolio/mode.ts";
import type { MarketId } from "./ports.ts";
import { scanFault } from "./scan.ts";
import { marketBalance, netPositionFault, solvencyFault } from "./solvency.ts";
import type { MarginState } from "./state.ts";
import { COLLATERAL_VAULT } from "./state.ts";
import { volatilityFault } from "./volatility/invariant.ts";
import { advancesFault } from "./waterfall/advances.ts";
import { endingsFault } from "./waterfall/invariant.ts";

export function marginInvariants(state: MarginState, ports: MarginParts): ModuleInvariants {
  const { bank, insurance, markets } = ports;

  function eachLedger(
    fault: (ledger: MarketLedger, settlementValue: bigint | undefined) => string | null,
  ): Invariant {
    return (ctx) => {
      let first: string | null = null;
      state.ledgers.each(ctx, (market, ledger) => {
        const value = markets.settlementValue(ctx, market);
        // Funding up to the end is part of what each lot is settled for.
        first = fault(
          ledger,
          value === undefined ? value : value - markets.fundingIndex(ctx, market),
        );
        return first !== null;
      });
      return first;
    };
  }

  /** Σ collateral + Σ market balances + insurance + fees = what came into the vault ≤ the vault's coins. */
  function vaultBacked(ctx: ReadContext): string | null {
    const denom = state.params.require(ctx).settlementDenom;
    const totals = state.totals.require(ctx);
    let claims = totals.collateral + totals.feesHeld + insurance.balance(ctx, denom);
    state.ledgers.each(ctx, (_market, ledger) => {
      claims += marketBalance(ledger);
    });
    const paidIn = totals.netDeposits + insurance.funded(ctx, denom);
    if (claims !== paidIn) return `claims on the vault are ${claims}, paid in was ${paidIn}`;
    const coins = bank.balance(ctx, COLLATERAL_VAULT, denom);
    return coins >= claims ? null : `the vault holds ${coins}, claims on it are ${claims}`;
  }

  function shortfallQueue(ctx: ReadContext): string | null {
    let queued = 0n;
    let bad = false;
    state.deficits.each(ctx, (_id, deficit) => {
      queued += deficit.shortfall;
      bad ||= deficit.shortfall <= 0n;
    });
    const { pendingShortfall } = state.totals.require(ctx);
    if (bad) return "the deficit queue holds an entry without shortfall";
    return queued === pendingShortfall
      ? null
      : `pending shortfall is ${pendingShortfall}, the queue sums to ${queued}`;
  }

  function feesHeld(ctx: ReadContext): string | null {
    const fees = state.totals.require(ctx).feesHeld;
    return fees >= 0n ? null : `fees held are ${fees}`;
  }

  /** Whoever holds lots can be judged. */
  function marketsPriced(ctx: ReadContext): string | null {
    const views = marketViews(ctx, markets);
    const bare = heldMarkets(ctx, state).find((market) => views(market) === undefined);
    return bare === undefined ? null : `market ${bare} is held and has no price`;
  }

  /** Below zero if and only if in the queue, by exactly what is missing. */
  function noHiddenDeficit(ctx: ReadContext): string | null {
    const views = marketViews(ctx, markets);
    let fault: string | null = null;
    state.accounts.each(ctx, (id, account) => {
      const health = maintenanceHealth(account, views);
      if (health === null) {
        fault = "an account holds lots in a market without a price";
        return true;
      }
      const missing = health.equity < 0n ? -health.equity : 0n;
      const queued = state.deficits.get(ctx, id)?.shortfall ?? 0n;
      if (missing !== queued) fault = `an account misses ${missing}, the queue says ${queued}`;
      return fault !== null;
    });
    return fault;
  }

  /** Realised + unrealised profits of each market sum to 0, recomputed from every position at mark. */
  function profitsZeroSum(ctx: ReadContext): string | null {
    const views = marketViews(ctx, markets);
    const open = new Map<MarketId, bigint>();
    state.accounts.each(ctx, (_id, account) => {
      for (const position of account.positions) {
        const view = views(position.market);
        if (view === undefined || position.lots === 0n) continue;
        open.set(
          position.market,
          (open.get(position.market) ?? 0n) + positionValue(position, view),
        );
      }
    });
    return eachLedger((ledger) => {
      // Nobody holds it, or `markets-priced` says so.
      if (views(ledger.market) === undefined) return null;
      const sum = (open.get(ledger.market) ?? 0n) + ledger.realised;
      return sum === 0n ? null : `market ${ledger.market}: profits sum to ${sum}, not 0`;
    })(ctx);
  }

  return {
    running: {
      "vault-backed": vaultBacked,
      "positions-net-zero": eachLedger((ledger, settlementValue) =>
        settlementValue === undefined ? netPositionFault(ledger) : null,
      ),
      "market-solvency": eachLedger(solvencyFault),
      "shortfall-queue": shortfallQueue,
      "fees-held": feesHeld,
      "market-shortfalls": (ctx) => marketShortfallFault(ctx, state),
      "assets-backed": (ctx) => assetsBackedFault(ctx, state, bank),
      "inventory-at-cost": (ctx) => inventoryFault(ctx, state, insurance),
      "multipliers-bounded": (ctx) => volatilityFault(ctx, state.volatility),
    },
    full: {
      "ladder-records": (ctx) => ladderFault(ctx, state.ladder),
      endings: (ctx) => endingsFault(ctx, state.waterfall),
      "fund-advances": (ctx) => advancesFault(ctx, state),
      "settlement-sweep": (ctx) => sweepFault(ctx, state, markets),
      "totals-match-accounts": (ctx) => scanFault(ctx, state),
      "assets-held": (ctx) => assetsHeldFault(ctx, state),
      "owners-kept": (ctx) => ownersFault(ctx, state),
      "portfolio-accounts": (ctx) => portfolioFault(ctx, state),
      "custody-whole": (ctx) => custodyFault(ctx, state, ports.addresses),
      "shortfalls-laid": (ctx) => solvencyMatchesFault(ctx, state),
      "markets-priced": marketsPriced,
      "profits-zero-sum": profitsZeroSum,
      "no-hidden-deficit": noHiddenDeficit,
      "bounds-vouch": (ctx) => boundsFault(ctx, state, markets),
    },
  };
}
