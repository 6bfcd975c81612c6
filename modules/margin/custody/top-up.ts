/**
 * Before a sub-account is liquidated, idle collateral of its owner's others moves to it, as its rule says: free collateral only, in the order of the rule,
 * up to the day's cap. It moves when it keeps the account from liquidation, and else not at all: no money after a loss that it does not stop.
 */
import type { TopUpRule } from "@keel/proto/gen/keel/margin/v1/custody";
import { type AccountId, accountId, ownerOf } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Collateral } from "../collateral.ts";
import { evaluate, freeCollateral, isLiquidatable, maintenanceHealth } from "../health/health.ts";
import {
  holdsBack,
  type MarketViews,
  type ModelledMarkets,
  marketViews,
} from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { hasAdvance } from "../waterfall/advances.ts";
import { dayOf } from "./clock.ts";
import { emitTopUp, emitTopUpRefused, emitTopUpRule } from "./events.ts";
import { gatedMarket, hasLossToBear } from "./gates.ts";
import { spentToday } from "./guard.ts";

export interface TopUps {
  setRule(ctx: WriteContext, id: AccountId, rule: TopUpRule | undefined): void;
  /** Of an account under water. True: it is above its maintenance requirement now. */
  restore(ctx: WriteContext, id: AccountId): boolean;
}

interface Giver {
  readonly id: AccountId;
  readonly available: bigint;
  readonly amount: bigint;
}

export function createTopUps(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly collateral: Pick<Collateral, "transfer">;
  readonly name: (id: AccountId) => string;
}): TopUps {
  const { state, markets, collateral, name } = parts;
  const { custody } = state;

  /** What the account may give now: as it could transfer, less what its mode, a gate or its policy keeps. */
  function available(ctx: ReadContext, id: AccountId, views: MarketViews): bigint {
    const account = state.accounts.get(ctx, id);
    if (account === undefined || account.isolated) return 0n;
    if (gatedMarket(ctx, custody, id, account) !== null || hasLossToBear(ctx, state, id)) return 0n;
    const stopped = account.positions.some(
      ({ market }) => markets.terms(ctx, market)?.status === "quarantined",
    );
    const health = evaluate(account, views);
    // What its transfer would refuse, word for word: a refusal here would be a fault of the block's work.
    if (stopped || !health.fresh || holdsBack(account.positions, views)) return 0n;
    const free = freeCollateral(account, health);
    const policy = custody.policies.get(ctx, id);
    if (policy === undefined) return free;
    const left = BigInt(policy.topUpPerDay) - BigInt(spentToday(ctx, custody, id).topUps);
    return left <= 0n ? 0n : minimum(free, left);
  }

  /** In the order of the rule, until nothing more is wanted. */
  function givers(
    ctx: ReadContext,
    id: AccountId,
    { rule, views, wanted }: { rule: TopUpRule; views: MarketViews; wanted: bigint },
  ): Giver[] {
    const found: Giver[] = [];
    let missing = wanted;
    for (const number of rule.from) {
      if (missing <= 0n) break;
      const giver = accountId(ownerOf(id), number);
      const left = available(ctx, giver, views);
      const amount = minimum(missing, left);
      found.push({ id: giver, available: left, amount });
      missing -= amount;
    }
    return found;
  }

  function toppedUpToday(ctx: ReadContext, id: AccountId): bigint {
    const spent = custody.toppedUp.get(ctx, id);
    return spent !== undefined && spent.day === dayOf(ctx) ? BigInt(spent.amount) : 0n;
  }

  function give(ctx: WriteContext, from: AccountId, to: AccountId, amount: bigint): void {
    collateral.transfer(ctx, from, to, amount);
    if (!custody.policies.has(ctx, from)) return;
    const spent = spentToday(ctx, custody, from);
    custody.spent.set(ctx, from, { ...spent, topUps: `${BigInt(spent.topUps) + amount}` });
  }

  return {
    setRule(ctx, id, rule) {
      if (rule !== undefined) custody.topUps.set(ctx, id, rule);
      else if (custody.topUps.has(ctx, id)) custody.topUps.delete(ctx, id);
      emitTopUpRule(ctx, name(id), rule);
    },

    restore(ctx, id) {
      const rule = custody.topUps.size(ctx) === 0 ? undefined : custody.topUps.get(ctx, id);
      const account = state.accounts.get(ctx, id);
      if (rule === undefined || account === undefined) return false;
      const views = marketViews(ctx, markets);
      const health = maintenanceHealth(account, views);
      // What came now would go to the funds that have paid for it.
      if (health === null || hasAdvance(ctx, state.waterfall, id)) return false;
      const { equity, maintenance } = health;
      // Something earlier in the block has restored it.
      if (!isLiquidatable(health)) return true;
      const spent = toppedUpToday(ctx, id);
      const { targetPpm } = rule;
      const capLeft = BigInt(rule.capPerDay) - spent;
      const target = mulDivUp(maintenance, targetPpm, PPM) - equity;
      const found = givers(ctx, id, { rule, views, wanted: minimum(target, capLeft) });
      const asked = found.map((giver) => ({ from: name(giver.id), quanta: giver.available }));
      const terms = { equity, maintenance, targetPpm, capLeft, available: asked };
      const sum = found.reduce((total, { amount }) => total + amount, 0n);
      if (sum < maintenance - equity) {
        emitTopUpRefused(ctx, name(id), terms);
        return false;
      }
      atomically(ctx, (step) => {
        let moved = 0n;
        for (const { amount, id: giver } of found) {
          if (amount === 0n) continue;
          give(step, giver, id, amount);
          emitTopUp(step, terms, { account: name(id), from: name(giver), amount, moved });
          moved += amount;
        }
        custody.toppedUp.set(step, id, { day: dayOf(step), amount: `${spent + moved}` });
      });
      return true;
    },
  };
}
