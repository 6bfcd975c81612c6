/**
 * An account below zero of which the book takes no more: the funds pay, then the other side is deleveraged; what nobody can bear stands in the deficit
 * queue. Its ledger is measured, not reckoned: what the others lost is the difference of their equities.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { Claims } from "../claims.ts";
import { findPosition } from "../clearing/fill.ts";
import type { Conversion } from "../collateral-assets/conversion.ts";
import { contained } from "../contained.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable, marketViews } from "../health/market-view.ts";
import {
  COVERED_PER_BLOCK_MAX,
  DELEVERAGE_ROUNDS_MAX,
  DELEVERAGES_PER_BLOCK_MAX,
} from "../limits.ts";
import type { MarketId } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { forgetAdvance, hasAdvance, mayGain, returnAdvance } from "./advances.ts";
import {
  type Burden,
  blame,
  burdenOf,
  leaveLoss,
  leaveLosses,
  lossParts,
  ownBurden,
  type Short,
  shortfallFloor,
} from "./attribution.ts";
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

/** What one block may still do. Mutable: one per block. */
export interface BankruptcyBudget {
  readonly notional: bigint;
  deleverages: number;
  /** Something was closed, charged or paid in this block. */
  worked: boolean;
  /** For whom the funds and the other sides have done what they can in this block. */
  readonly tried: Set<AccountId>;
}

/** What the other side lost by it; `goesOn`: in the next block; `isSound`: no fault has kept a position. */
interface Borne {
  readonly lost: bigint;
  readonly goesOn: boolean;
  readonly isSound: boolean;
}

const NOTHING: Borne = { lost: 0n, goesOn: false, isSound: true };

/** Where losses end markets: what is only borne in part leaves its positions as they are, since who has closed them has left with the rest. */
class NotBorne extends Error {}

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

  function load(ctx: WriteContext, id: AccountId) {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "bankruptcy of an unknown account");
    const views = marketViews(ctx, markets);
    return { account, views, health: maintenanceHealth(account, views) };
  }

  /**
   * Closes these of its positions against the other side, as far as the block has room for it; returns what that side lost by it. `whole`: nothing is closed unless all that is
   * missing is borne by it, but for what is stuck; where that takes more than a block has room for, each who is closed has borne his part, and it goes on in the next (`goesOn`).
   */
  function deleverage(
    ctx: WriteContext,
    id: AccountId,
    burden: Burden,
    budget: BankruptcyBudget,
    whole: boolean,
  ): Borne | "refused" {
    const { markets: closing, stuck } = burden;
    let lost = 0n;
    let sound = true;
    let rounds = 0;
    // Who holds more markets than a block deleverages has one for itself.
    const more = whole && closing.length > budget.deleverages;
    const most = more ? closing.length : budget.deleverages;
    if (whole && !closing.every((market) => deleveraging.canBear(ctx, id, market, burden))) {
      budget.deleverages -= closing.length;
      return "refused";
    }
    const { views } = load(ctx, id);
    let unasked = false;
    // At one price, whoever is asked first.
    let even =
      whole && closing.every((market) => deleveraging.bearable(ctx, id, market, burden, views));
    const closeAll = (inner: WriteContext): void => {
      for (const market of closing) {
        if (rounds >= most || budget.notional <= 0n) {
          unasked = true;
          break;
        }
        // Undone and begun anew it would be no less work.
        const roundsMax = whole && !even ? DELEVERAGE_ROUNDS_MAX : roundsIn(most - rounds);
        rounds += 1;
        budget.worked = true;
        let part = 0n;
        const done = contained(inner, markets, market, (step) => {
          const result = deleveraging.deleverage(step, id, market, burden, roundsMax);
          part = result.lost;
          if (result.unasked) unasked = true;
          else if (result.lots === 0n) even = false;
          // A crowd on the other side is as much work as many deleveragings.
          if (result.rounds > 1) rounds += result.rounds - 1;
          assertMarketSound(step, state, market);
        });
        if (done) lost += part;
        else sound = false;
      }
      const ends = whole && sound && !(even && unasked);
      const equity = ends ? (load(inner, id).health?.equity ?? 0n) : 0n;
      if (equity < -stuck) throw new NotBorne();
    };
    try {
      atomically(ctx, closeAll);
    } catch (error) {
      if (!(error instanceof NotBorne)) throw error;
      return "refused";
    } finally {
      budget.deleverages -= rounds;
    }
    return { lost, goesOn: sound && even && unasked, isSound: sound };
  }

  /** Together; where that is refused, each market by itself bears what belongs to it, or keeps the position, and that part of the loss with it. */
  function bear(
    ctx: WriteContext,
    id: AccountId,
    burden: Burden,
    budget: BankruptcyBudget,
    whole: boolean,
  ): Borne {
    const together = deleverage(ctx, id, burden, budget, whole);
    if (together !== "refused") return together;
    const { length: most } = burden.markets;
    // What was refused is work, but shuts out nobody who can be borne apart.
    const lent = most > budget.deleverages ? most - budget.deleverages : 0;
    budget.deleverages += lent;
    let lost = 0n;
    let goesOn = false;
    for (const market of burden.markets) {
      const { account, health, views } = load(ctx, id);
      const open = burden.markets.filter((one) => (findPosition(account, one)?.lots ?? 0n) !== 0n);
      // The last one is asked for all that is left, in its next turn.
      if (open.length === 1 || health === null || health.equity >= 0n) break;
      // Crowds: the others in the next block.
      if (goesOn && isSpent(budget)) break;
      const own = ownBurden(ctx, state, { id, account, missing: -health.equity }, market, views);
      if (own.stuck === -health.equity) continue;
      // Beyond the band it would be asked for nothing, or undone.
      if (!deleveraging.bearable(ctx, id, market, own, views)) continue;
      // All the rounds that one may take: what is borne in part leaves more to those who are asked later.
      const more = budget.deleverages < DELEVERAGE_ROUNDS_MAX ? DELEVERAGE_ROUNDS_MAX : 0;
      budget.deleverages += more;
      const borne = deleverage(ctx, id, own, budget, true);
      budget.deleverages -= more;
      // What a fault has kept stays with its market, as what nobody bears.
      if (borne === "refused" || !borne.isSound) continue;
      lost += borne.lost;
      goesOn = true;
      if (!borne.goesOn) leaveLoss(ctx, state, id, market);
    }
    budget.deleverages -= lent;
    return { lost, goesOn, isSound: true };
  }

  /** Where losses end markets: what nobody bears of this one could. Then the account waits in the queue with its positions open. */
  function mayEnd(
    ctx: ReadContext,
    short: Short,
    closable: readonly MarketId[],
    views: MarketViews,
  ): boolean {
    if (state.params.require(ctx).marketSettlement === undefined) return false;
    const floor = shortfallFloor(ctx, state);
    const stays = (market: MarketId) =>
      findPosition(short.account, market)?.lots !== undefined && !closable.includes(market);
    const parts = lossParts(ctx, state, short, views);
    return parts.some(({ amount, market }) => amount >= floor && !stays(market));
  }

  /** There is room for all of it; who holds more markets than a block deleverages has one for itself. */
  function hasRoom(budget: BankruptcyBudget, closable: readonly MarketId[], whole: boolean) {
    if (isSpent(budget)) return false;
    if (!whole || closable.length <= budget.deleverages) return true;
    return budget.deleverages === DELEVERAGES_PER_BLOCK_MAX;
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
    const { views, health } = load(ctx, id);
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
    const { account } = load(ctx, id);
    const short = { id, account, missing: missing - paid };
    const closable = held.filter((market) => isClosable(views(market)));
    const { stuck } = burdenOf(ctx, state, short, views);
    const whole = waited && mayEnd(ctx, short, closable, views);
    const room = hasRoom(budget, closable, whole);
    const { goesOn, lost } = room
      ? bear(ctx, id, { markets: closable, stuck }, budget, whole)
      : NOTHING;
    if ((room && !goesOn) || closable.length === 0) budget.tried.add(id);
    ledger.add("deleveraging", lost);
    const residue = held.length > 0 ? keepResidue(ctx, id, views) : 0n;
    ledger.add("residue", -residue);
    const equity = load(ctx, id).health?.equity ?? 0n;
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
          const { account, views: now } = load(step, id);
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

function roundsIn(left: number): number {
  return left < DELEVERAGE_ROUNDS_MAX ? left : DELEVERAGE_ROUNDS_MAX;
}

function isSpent({ deleverages, notional }: BankruptcyBudget): boolean {
  return deleverages <= 0 || notional <= 0n;
}
