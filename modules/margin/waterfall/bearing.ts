/**
 * What the other sides bear of a bankrupt account's loss, and what a block has room for. Without losses that end markets, what they can and the rest at mark; with them all of
 * it or nothing, in all of its markets together, or in each by itself where that is refused.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import type { Account } from "../account-codec.ts";
import { holds } from "../clearing/fill.ts";
import { contained } from "../contained.ts";
import { maintenanceHealth } from "../health/health.ts";
import { type MarketViews, type ModelledMarkets, marketViews } from "../health/market-view.ts";
import { DELEVERAGE_ROUNDS_MAX, DELEVERAGES_PER_BLOCK_MAX } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import {
  type Burden,
  isBegun,
  leaveLoss,
  noteBorne,
  ownBurden,
  type Short,
} from "./attribution.ts";
import type { Deleveraging } from "./deleverage.ts";

/** What one block may still do. Mutable: one per block. */
export interface BankruptcyBudget {
  readonly notional: bigint;
  /** Turns: deleveragings, market by market, each round more counting as another. */
  deleverages: number;
  /** Something was closed, charged or paid in this block. */
  worked: boolean;
  /** For whom the funds and the other sides have done what they can in this block. */
  readonly tried: Set<AccountId>;
}

/** What the other side lost by it; `goesOn`: in the next block; `isSound`: no fault has kept a position. */
export interface Borne {
  readonly lost: bigint;
  readonly goesOn: boolean;
  readonly isSound: boolean;
}

/** An account as it stands; health is null where a price is missing. */
export interface Loaded {
  readonly account: Account;
  readonly views: MarketViews;
  readonly health: ReturnType<typeof maintenanceHealth>;
}

export function load(
  ctx: ReadContext,
  { markets, state }: { readonly state: MarginState; readonly markets: ModelledMarkets },
  id: AccountId,
): Loaded {
  const account = state.accounts.get(ctx, id);
  assert(account !== undefined, "bankruptcy of an unknown account");
  const views = marketViews(ctx, markets);
  return { account, views, health: maintenanceHealth(account, views) };
}

export const NOTHING: Borne = { lost: 0n, goesOn: false, isSound: true };

export interface Bearing {
  /**
   * Closes the burden's positions against the other sides, as far as the block has room for it. `whole`: nothing of a market is closed unless all that belongs to it is borne, by all
   * markets together, or, where that is refused, by each for itself; one that does not bear its part keeps the position, and that part of the loss with it.
   */
  bear(
    ctx: WriteContext,
    id: AccountId,
    burden: Burden,
    budget: BankruptcyBudget,
    whole: boolean,
  ): Borne;
}

/** Where losses end markets: what is only borne in part leaves its positions as they are, since who has closed them has left with the rest. */
class NotBorne extends Error {}

/** There is room for all of it; who holds more markets than a block deleverages has one for itself. */
export function hasRoom(
  budget: BankruptcyBudget,
  closable: readonly MarketId[],
  whole: boolean,
): boolean {
  if (isSpent(budget)) return false;
  if (!whole || closable.length <= budget.deleverages) return true;
  return budget.deleverages === DELEVERAGES_PER_BLOCK_MAX;
}

function isSpent({ deleverages, notional }: BankruptcyBudget): boolean {
  return deleverages <= 0 || notional <= 0n;
}

/** The work finds at least so many turns: what the block has not is lent to it, and comes off again. */
function withTurns<T>(budget: BankruptcyBudget, least: number, work: () => T): T {
  const lent = budget.deleverages < least ? least - budget.deleverages : 0;
  budget.deleverages += lent;
  try {
    return work();
  } finally {
    budget.deleverages -= lent;
  }
}

export function createBearing(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly deleveraging: Deleveraging;
}): Bearing {
  const { state, markets, deleveraging } = parts;

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
    const { views } = load(ctx, parts, id);
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
      const equity = ends ? (load(inner, parts, id).health?.equity ?? 0n) : 0n;
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

  /** Null: the market keeps its position, and what belongs to it of the loss. */
  function bearOwn(
    ctx: WriteContext,
    short: Short,
    market: MarketId,
    views: MarketViews,
    budget: BankruptcyBudget,
  ): Borne | null {
    const { id } = short;
    const own = ownBurden(ctx, state, short, market, views);
    const { missing } = short;
    // Nothing belongs to it, or it has borne all of its part before its last lots were closed: these are, at mark.
    if (own.stuck === missing && !isBegun(ctx, state, id, market)) return null;
    // Beyond the band it would be asked for nothing, or undone.
    if (!deleveraging.bearable(ctx, id, market, own, views)) return null;
    // All the rounds that one may take: what is borne in part leaves more to those who are asked later.
    const borne = withTurns(budget, DELEVERAGE_ROUNDS_MAX, () =>
      deleverage(ctx, id, own, budget, true),
    );
    // What a fault has kept stays with its market, as what nobody bears.
    if (borne === "refused" || !borne.isSound) return null;
    if (!borne.goesOn) leaveLoss(ctx, state, id, market);
    else noteBorne(ctx, state, id, { ...own, missing, lost: borne.lost, alone: true }, views);
    return borne;
  }

  /** Each market by itself bears what belongs to it. */
  function bearApart(
    ctx: WriteContext,
    id: AccountId,
    closing: readonly MarketId[],
    budget: BankruptcyBudget,
  ): Borne {
    let lost = 0n;
    let goesOn = false;
    for (const market of closing) {
      const { account, health, views } = load(ctx, parts, id);
      // The last one is asked for all that is left, in its next turn.
      if (closing.filter((one) => holds(account, one)).length === 1) break;
      if (health === null || health.equity >= 0n) break;
      // Crowds: the others in the next block.
      if (goesOn && isSpent(budget)) break;
      const borne = bearOwn(ctx, { id, account, missing: -health.equity }, market, views, budget);
      if (borne === null) continue;
      lost += borne.lost;
      goesOn = true;
    }
    return { lost, goesOn, isSound: true };
  }

  return {
    bear(ctx, id, burden, budget, whole) {
      const { health, views } = load(ctx, parts, id);
      const together = deleverage(ctx, id, burden, budget, whole);
      if (together !== "refused") {
        const { goesOn, lost } = together;
        const missing = -(health?.equity ?? 0n);
        if (goesOn) noteBorne(ctx, state, id, { ...burden, missing, lost, alone: false }, views);
        return together;
      }
      const { markets: closing } = burden;
      // What was refused is work, but shuts out nobody who can be borne apart.
      return withTurns(budget, closing.length, () => bearApart(ctx, id, closing, budget));
    },
  };
}

function roundsIn(left: number): number {
  return left < DELEVERAGE_ROUNDS_MAX ? left : DELEVERAGE_ROUNDS_MAX;
}
