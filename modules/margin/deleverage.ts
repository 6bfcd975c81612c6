/**
 * Auto-deleveraging: a bankrupt position the book does not take is closed against the most leveraged accounts on the other side, at
 * the price that brings the bankrupt account to zero, capped near mark. Counterparties never go below zero by it.
 */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { absolute, divFloor, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import type { Counterparty } from "./deleverage-math.ts";
import { allocateDeleveraging, compareLeverage } from "./deleverage-math.ts";
import { emitDeleverage } from "./events.ts";
import { findPosition } from "./fill.ts";
import { maintenanceHealth } from "./health.ts";
import { DELEVERAGE_COUNTERPARTIES_MAX, DELEVERAGE_ROUNDS_MAX } from "./limits.ts";
import { bankruptcyDistanceTicks } from "./liquidation/liquidation-math.ts";
import type { MarketView, MarketViews, ModelledMarkets } from "./market-view.ts";
import { marketViews } from "./market-view.ts";
import { maintenanceShare } from "./portfolio/account.ts";
import type { ClearingPort, MarketId } from "./ports.ts";
import type { MarginState } from "./state.ts";

export interface Deleveraging {
  /** Closes the account's position in the market as far as the other side can take it; returns the lots closed. */
  deleverage(ctx: WriteContext, id: AccountId, market: MarketId): bigint;
}

interface Terms {
  readonly view: MarketView;
  readonly long: boolean;
  readonly priceTicks: bigint;
  /** What a counterparty loses against mark per lot it closes. */
  readonly lossPerLot: bigint;
}

/** How far the price may leave the mark: an option's may fall to zero, and rise by the cap however small it is. */
function roomTicks(view: MarketView, long: boolean, cap: bigint): bigint {
  if (view.losses === null) return view.markTicks - 1n;
  return long ? cap : view.markTicks;
}

export function createDeleveraging(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly clearing: Pick<ClearingPort, "clear">;
  readonly name: (id: AccountId) => string;
}): Deleveraging {
  const { state, markets, clearing, name } = parts;

  function termsOf(
    ctx: ReadContext,
    id: AccountId,
    market: MarketId,
    views: MarketViews,
  ): (Terms & { readonly lots: bigint }) | null {
    const account = state.accounts.get(ctx, id);
    const position = account === undefined ? undefined : findPosition(account, market);
    const view = views(market);
    if (account === undefined || position === undefined || view === undefined) return null;
    const health = maintenanceHealth(account, views);
    const lots = absolute(position.lots);
    if (health === null || lots === 0n) return null;
    const quantaPerTickLot = view.terms.quantaPerTickLot;
    const maintenance = maintenanceShare(account, position, view, views);
    const { deleverageBandPpm } = state.params.require(ctx);
    const cap = mulDivDown(view.notionalPerLot, deleverageBandPpm, PPM * quantaPerTickLot);
    const wanted = bankruptcyDistanceTicks(health, { lots, maintenance }, quantaPerTickLot);
    const long = position.lots > 0n;
    const distance = minimum(minimum(wanted, cap), roomTicks(view, long, cap));
    return {
      view,
      long,
      lots,
      priceTicks: long ? view.markTicks + distance : view.markTicks - distance,
      lossPerLot: distance * quantaPerTickLot,
    };
  }

  /** The other side, most leveraged first, at most the limit; each with no more lots than its equity can bear. */
  function counterparties(
    ctx: ReadContext,
    id: AccountId,
    terms: Terms,
    views: MarketViews,
  ): Counterparty<AccountId>[] {
    const found: Counterparty<AccountId>[] = [];
    state.active.each(ctx, (other) => {
      if (other === id) return;
      const account = state.accounts.get(ctx, other);
      assert(account !== undefined, "an active account has no record");
      const lots = findPosition(account, terms.view.terms.id)?.lots ?? 0n;
      if (lots === 0n || lots > 0n === terms.long) return;
      const equity = maintenanceHealth(account, views)?.equity ?? -1n;
      if (equity < 0n) return;
      const bearable =
        terms.lossPerLot === 0n ? absolute(lots) : divFloor(equity, terms.lossPerLot);
      const available = minimum(absolute(lots), bearable);
      if (available > 0n) found.push({ id: other, lots: available, equity });
    });
    return found.sort(compareLeverage).slice(0, DELEVERAGE_COUNTERPARTIES_MAX);
  }

  function execute(
    ctx: WriteContext,
    id: AccountId,
    part: { readonly id: AccountId; readonly lots: bigint },
    terms: Terms,
  ): void {
    const { view, long, priceTicks } = terms;
    const own = { account: id, feeQuanta: 0n, orderId: null };
    const other = { account: part.id, feeQuanta: 0n, orderId: null };
    const result = clearing.clear(ctx, {
      market: view.terms.id,
      priceTicks,
      lots: part.lots,
      buyer: long ? other : own,
      seller: long ? own : other,
      taker: long ? "sell" : "buy",
      kind: "deleverage",
    });
    assert(result.ok, "a deleveraging was refused by the ledger");
    emitDeleverage(ctx, {
      account: name(id),
      counterparty: name(part.id),
      market: view.terms.symbol,
      side: long ? "sell" : "buy",
      lots: part.lots,
      priceTicks,
      markTicks: view.markTicks,
      notional: part.lots * priceTicks * view.terms.quantaPerTickLot,
    });
  }

  /** Closes up to `lots` at one price; returns what is left. A new round follows only when equity bounded someone's part. */
  function closeRounds(
    ctx: WriteContext,
    id: AccountId,
    terms: Terms,
    views: MarketViews,
    lots: bigint,
  ): bigint {
    let left = lots;
    for (let round = 0; round < DELEVERAGE_ROUNDS_MAX && left > 0n; round++) {
      const others = counterparties(ctx, id, terms, views);
      if (others.length === 0) break;
      for (const part of allocateDeleveraging(others, left)) {
        execute(ctx, id, part, terms);
        left -= part.lots;
      }
    }
    return left;
  }

  return {
    deleverage(ctx, id, market) {
      const views = marketViews(ctx, markets);
      const terms = termsOf(ctx, id, market, views);
      if (terms === null) return 0n;
      let left = closeRounds(ctx, id, terms, views, terms.lots);
      if (left > 0n && terms.lossPerLot > 0n) {
        // Nobody else can bear a loss: the rest is closed at mark, which takes the risk off; the cash missing goes to the queue.
        const atMark = { ...terms, priceTicks: terms.view.markTicks, lossPerLot: 0n };
        left = closeRounds(ctx, id, atMark, views, left);
      }
      return terms.lots - left;
    },
  };
}
