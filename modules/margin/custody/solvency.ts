/**
 * Solvency by market: what is missing in the deficit queue is laid to the markets where it was lost, and what insurance pays as well. While a market is short,
 * those who hold it stay in, as long as they can bear what is missing; when they cannot, withdrawals are closed for all. On with `market_gates`.
 *
 * Why that is enough: the vault's coins are what all accounts are worth, less what is missing, and insurance and fees. While those who hold the short markets
 * are worth as much as is missing and stay, the coins cover everyone else in full.
 */
import type { MarketSolvency } from "@keel/proto/gen/keel/margin/v1/custody";
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { maximum, minimum } from "../../kit/math/mul-div.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import {
  knownLosses,
  refreshLosses,
  shortfallFloor,
  shortMarkets,
  splitByMarket,
} from "../waterfall/attribution.ts";
import { emitMarketShort } from "./events.ts";
import { isGated, segregated } from "./gates.ts";
import { PRUNED_PER_BLOCK_MAX } from "./limits.ts";
import type { CustodyState } from "./state.ts";

const NS_PER_MS = 1_000_000n;
/** A gate that is kept up is written again, and its backing counted, once in so long, or in a tenth of its time. */
const REGATE_NS = 60_000_000_000n;

function solvencyOf(ctx: ReadContext, custody: CustodyState, market: MarketId): MarketSolvency {
  return (
    custody.solvency.get(ctx, market) ?? {
      market,
      shortfall: "0",
      covered: "0",
      backing: "0",
      gatedUntilNs: 0n,
    }
  );
}

/** Insurance has paid for the account. */
export function noteCovered(
  ctx: WriteContext,
  state: MarginState,
  id: AccountId,
  paid: bigint,
): void {
  if (paid === 0n || !segregated(ctx, state)) return;
  const { custody } = state;
  for (const { market, amount } of splitByMarket(paid, knownLosses(ctx, state, id))) {
    if (amount === 0n) continue;
    const before = solvencyOf(ctx, custody, market);
    custody.solvency.set(ctx, market, { ...before, covered: `${BigInt(before.covered) + amount}` });
  }
}

/** Equity above zero of those whom a gate on the short markets holds: each account once together, and whole in every such market. */
function backingOf(
  ctx: ReadContext,
  state: MarginState,
  missing: ReadonlyMap<MarketId, bigint>,
  views: MarketViews,
): { readonly together: bigint; readonly by: ReadonlyMap<MarketId, bigint> } {
  const held = new Map<AccountId, Set<MarketId>>();
  const note = (id: AccountId, market: MarketId): void => {
    if ((missing.get(market) ?? 0n) === 0n) return;
    held.set(id, (held.get(id) ?? new Set<MarketId>()).add(market));
  };
  state.active.each(ctx, (id) => {
    for (const { lots, market } of state.accounts.get(ctx, id)?.positions ?? []) {
      if (lots !== 0n) note(id, market);
    }
  });
  state.custody.exits.each(ctx, ([id, market]) => note(id, market));
  const by = new Map<MarketId, bigint>();
  let together = 0n;
  for (const [id, markets] of held) {
    const account = state.accounts.get(ctx, id);
    const equity = account === undefined ? 0n : (maintenanceHealth(account, views)?.equity ?? 0n);
    if (equity <= 0n) continue;
    together += equity;
    for (const market of markets) by.set(market, (by.get(market) ?? 0n) + equity);
  }
  return { together, by };
}

function forget(ctx: WriteContext, custody: CustodyState): void {
  const { exits, solvency } = custody;
  if (solvency.size(ctx) + exits.size(ctx) === 0) return;
  solvency.deleteBelow(ctx, "\uffff", solvency.size(ctx));
  exits.deleteBelow(ctx, "\uffff", exits.size(ctx));
}

/** Exits from markets that are open, or open again. */
function forgetExits(ctx: WriteContext, custody: CustodyState): void {
  if (custody.exits.size(ctx) === 0) return;
  const opened: (readonly [AccountId, MarketId])[] = [];
  let visited = 0;
  custody.exits.each(ctx, (key) => {
    if (!isGated(ctx, custody, key[1])) opened.push(key);
    visited += 1;
    return visited >= PRUNED_PER_BLOCK_MAX;
  });
  for (const key of opened) custody.exits.delete(ctx, key);
}

/** After the deficit queue was drawn up: balances, and who is gated. `gateAll` closes withdrawals for everyone until at least then. */
export function refreshSolvency(
  ctx: WriteContext,
  state: MarginState,
  views: MarketViews,
  gateAll: (ctx: WriteContext, untilNs: bigint, reason: string) => void,
): void {
  const { custody } = state;
  refreshLosses(ctx, state, views);
  if (!segregated(ctx, state)) return forget(ctx, custody);
  drawUp(ctx, state, views, gateAll);
  forgetExits(ctx, custody);
}

function drawUp(
  ctx: WriteContext,
  state: MarginState,
  views: MarketViews,
  gateAll: (ctx: WriteContext, untilNs: bigint, reason: string) => void,
): void {
  const { custody } = state;
  const { missing, open } = shortMarkets(ctx, state);
  const changed = changedMarkets(ctx, state, missing, open);
  if (changed.length === 0) return;
  const raised = changed.some(({ raise }) => raise);
  const { together, by } = raised
    ? backingOf(ctx, state, missing, views)
    : { together: 0n, by: new Map<MarketId, bigint>() };
  const total = [...missing.values()].reduce((sum, amount) => sum + amount, 0n);
  const all = raised && together < total;
  const untilNs = ctx.header.timeNs + gateNs(ctx, state);
  for (const { market, shortfall, raise } of changed) {
    const before = solvencyOf(ctx, custody, market);
    const backing = raise ? (by.get(market) ?? 0n) : BigInt(before.backing);
    const gatedUntilNs = raise ? untilNs : before.gatedUntilNs;
    custody.solvency.set(ctx, market, {
      ...before,
      shortfall: `${shortfall}`,
      backing: `${backing}`,
      gatedUntilNs,
    });
    const gate = !raise ? "none" : all ? "all" : "market";
    emitMarketShort(ctx, market, {
      shortfallBefore: BigInt(before.shortfall),
      shortfall,
      backing,
      gatedUntilNs,
      gate,
      missing: total,
      together,
    });
  }
  if (all) gateAll(ctx, untilNs, "shortfall beyond what its markets hold");
}

function gateNs(ctx: ReadContext, state: MarginState): bigint {
  return state.params.require(ctx).withdrawalGateMs * NS_PER_MS;
}

/**
 * Growth says nothing new: one market alone covered what is missing when that was last counted, or withdrawals are closed for all. A shortfall that grows a little with every
 * block would have all accounts counted with each.
 */
function isForeseen(
  ctx: ReadContext,
  { custody: { solvency }, gate }: MarginState,
  missing: ReadonlyMap<MarketId, bigint>,
  untilNs: bigint,
): boolean {
  if ((gate.get(ctx)?.untilNs ?? 0n) > untilNs) return true;
  let total = 0n;
  for (const amount of missing.values()) total += amount;
  let most = 0n;
  solvency.each(ctx, (_market, { backing, gatedUntilNs }) => {
    if (gatedUntilNs > ctx.header.timeNs) most = maximum(most, BigInt(backing));
  });
  return most >= total;
}

/** Whose shortfall changed, or whose gate is due again. */
function changedMarkets(
  ctx: ReadContext,
  state: MarginState,
  missing: ReadonlyMap<MarketId, bigint>,
  open: ReadonlySet<MarketId>,
): { readonly market: MarketId; readonly shortfall: bigint; readonly raise: boolean }[] {
  const { custody } = state;
  const floor = shortfallFloor(ctx, state);
  const gate = gateNs(ctx, state);
  /** A gate that ends by then is due again. */
  const dueNs = ctx.header.timeNs + gate - minimum(REGATE_NS, gate / 10n);
  const foreseen = isForeseen(ctx, state, missing, dueNs);
  const markets = new Set<MarketId>(missing.keys());
  custody.solvency.each(ctx, (market, { shortfall }) => {
    if (shortfall !== "0") markets.add(market);
  });
  return [...markets]
    .sort((a, b) => a - b)
    .flatMap((market) => {
      const { gatedUntilNs, ...before } = solvencyOf(ctx, custody, market);
      const shortfall = missing.get(market) ?? 0n;
      const grew = shortfall > BigInt(before.shortfall);
      const due = gatedUntilNs <= dueNs;
      const raises = (grew && (due || !foreseen)) || (open.has(market) && due);
      const raise = shortfall >= floor && raises;
      return raise || `${shortfall}` !== before.shortfall ? [{ market, shortfall, raise }] : [];
    });
}
