/**
 * An account below zero of which the book takes no more: the funds pay, then the other side is deleveraged; what nobody can bear stands in the deficit
 * queue. Its ledger is measured, not reckoned: what the others lost is the difference of their equities.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { Claims } from "../claims.ts";
import { holds } from "../clearing/fill.ts";
import type { Conversion } from "../collateral-assets/conversion.ts";
import { contained } from "../contained.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable } from "../health/market-view.ts";
import { COVERED_PER_BLOCK_MAX } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { forgetAdvance, hasAdvance, mayGain, returnAdvance } from "./advances.ts";
import {
  blame,
  burdenOf,
  leaveLosses,
  lossParts,
  type Short,
  shortfallFloor,
} from "./attribution.ts";
import { type BankruptcyBudget, createBearing, hasRoom, load, NOTHING } from "./bearing.ts";
import type { Deleveraging } from "./deleverage.ts";
import { type Losses, LossLedger } from "./losses.ts";
import type { Origin } from "./origins.ts";

interface Covered {
  readonly id: AccountId;
  readonly market: MarketId;
}

export interface Bankruptcies {
  /**
   * The funds pay, then what can be closed of `held`, its markets in the order they are closed, is deleveraged. The rest stays open, and so does what the block has no room
   * for: the account comes again in the next one. Nothing is done with an account that is not below zero, or at zero by what funds have paid.
   */
  resolve(
    ctx: WriteContext,
    id: AccountId,
    held: readonly MarketId[],
    origin: Origin,
    budget: BankruptcyBudget,
  ): void;
  /**
   * Of accounts that liquidation has nothing to do with, the most urgent first: `stranded` below zero with nothing that can be closed, which funds pay for; `owing` paid for by
   * funds and not short of any requirement, as many as a block liquidates, since these are closed.
   */
  cover(
    ctx: WriteContext,
    found: { readonly stranded: readonly Covered[]; readonly owing: readonly Covered[] },
    views: MarketViews,
    budget: BankruptcyBudget,
  ): void;
}

export function createBankruptcies(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly losses: Losses;
  readonly deleveraging: Deleveraging;
  readonly conversion: Conversion;
  readonly name: (id: AccountId) => string;
}): Bankruptcies {
  const { state, markets, claims, losses, deleveraging, conversion } = parts;
  const advances = { state, name: parts.name, giveBack: claims.giveBack };

  const bearing = createBearing({ state, markets, deleveraging });

  /** Where losses end markets: what nobody bears of this one could. Then the account waits in the queue with its positions open. */
  function mayEnd(
    ctx: ReadContext,
    short: Short,
    closable: readonly MarketId[],
    views: MarketViews,
  ): boolean {
    if (state.params.require(ctx).marketSettlement === undefined) return false;
    const floor = shortfallFloor(ctx, state);
    const stays = (market: MarketId) => holds(short.account, market) && !closable.includes(market);
    const parts = lossParts(ctx, state, short, views);
    return parts.some(({ amount, market }) => amount >= floor && !stays(market));
  }

  /**
   * Above zero what is left of a flat account is what rounding to whole ticks took from the other side beyond the deficit: the funds', first of those that
   * have paid for it. Returns it.
   */
  function keepResidue(ctx: WriteContext, id: AccountId, views: MarketViews): bigint {
    const account = state.accounts.get(ctx, id);
    if (account === undefined || mayGain(account, views)) return 0n;
    const residue = maximum(account.collateral, 0n);
    const returned = returnAdvance(ctx, advances, id, residue);
    forgetAdvance(ctx, advances, id);
    claims.pay(ctx, id, residue - returned, "residue");
    return residue;
  }

  function resolve(
    ctx: WriteContext,
    id: AccountId,
    held: readonly MarketId[],
    origin: Origin,
    budget: BankruptcyBudget,
  ): void {
    const { views, health } = load(ctx, parts, id);
    if (health === null || health.equity > 0n) return;
    if (health.equity === 0n && !hasAdvance(ctx, state.waterfall, id)) return;
    // Its own assets before anyone else's money; equity stands.
    conversion.convertAll(ctx, id, views);
    const missing = -health.equity;
    // What an account in the queue misses is no new loss.
    const waited = state.deficits.has(ctx, id);
    const ledger = new LossLedger(waited ? "queue" : "defaulter", missing, origin);
    const paid = losses.pay(ctx, id, ledger);
    if (paid > 0n) budget.worked = true;
    const { account } = load(ctx, parts, id);
    const short = { id, account, missing: missing - paid };
    const closable = held.filter((market) => isClosable(views(market)));
    const { stuck } = burdenOf(ctx, state, short, views);
    const whole = waited && mayEnd(ctx, short, closable, views);
    const room = hasRoom(budget, closable, whole);
    const { goesOn, lost } = room
      ? bearing.bear(ctx, id, { markets: closable, stuck }, budget, whole)
      : NOTHING;
    if ((room && !goesOn) || closable.length === 0) budget.tried.add(id);
    ledger.add("deleveraging", lost);
    const residue = held.length > 0 ? keepResidue(ctx, id, views) : 0n;
    ledger.add("residue", -residue);
    const equity = load(ctx, parts, id).health?.equity ?? 0n;
    if (equity < 0n && -equity <= stuck) leaveLosses(ctx, state, id);
    // Above zero only when a fault has kept a position.
    ledger.add(equity < 0n ? "queue" : "kept", -equity);
    if (ledger.lines.length === 0) return;
    losses.close(ctx, id, ledger, "liquidation");
  }

  return {
    resolve,
    cover(ctx, { owing, stranded }, views, budget) {
      const { height } = ctx.header;
      const { liquidationsPerBlockMax: most } = state.params.require(ctx);
      const turns = [
        ...inTurn(stranded, COVERED_PER_BLOCK_MAX, height),
        ...inTurn(owing, most, height),
      ];
      for (const { id, market } of turns) {
        contained(ctx, markets, market, (step) => {
          blame(step, state, id, views);
          const { account, views: now } = load(step, parts, id);
          const held = account.positions.filter(({ lots }) => lots !== 0n);
          const origin = losses.origin(step, id, account, now);
          resolve(
            step,
            id,
            held.map((position) => position.market),
            origin,
            budget,
          );
        });
      }
    },
  };
}

/** Where there are more, all have their turn. */
function inTurn<T>(all: readonly T[], most: number, height: number): readonly T[] {
  if (all.length <= most) return all;
  const from = (height * most) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, most);
}
