/**
 * The last rung above zero: of whom neither book, bidders nor backstop took what had to go during the wait, the other side closes it, by the rank of
 * deleveraging and at the worst price that everybody else was offered. Nobody's money but the account's own is in that price, so the other side
 * loses nothing but its position.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { divFloor, maximum, mulDivUp } from "../../kit/math/mul-div.ts";
import { contained } from "../contained.ts";
import { isClosable, type ModelledMarkets, marketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import type { Deleveraging } from "../waterfall/deleverage.ts";
import type { Clip, Closing, LiquidationBudget } from "./closing.ts";
import { waitMs } from "./unfilled.ts";

export interface OtherSide {
  /** `held`: its markets, in the order they are closed. */
  run(
    ctx: WriteContext,
    id: AccountId,
    held: readonly MarketId[],
    waitedNs: bigint,
    budget: LiquidationBudget,
  ): void;
}

export function createOtherSide(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly closing: Closing;
  readonly deleveraging: Deleveraging;
}): OtherSide {
  const { closing, deleveraging, markets, state } = parts;

  /** Lots that may be closed, rounded up: of a portfolio whatever releases most, since a slice asks the book for one leg at a time. */
  function leftOf(id: AccountId, clip: Clip, { asked, throttle }: LiquidationBudget): bigint {
    if (clip.account.portfolio && asked.isLeft(id)) return clip.lots;
    const { left, of } = asked.untaken(id, clip);
    const untaken = mulDivUp(clip.lots, left, of);
    if (throttle === null) return untaken;
    // A throttle keeps for the book what the book has. Who fills the little that it lets into an empty one keeps nothing else.
    const { notionalPerLot, terms } = clip.view;
    const depth = divFloor(throttle.depth(terms.id, clip.side), notionalPerLot);
    return maximum(untaken, clip.lots - depth);
  }

  function closeOne(
    ctx: WriteContext,
    id: AccountId,
    market: MarketId,
    waitedNs: bigint,
    budget: LiquidationBudget,
  ): void {
    const clip = closing.clip(ctx, id, market, budget);
    if (clip === null || clip.health.equity < 0n) return;
    const wanted = leftOf(id, clip, budget);
    if (wanted === 0n) return;
    budget.deleverages -= 1;
    const wait = { waitedNs, waitMs: waitMs(state.params.require(ctx)) };
    const offer = { lots: wanted, distance: clip.distance, wait };
    const { lots, rounds } = deleveraging.relieve(ctx, id, market, offer);
    if (rounds > 1) budget.deleverages -= rounds - 1;
    if (lots === 0n) return;
    budget.notional -= lots * clip.view.notionalPerLot;
    budget.worked = true;
    budget.closed.add(id);
    closing.settle(ctx, id, clip, { lots, source: "other_side" });
    assertMarketSound(ctx, state, market);
  }

  return {
    run(ctx, id, held, waitedNs, budget) {
      if (waitedNs < waitMs(state.params.require(ctx)) * 1_000_000n) return;
      const views = marketViews(ctx, markets);
      for (const market of held) {
        if (budget.deleverages <= 0) return;
        if (!isClosable(views(market))) continue;
        contained(ctx, markets, market, (step) => closeOne(step, id, market, waitedNs, budget));
      }
    },
  };
}
