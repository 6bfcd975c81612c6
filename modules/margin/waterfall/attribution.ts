/**
 * Where a loss belongs: to the markets in which the account stood below zero at mark when it was found under water, in proportion to what it had lost in each,
 * whatever others had gained; when it stood below zero in none (its loss lies behind it), to those it held, by what they require. One rule for everything that asks:
 * who is gated (by market), which funds pay (by class of market), which market is settled. What stays open remembers it.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { maximum, mulDivDown } from "../../kit/math/mul-div.ts";
import { type Account, EMPTY_ACCOUNT } from "../account-codec.ts";
import { findPosition, holds } from "../clearing/fill.ts";
import { UNATTRIBUTED } from "../custody/limits.ts";
import { positionValue } from "../health/health.ts";
import { isClosable, type MarketViews } from "../health/market-view.ts";
import { positionMaintenance } from "../health/position-requirement.ts";
import { SETTLEMENT_FLOOR_MIN } from "../limits.ts";
import { lotsElsewhere } from "../owners/elsewhere.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";

export interface Loss {
  readonly market: MarketId;
  readonly amount: bigint;
}

/** As it is remembered. */
interface KnownLoss extends Loss {
  /** Of the position's loss, what does not count in the amount, since it was borne; null: nothing was. */
  readonly borne: bigint | null;
}

/** Below zero by `missing`. */
export interface Short {
  readonly id: AccountId;
  readonly account: Account;
  readonly missing: bigint;
}

/** What of an account is closed at once. */
export interface Burden {
  /** Its other positions stay. */
  readonly markets: readonly MarketId[];
  /** Of what it misses, what stays with them. */
  readonly stuck: bigint;
}

/** Somebody asks where losses belong: gates by market, funds by class, or markets that end by a loss. */
export function attributes(ctx: ReadContext, state: MarginState): boolean {
  const { marketGates, marketSettlement } = state.params.require(ctx);
  if (marketGates || marketSettlement !== undefined) return true;
  return (state.waterfall.params.get(ctx)?.feeds.length ?? 0) > 0;
}

function sumOf(losses: readonly Loss[]): bigint {
  return losses.reduce((sum, { amount }) => sum + amount, 0n);
}

/** `total` in proportion to the losses, rounded down along the list so that the parts sum to it exactly. */
export function splitByMarket(total: bigint, losses: readonly Loss[]): Loss[] {
  const sum = sumOf(losses);
  if (sum <= 0n) return [{ market: UNATTRIBUTED, amount: total }];
  let passed = 0n;
  return losses.map(({ market, amount }) => {
    const before = mulDivDown(total, passed, sum);
    passed += amount;
    return { market, amount: mulDivDown(total, passed, sum) - before };
  });
}

/**
 * What is remembered, where positions were left open as they stand now: these go on losing, and others begin to. A position keeps all of its loss until it is
 * closed whole, but for what was borne of it, and what was closed is known as it was. Null: nothing new is to be said.
 */
function restated(
  known: readonly KnownLoss[],
  account: Account,
  views: MarketViews,
): KnownLoss[] | null {
  const now = new Map<MarketId, KnownLoss>();
  for (const position of account.positions) {
    const view = views(position.market);
    if (position.lots === 0n || view === undefined) continue;
    const { market } = position;
    const borne = known.find((one) => one.market === market)?.borne ?? null;
    const loss = -positionValue(position, view) - (borne ?? 0n);
    now.set(market, { market, amount: maximum(loss, 0n), borne });
  }
  if (now.size === 0) return null;
  for (const loss of known) if (!now.has(loss.market)) now.set(loss.market, loss);
  const losses = [...now.values()];
  const isNew = losses.some(
    ({ amount, market }) => amount !== (known.find((one) => one.market === market)?.amount ?? 0n),
  );
  const some = losses.some(({ amount }) => amount > 0n);
  return some && isNew ? losses.sort((a, b) => a.market - b.market) : null;
}

/** Where the account stands to lose: its positions below zero at mark; without any, what it must hold for each. */
export function standing(account: Account | undefined, views: MarketViews): Loss[] {
  const losses: Loss[] = [];
  const held: Loss[] = [];
  const known = account ?? EMPTY_ACCOUNT;
  for (const position of known.positions) {
    const view = views(position.market);
    if (position.lots === 0n || view === undefined) continue;
    const value = positionValue(position, view);
    if (value < 0n) losses.push({ market: position.market, amount: -value });
    const elsewhere = lotsElsewhere(known, position.market);
    held.push({ market: position.market, amount: positionMaintenance(position, view, elsewhere) });
  }
  return losses.length > 0 ? losses : held;
}

/** All that can be closed; what belongs to the rest stays with it, and nobody in another market bears it. */
export function burdenOf(
  ctx: ReadContext,
  state: MarginState,
  asked: Short,
  views: MarketViews,
): Burden {
  const { account, missing } = asked;
  const held = account.positions.filter(({ lots }) => lots !== 0n).map(({ market }) => market);
  const markets = held.filter((market) => isClosable(views(market)));
  if (missing <= 0n || markets.length === held.length) return { markets, stuck: 0n };
  if (markets.length === 0) return { markets, stuck: missing };
  const stuck = lossParts(ctx, state, asked, views)
    .filter(({ market }) => held.includes(market) && !markets.includes(market))
    .reduce((sum, { amount }) => sum + amount, 0n);
  return { markets, stuck };
}

/** One market alone, with what belongs to it. */
export function ownBurden(
  ctx: ReadContext,
  state: MarginState,
  asked: Short,
  market: MarketId,
  views: MarketViews,
): Burden {
  const parts = lossParts(ctx, state, asked, views);
  const own = parts.find((part) => part.market === market)?.amount ?? 0n;
  return { markets: [market], stuck: asked.missing - own };
}

/** Of what the account misses, what belongs to each market. */
export function lossParts(
  ctx: ReadContext,
  state: MarginState,
  { id, account, missing }: Short,
  views: MarketViews,
): Loss[] {
  const known = knownLosses(ctx, state, id);
  return splitByMarket(missing, known.length > 0 ? known : standing(account, views));
}

/** What is remembered and still to be borne; empty: nothing is. */
export function knownLosses(ctx: ReadContext, state: MarginState, id: AccountId): Loss[] {
  return remembered(ctx, state, id)
    .filter(({ amount }) => amount > 0n)
    .map(({ amount, market }) => ({ market, amount }));
}

function remembered(ctx: ReadContext, { custody }: MarginState, id: AccountId): KnownLoss[] {
  const shares = custody.losses.get(ctx, id)?.losses ?? [];
  return shares.map(({ amount, borne, market }) => ({
    market,
    amount: BigInt(amount),
    borne: borne === "" ? null : BigInt(borne),
  }));
}

/** It was asked in part, and goes on. */
export function isBegun(
  ctx: ReadContext,
  state: MarginState,
  id: AccountId,
  market: MarketId,
): boolean {
  return remembered(ctx, state, id).some((one) => one.market === market && one.borne !== null);
}

/** Remembers where the account lost, unless it is known already: what it holds later says less. */
export function noteLosses(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  losses: readonly Loss[],
): void {
  if (!attributes(ctx, state) || state.custody.losses.has(ctx, id)) return;
  keepLosses(
    ctx,
    state,
    id,
    losses.map((loss) => ({ ...loss, borne: null })),
  );
}

function keepLosses(
  ctx: WriteContext,
  { custody }: MarginState,
  id: AccountId,
  losses: readonly KnownLoss[],
): void {
  const lost = losses.filter(({ amount, borne }) => amount > 0n || borne !== null);
  if (lost.some(({ amount }) => amount > 0n)) {
    custody.losses.set(ctx, id, {
      losses: lost.map(({ amount, borne, market }) => {
        return { market, amount: `${amount}`, borne: borne === null ? "" : `${borne}` };
      }),
    });
  } else if (custody.losses.has(ctx, id)) custody.losses.delete(ctx, id);
}

/** Before an account under water is worked on. */
export function blame(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  views: MarketViews,
): void {
  if (attributes(ctx, state))
    noteLosses(ctx, state, id, standing(state.accounts.get(ctx, id), views));
}

/** What it lost where it holds nothing any more has been borne: what is missing belongs to the rest. */
export function leaveLosses(ctx: WriteContext, state: MarginState, id: AccountId): void {
  const held = state.accounts.get(ctx, id)?.positions ?? [];
  const known = remembered(ctx, state, id);
  const left = known.filter(({ market }) =>
    held.some((position) => position.market === market && position.lots !== 0n),
  );
  if (left.length > 0 && left.length < known.length) keepLosses(ctx, state, id, left);
}

/** What it lost in the market has been borne. */
export function leaveLoss(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  market: MarketId,
): void {
  const known = remembered(ctx, state, id);
  const left = known.filter((loss) => loss.market !== market);
  if (left.length < known.length) keepLosses(ctx, state, id, left);
}

/** A burden that has been borne in part. */
interface Begun extends Burden {
  /** Before any of it was borne. */
  readonly missing: bigint;
  readonly lost: bigint;
  /** One market of several: what it lost where it holds nothing any more is not part of it. */
  readonly alone: boolean;
}

/**
 * The rest goes on, in those of the burden's markets that it still holds: it belongs to these, and to nobody in those that are closed. What belongs to the markets that stay
 * is what it was: the burden's positions have less to bear by what was borne, and not only less to lose.
 */
export function noteBorne(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  { alone, lost, markets, missing, stuck }: Begun,
  views: MarketViews,
): void {
  const account = state.accounts.get(ctx, id) ?? EMPTY_ACCOUNT;
  const known = remembered(ctx, state, id);
  const stays = known.filter(
    ({ market }) => !markets.includes(market) && (alone || holds(account, market)),
  );
  const asked = known.filter(({ market }) => markets.includes(market) && holds(account, market));
  const whole = missing - stuck;
  if (whole <= 0n || !asked.some(({ amount }) => amount > 0n)) return;
  const left = mulDivDown(sumOf(known) - sumOf(stays), maximum(whole - lost, 0n), whole);
  const rest = splitByMarket(left, asked).map(({ amount, market }) => {
    const view = views(market);
    const position = findPosition(account, market);
    assert(view !== undefined && position !== undefined, "what goes on is held at a price");
    return { market, amount, borne: -positionValue(position, view) - amount };
  });
  keepLosses(
    ctx,
    state,
    id,
    [...stays, ...rest].sort((a, b) => a.market - b.market),
  );
}

/** Nothing is missing in this market any more. */
export function forgetMarket(ctx: WriteContext, state: MarginState, market: MarketId): void {
  const touched: [AccountId, KnownLoss[]][] = [];
  state.custody.losses.each(ctx, (id) => {
    const losses = remembered(ctx, state, id);
    const left = losses.filter((loss) => loss.market !== market);
    if (left.length < losses.length) touched.push([id, left]);
  });
  for (const [id, left] of touched) keepLosses(ctx, state, id, left);
}

/** Who is in the deficit queue without a memory (nothing of it could be closed) gets one, who holds positions a present one; memories of accounts that are not below zero go. */
export function refreshLosses(ctx: WriteContext, state: MarginState, views: MarketViews): void {
  const { custody, deficits } = state;
  if (attributes(ctx, state)) {
    const members: AccountId[] = [];
    deficits.each(ctx, (id) => void members.push(id));
    for (const id of members) {
      const account = state.accounts.get(ctx, id);
      if (!custody.losses.has(ctx, id)) blame(ctx, state, id, views);
      else if (account !== undefined) {
        const losses = restated(remembered(ctx, state, id), account, views);
        if (losses !== null) keepLosses(ctx, state, id, losses);
      }
    }
  }
  if (custody.losses.size(ctx) === 0) return;
  const over: AccountId[] = [];
  custody.losses.each(ctx, (id) => void (deficits.has(ctx, id) || over.push(id)));
  for (const id of over) custody.losses.delete(ctx, id);
}

/** What the queue misses, by market, and where those in it still hold something. */
export function shortMarkets(
  ctx: ReadContext,
  state: MarginState,
): { readonly missing: ReadonlyMap<MarketId, bigint>; readonly open: ReadonlySet<MarketId> } {
  const missing = new Map<MarketId, bigint>();
  const open = new Set<MarketId>();
  state.deficits.each(ctx, (id, { shortfall }) => {
    const holds = state.accounts.get(ctx, id)?.positions.some(({ lots }) => lots !== 0n) ?? false;
    for (const { market, amount } of splitByMarket(shortfall, knownLosses(ctx, state, id))) {
      missing.set(market, (missing.get(market) ?? 0n) + amount);
      if (holds) open.add(market);
    }
  });
  return { missing, open };
}

/** Quanta; a shortfall below it closes nothing. Where losses end markets at least `SETTLEMENT_FLOOR_MIN`. */
export function shortfallFloor(ctx: ReadContext, state: MarginState): bigint {
  const { marketSettlement, shortfallFloor: text } = state.params.require(ctx);
  const floor = BigInt(text || "0");
  return marketSettlement === undefined ? floor : maximum(floor, SETTLEMENT_FLOOR_MIN);
}
