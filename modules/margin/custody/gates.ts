/** Markets that are short: nothing leaves the accounts that hold one, nor those that left it meanwhile. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { refuse } from "../errors.ts";
import { positionValue } from "../health/health.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { hasAdvance } from "../waterfall/advances.ts";
import type { CustodyState } from "./state.ts";

/** Shortfalls are laid to markets. */
export function segregated(ctx: ReadContext, state: MarginState): boolean {
  return state.params.require(ctx).marketGates;
}

export function isGated(ctx: ReadContext, custody: CustodyState, market: MarketId): boolean {
  return (custody.solvency.get(ctx, market)?.gatedUntilNs ?? 0n) > ctx.header.timeNs;
}

/** The first gated market that keeps the account's money in. Where none ever was short it costs nothing. */
export function gatedMarket(
  ctx: ReadContext,
  custody: CustodyState,
  id: AccountId,
  account: Account,
): MarketId | null {
  if (custody.solvency.size(ctx) === 0) return null;
  for (const { lots, market } of account.positions) {
    if (lots !== 0n && isGated(ctx, custody, market)) return market;
  }
  let left: MarketId | null = null;
  if (custody.exits.size(ctx) === 0) return null;
  custody.exits.eachWithPrefix(ctx, id, ([, market]) => {
    if (isGated(ctx, custody, market)) left = market;
    return left !== null;
  });
  return left;
}

/** All of them. */
export function gatedMarkets(
  ctx: ReadContext,
  custody: CustodyState,
  id: AccountId,
  account: Account,
): ReadonlySet<MarketId> {
  const found = new Set<MarketId>();
  for (const { lots, market } of account.positions) {
    if (lots !== 0n && isGated(ctx, custody, market)) found.add(market);
  }
  if (custody.exits.size(ctx) === 0) return found;
  custody.exits.eachWithPrefix(ctx, id, ([, market]) => {
    if (isGated(ctx, custody, market)) found.add(market);
  });
  return found;
}

export function gatedText(ctx: ReadContext, custody: CustodyState, market: MarketId): string {
  const known = custody.solvency.get(ctx, market);
  return `market ${market} is short of ${known?.shortfall ?? "0"}: what its accounts hold stays until ${known?.gatedUntilNs ?? 0n} ns`;
}

/** A loss has stopped or ended a market of the account: what it has gained there stays until it is known what it bears. Or funds have paid for it, and get back what it gains. */
export function hasLossToBear(
  ctx: ReadContext,
  { accounts, waterfall }: MarginState,
  id: AccountId,
): boolean {
  const { endings, shares } = waterfall;
  if (hasAdvance(ctx, waterfall, id)) return true;
  if (endings.size(ctx) === 0) return false;
  if (shares.has(ctx, id)) return true;
  const held = accounts.get(ctx, id)?.positions ?? [];
  return held.some(({ lots, market }) => lots !== 0n && endings.has(ctx, market));
}

/** What of its worth a loss may still take: open gains in markets that it has stopped or ended, and those that were settled. */
export function gainAtStake(
  ctx: ReadContext,
  { waterfall }: MarginState,
  {
    id,
    account,
    except,
  }: {
    readonly id: AccountId;
    readonly account: Account;
    readonly except?: (view: MarketView) => boolean;
  },
  views: MarketViews,
): bigint {
  const { endings, shares } = waterfall;
  if (endings.size(ctx) === 0) return 0n;
  let gain = BigInt(shares.get(ctx, id)?.gain ?? "0");
  for (const position of account.positions) {
    const view = position.lots === 0n ? undefined : views(position.market);
    if (view === undefined || !endings.has(ctx, position.market)) continue;
    if (except?.(view) === true) continue;
    gain += maximum(positionValue(position, view), 0n);
  }
  return gain;
}

export const LOSS_TO_BEAR_TEXT =
  "a loss of the account, or of a market that it held, is still to be borne";

export function requireUngated(ctx: ReadContext, state: MarginState, id: AccountId): void {
  if (hasLossToBear(ctx, state, id)) throw refuse("withdrawalsGated", LOSS_TO_BEAR_TEXT);
  if (state.custody.solvency.size(ctx) === 0) return;
  const account = state.accounts.get(ctx, id);
  const market = account === undefined ? null : gatedMarket(ctx, state.custody, id, account);
  if (market !== null) throw refuse("withdrawalsGated", gatedText(ctx, state.custody, market));
}

/**
 * The account has no lots in the market any more. Closing a position must not open the door; nor must being deleveraged, which comes before the gate.
 */
export function noteExit(
  ctx: WriteContext,
  state: MarginState,
  { id, market, forced }: { readonly id: AccountId; readonly market: MarketId; forced?: boolean },
): void {
  const { custody } = state;
  const noted =
    forced === true
      ? segregated(ctx, state)
      : custody.solvency.size(ctx) > 0 && isGated(ctx, custody, market);
  if (noted) custody.exits.set(ctx, [id, market], true);
}
