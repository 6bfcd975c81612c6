/**
 * The backstop takes over positions that the book could not bring above maintenance, at mark and with their part of the account's equity, before
 * insurance and deleveraging are asked. Only of accounts that are not below zero: nobody takes over a loss.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { Claims } from "../claims.ts";
import { findPosition } from "../clearing/fill.ts";
import { contained } from "../contained.ts";
import { evaluate, isLiquidatable, maintenanceHealth, meetsInitial } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { isClosable, type MarketView, marketViews } from "../health/market-view.ts";
import { BACKSTOP_HEALTH_DEFAULT_PPM } from "../limits.ts";
import { maintenanceShare } from "../portfolio/account.ts";
import type { BackstopPort, ClearingPort, MarketId } from "../ports.ts";
import { assertMarketSound } from "../solvency.ts";
import type { MarginState } from "../state.ts";
import { emitTakeover } from "./events.ts";
import type { AccountFigures } from "./liquidation-math.ts";
import type { TakeoverCause } from "./reports.ts";
import { waitMs } from "./unfilled.ts";

export interface Takeover {
  /** After book and auction: `held` are the account's markets in the order of liquidation. */
  run(ctx: WriteContext, id: AccountId, held: readonly MarketId[], waitedNs: bigint): void;
}

export interface TakeoverParts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly clearing: Pick<ClearingPort, "clear">;
  readonly claims: Claims;
  readonly backstop: BackstopPort;
  readonly name: (id: AccountId) => string;
}

export function createTakeover(parts: TakeoverParts): Takeover {
  const { state, markets, clearing, claims, backstop, name } = parts;

  function healthOf(ctx: ReadContext, id: AccountId) {
    const account = state.accounts.get(ctx, id);
    assert(account !== undefined, "a takeover of an unknown account");
    const views = marketViews(ctx, markets);
    return { account, views, health: maintenanceHealth(account, views) };
  }

  /** Far enough under water, or long enough without a fill; null: neither. */
  function dueOf(
    ctx: ReadContext,
    { equity, maintenance }: AccountFigures,
    waitedNs: bigint,
  ): TakeoverCause | null {
    const params = state.params.require(ctx);
    const sharePpm = params.backstopHealthPpm || BACKSTOP_HEALTH_DEFAULT_PPM;
    const cause = { equity, maintenance, sharePpm, waitedNs, waitMs: waitMs(params) };
    if (equity * PPM < maintenance * sharePpm) return { reason: "health", ...cause };
    return waitedNs >= cause.waitMs * 1_000_000n ? { reason: "unfilled", ...cause } : null;
  }

  /** Moves lots at mark; the engine has judged both sides, so the ledger does not. */
  function execute(
    ctx: WriteContext,
    id: AccountId,
    taker: { readonly account: AccountId; readonly lots: bigint },
    { view, long }: { readonly view: MarketView; readonly long: boolean },
  ): void {
    const own = { account: id, feeQuanta: 0n, orderId: null };
    const other = { account: taker.account, feeQuanta: 0n, orderId: null };
    const result = clearing.clear(ctx, {
      market: view.terms.id,
      priceTicks: view.markTicks,
      lots: taker.lots,
      buyer: long ? other : own,
      seller: long ? own : other,
      taker: long ? "sell" : "buy",
      kind: "deleverage",
    });
    assert(result.ok, "a takeover was refused by the ledger");
  }

  function takeOne(ctx: WriteContext, id: AccountId, market: MarketId, cause: TakeoverCause): void {
    const { account, views, health } = healthOf(ctx, id);
    const position = findPosition(account, market);
    const view = views(market);
    if (health === null || position === undefined || !isClosable(view)) return;
    // What is left when all that needs margin has gone needs nobody to take it.
    if (health.equity < 0n || health.maintenance === 0n || position.lots === 0n) return;
    const offer = backstop.offer(ctx, market, position.lots);
    if (offer === null || offer.lots <= 0n || !state.accounts.has(ctx, offer.account)) return;
    const held = absolute(position.lots);
    assert(offer.lots <= held, `the backstop takes ${offer.lots} of ${held} lots`);
    const share = maintenanceShare(account, position, view, views);
    const collateral = mulDivDown(health.equity, share * offer.lots, health.maintenance * held);
    const long = position.lots > 0n;
    const savepoint = ctx.state.savepoint();
    execute(ctx, id, offer, { view, long });
    claims.give(ctx, id, offer.account, collateral);
    const after = state.accounts.get(ctx, offer.account);
    const fits =
      after !== undefined && meetsInitial(after, evaluate(after, marketViews(ctx, markets)));
    if (!fits) {
      ctx.state.revert(savepoint);
      return;
    }
    assertMarketSound(ctx, state, market);
    emitTakeover(ctx, {
      account: name(id),
      backstop: name(offer.account),
      market: view.terms.symbol,
      side: long ? "sell" : "buy",
      lots: offer.lots,
      markTicks: view.markTicks,
      notional: offer.lots * view.quantaPerLot,
      collateral,
      cause,
      before: health,
      heldLots: held,
      positionMaintenance: share,
    });
  }

  return {
    run(ctx, id, held, waitedNs) {
      if (backstop.isOwn(id) || !backstop.ready(ctx)) return;
      const { health } = healthOf(ctx, id);
      if (health === null || health.equity < 0n || !isLiquidatable(health)) return;
      const cause = dueOf(ctx, health, waitedNs);
      if (cause === null) return;
      for (const market of held) {
        contained(ctx, markets, market, (step) => takeOne(step, id, market, cause));
      }
    },
  };
}
