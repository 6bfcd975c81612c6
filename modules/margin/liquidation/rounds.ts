/**
 * A block's liquidations. Without a ladder each account is closed from beginning to end, one after the other. With one, who is due is known
 * first; then all orders are cancelled, the books' flow is shared out, everyone is closed at the book, what is left is auctioned, and what is left then goes
 * to the backstop, insurance and the other side.
 */
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { contained } from "../contained.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketViews, ModelledMarkets } from "../health/market-view.ts";
import { isClosable } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { Auction } from "./auction.ts";
import type { Bids } from "./bids.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import { emitDue } from "./events.ts";
import { dueReason } from "./ladder-math.ts";
import type { Liquidation } from "./liquidation.ts";
import type { Measures } from "./measures.ts";
import { type Closer, createThrottle } from "./throttle.ts";
import type { Unfilled } from "./unfilled.ts";

/** An account short of margin at the marks. */
export interface Sick {
  readonly id: AccountId;
  readonly equity: bigint;
  readonly maintenance: bigint;
  /** The market blamed when the account's step fails outside any market's own step. */
  readonly market: MarketId;
}

export interface Rounds {
  /** `sick` in order of urgency; what is remembered of others is forgotten. */
  run(
    ctx: WriteContext,
    sick: readonly Sick[],
    views: MarketViews,
    budget: LiquidationBudget,
  ): void;
}

export interface RoundsParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly measures: Measures;
  readonly closing: Closing;
  readonly liquidation: Liquidation;
  readonly auction: Auction;
  readonly bids: Bids;
  readonly unfilled: Unfilled;
  readonly name: (id: AccountId) => string;
  /** Before anything is closed of an account. True: it has been helped otherwise. */
  readonly spared: (ctx: WriteContext, id: AccountId, views: MarketViews) => boolean;
}

/**
 * Whose turn it is where there are more than a block may work on: the most urgent, and a quarter from among the others, by height. Where nobody takes anything of the most
 * urgent at a price they can pay, they would keep everybody else waiting until these have nothing left, either.
 */
function turnsOf<T>(due: readonly T[], most: number, height: number): readonly T[] {
  if (due.length <= most) return due;
  const round = most >> 2;
  const urgent = due.slice(0, most - round);
  const others = due.slice(most - round);
  const from = (height * round) % others.length;
  return [...urgent, ...[...others.slice(from), ...others.slice(0, from)].slice(0, round)];
}

function among(accounts: readonly Sick[]): (id: AccountId) => boolean {
  const ids = new Set(accounts.map(({ id }) => id));
  return (id) => ids.has(id);
}

export function createRounds(parts: RoundsParts): Rounds {
  const { auction, bids, closing, liquidation, markets, measures, name, state } = parts;
  const { spared, unfilled } = parts;

  /** The second key: a filter on whom the marks have found. */
  function dueOf(
    ctx: WriteContext,
    sick: readonly Sick[],
    views: MarketViews,
    terms: LadderTerms,
  ): { readonly due: Sick[]; readonly report: (one: Sick) => void } {
    const averages = measures.averages(ctx, views);
    const judge = (one: Sick) => {
      const account = averages === null ? undefined : state.accounts.get(ctx, one.id);
      const average =
        averages === null || account === undefined ? null : maintenanceHealth(account, averages);
      return { average, reason: dueReason(one, average, terms.fastLanePpm) };
    };
    return {
      due: sick.filter((one) => judge(one).reason !== null),
      report(one) {
        const { average, reason } = judge(one);
        if (reason === null) return;
        emitDue(ctx, { account: name(one.id), reason, marks: one, averages: average });
      },
    };
  }

  /** What the account would close, of each position alone. Of a portfolio any part of it may be in the best slice. */
  function closerOf(ctx: WriteContext, one: Sick, budget: LiquidationBudget): Closer {
    const { account, views } = closing.load(ctx, one.id);
    const wanted: { market: MarketId; lots: bigint }[] = [];
    for (const { lots, market } of account.positions) {
      if (lots === 0n || !isClosable(views(market))) continue;
      if (account.portfolio) {
        wanted.push({ market, lots });
        continue;
      }
      const clip = closing.clip(ctx, one.id, market, budget);
      if (clip !== null) wanted.push({ market, lots: lots > 0n ? clip.lots : -clip.lots });
    }
    return { ...one, wanted };
  }

  function climb(
    ctx: WriteContext,
    due: readonly Sick[],
    views: MarketViews,
    budget: LiquidationBudget,
    terms: LadderTerms,
  ): void {
    for (const { id, market } of due)
      contained(ctx, markets, market, (step) => liquidation.cancelOrders(step, id));
    const closers: Closer[] = [];
    for (const one of due)
      contained(ctx, markets, one.market, (step) => {
        closers.push(closerOf(step, one, budget));
      });
    budget.throttle = createThrottle(ctx, { state, markets, measures }, terms, closers, views);
    const left: Sick[] = [];
    for (const one of due) {
      contained(ctx, markets, one.market, (step) => {
        if (liquidation.close(step, one.id, budget)) left.push(one);
      });
    }
    auction.run(
      ctx,
      left.map(({ id }) => id),
      budget,
    );
    for (const { id, market } of left)
      contained(ctx, markets, market, (step) => liquidation.finish(step, id, budget));
  }

  return {
    run(ctx, sick, views, budget) {
      const { ladder, liquidationsPerBlockMax } = state.params.require(ctx);
      bids.prune(ctx);
      if (ladder === undefined) {
        for (const { id, market } of turnsOf(sick, liquidationsPerBlockMax, ctx.header.height)) {
          contained(ctx, markets, market, (step) => {
            if (!spared(step, id, views)) liquidation.liquidate(step, id, budget);
          });
        }
        auction.forget(ctx, () => false);
        unfilled.forget(ctx, among(sick));
        return;
      }
      const { due, report } = dueOf(ctx, sick, views, ladder);
      const turns = turnsOf(due, liquidationsPerBlockMax, ctx.header.height);
      const now = turns.filter(({ id, market }) => {
        let helped = false;
        contained(ctx, markets, market, (step) => {
          helped = spared(step, id, views);
        });
        return !helped;
      });
      for (const one of now) report(one);
      if (now.length > 0) climb(ctx, now, views, budget, ladder);
      auction.forget(ctx, among(due));
      unfilled.forget(ctx, among(due));
    },
  };
}
