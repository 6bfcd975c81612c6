/** What a withdrawal policy keeps from happening: nothing leaves without approvals, and trading gives up no more against the mark than it allows in a day. */
import type { CustodySpent, MarketSolvency } from "@keel/proto/gen/keel/margin/v1/custody";
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import type { Collateral } from "../collateral.ts";
import type { AssetCustody } from "../collateral-assets/custody.ts";
import { type MarginCode, refuse } from "../errors.ts";
import { evaluate, holdsGains, noRiskier, positionValue } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { hasAdvance, owedToFunds } from "../waterfall/advances.ts";
import { dayOf } from "./clock.ts";
import { gainAtStake, gatedMarkets, requireUngated } from "./gates.ts";
import type { CustodyState } from "./state.ts";

export const POLICY_TEXT = "the sub-account stands under a withdrawal policy: it needs approvals";

/** Where nobody has a policy it costs nothing, in gas either. */
export function hasPolicy(ctx: ReadContext, custody: CustodyState, id: AccountId): boolean {
  return custody.policies.size(ctx) > 0 && custody.policies.has(ctx, id);
}

function requireNoPolicy(ctx: ReadContext, custody: CustodyState, id: AccountId): void {
  if (hasPolicy(ctx, custody, id)) throw refuse("policyRequired", POLICY_TEXT);
}

export function spentToday(ctx: ReadContext, custody: CustodyState, id: AccountId): CustodySpent {
  const day = dayOf(ctx);
  const spent = custody.spent.get(ctx, id);
  return spent !== undefined && spent.day === day ? spent : { day, tradingLoss: "0", topUps: "0" };
}

/** Collateral and positions at mark. A market without a price counts on neither side: nothing trades there. */
function worth({ collateral, positions }: Account, views: MarketViews): bigint {
  return positions.reduce((sum, position) => {
    const view = position.lots === 0n ? undefined : views(position.market);
    return view === undefined ? sum : sum + positionValue(position, view);
  }, collateral);
}

/** What the account is worth less at the same marks: the price against the mark, and every fee. Gains of other fills do not make up for it. */
function lossOf(before: Account, after: Account, views: MarketViews): bigint {
  const loss = worth(before, views) - worth(after, views);
  return loss > 0n ? loss : 0n;
}

/** Of one account: what fills, alone or together, make of it. */
export interface Traded {
  readonly id: AccountId;
  readonly before: Account;
  readonly after: Account;
}

/** Short markets whose gate holds the account, where what it gives up counts: none while withdrawals are closed for all. */
function backedBy(
  ctx: ReadContext,
  { custody, gate }: MarginState,
  { id, before }: Traded,
): readonly MarketSolvency[] {
  if (custody.solvency.size(ctx) === 0) return [];
  if ((gate.get(ctx)?.untilNs ?? 0n) > ctx.header.timeNs) return [];
  return [...gatedMarkets(ctx, custody, id, before)]
    .flatMap((market) => custody.solvency.get(ctx, market) ?? [])
    .filter(({ shortfall }) => shortfall !== "0");
}

/** Those held are worth what is missing afterwards, too. An account may stand behind several markets, so the one with most behind it must do for all. */
function canSpare(
  ctx: ReadContext,
  custody: CustodyState,
  backed: readonly MarketSolvency[],
  loss: bigint,
): boolean {
  let missing = 0n;
  let most = 0n;
  custody.solvency.each(ctx, (market, { backing, gatedUntilNs, shortfall }) => {
    if (gatedUntilNs <= ctx.header.timeNs) return;
    missing += BigInt(shortfall);
    const less = backed.some((one) => one.market === market) ? loss : 0n;
    most = maximum(most, BigInt(backing) - less);
  });
  return most >= missing;
}

/** It gives up against the mark what a loss of a stopped market may still take from it: nobody trades that away, least of all to himself. */
function tradesStakeAway(
  ctx: ReadContext,
  state: MarginState,
  { id, before, after }: Traded,
  views: MarketViews,
): boolean {
  if (state.waterfall.endings.size(ctx) === 0) return false;
  const stake = gainAtStake(ctx, state, { id, account: after }, views);
  return stake > 0n && worth(after, views) < stake && lossOf(before, after, views) > 0n;
}

/** What a loss of a stopped market may still take from it is no margin for more: what it wins with it were its own, or a friend's, and what it loses another market's. */
export function risksStake(
  ctx: ReadContext,
  state: MarginState,
  { id, before, after }: Traded,
  views: MarketViews,
): boolean {
  if (state.waterfall.endings.size(ctx) === 0) return false;
  // What health holds back for itself is in the requirement.
  const unheld = { id, account: after, except: holdsGains };
  const stake = gainAtStake(ctx, state, unheld, views);
  if (stake === 0n) return false;
  const health = evaluate(after, views);
  if (noRiskier(evaluate(before, views), health)) return false;
  return health.equity - stake < health.initial + after.feeReserve;
}

/** Null: the account's policy, if it has one, allows it, and the markets that it backs can spare it. */
export function lossFault(
  ctx: ReadContext,
  state: MarginState,
  traded: Traded,
  views: MarketViews,
): MarginCode | null {
  const { custody } = state;
  const { id, before, after } = traded;
  // What it holds is the funds' until they have back what they paid, and the liquidation's to close.
  if (hasAdvance(ctx, state.waterfall, id)) return "withdrawalsGated";
  if (tradesStakeAway(ctx, state, traded, views)) return "withdrawalsGated";
  if (risksStake(ctx, state, traded, views)) return "withdrawalsGated";
  const backed = backedBy(ctx, state, traded);
  if (backed.length > 0) {
    const loss = lossOf(before, after, views);
    if (loss > 0n && !canSpare(ctx, custody, backed, loss)) return "withdrawalsGated";
  }
  if (!hasPolicy(ctx, custody, id)) return null;
  const most = BigInt(custody.policies.get(ctx, id)?.tradingLossPerDay ?? "0");
  const spent = BigInt(spentToday(ctx, custody, id).tradingLoss);
  return spent + lossOf(before, after, views) > most ? "tradingLoss" : null;
}

/** Counts it, once it is certain to happen. */
export function keepLoss(
  ctx: WriteContext,
  state: MarginState,
  traded: Traded,
  views: MarketViews,
): void {
  const { custody } = state;
  const { id, before, after } = traded;
  const backed = backedBy(ctx, state, traded);
  const policed = hasPolicy(ctx, custody, id);
  if (backed.length === 0 && !policed) return;
  const loss = lossOf(before, after, views);
  if (loss === 0n) return;
  for (const one of backed) {
    const backing = maximum(BigInt(one.backing) - loss, 0n);
    custody.solvency.set(ctx, one.market, { ...one, backing: `${backing}` });
  }
  if (!policed) return;
  const spent = spentToday(ctx, custody, id);
  custody.spent.set(ctx, id, { ...spent, tradingLoss: `${BigInt(spent.tradingLoss) + loss}` });
}

/** Of everything that leaves a sub-account by its owner's own message. What is approved goes past the policy, but not past a gate. */
function requireLeave(ctx: ReadContext, state: MarginState, from: AccountId): void {
  requireNoPolicy(ctx, state.custody, from);
  requireUngated(ctx, state, from);
}

/** Of everything that is put into a sub-account from outside or from another one: the funds that have paid for it would take it. */
export function requireOwesNothing(
  ctx: ReadContext,
  { waterfall }: MarginState,
  to: AccountId,
): void {
  const owed = owedToFunds(ctx, waterfall, to);
  if (owed === 0n) return;
  throw refuse(
    "owesFunds",
    `insurance funds have paid for this sub-account and are owed ${owed}: they would take what is put in; use another sub-account`,
  );
}

/** The ways into and out of a sub-account for collateral assets. */
export function guardedUnits(state: MarginState, units: AssetCustody): AssetCustody {
  return {
    ...units,
    deposit(ctx, to, denom, amount) {
      requireOwesNothing(ctx, state, to);
      return units.deposit(ctx, to, denom, amount);
    },
    withdraw(ctx, from, denom, amount) {
      requireLeave(ctx, state, from);
      return units.withdraw(ctx, from, denom, amount);
    },
    transfer(ctx, from, to, asset) {
      requireLeave(ctx, state, from);
      requireOwesNothing(ctx, state, to);
      units.transfer(ctx, from, to, asset);
    },
  };
}

/** The ways into and out of a sub-account. */
export function guardedCollateral(state: MarginState, collateral: Collateral): Collateral {
  return {
    ...collateral,
    deposit(ctx, sender, to, amount) {
      requireOwesNothing(ctx, state, to);
      return collateral.deposit(ctx, sender, to, amount);
    },
    withdraw(ctx, from, amount) {
      requireLeave(ctx, state, from);
      return collateral.withdraw(ctx, from, amount);
    },
    transfer(ctx, from, to, amount) {
      requireLeave(ctx, state, from);
      requireOwesNothing(ctx, state, to);
      collateral.transfer(ctx, from, to, amount);
    },
  };
}
