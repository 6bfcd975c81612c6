/** What queries answer: an account and its positions at present marks, in text. */
import type { AccountView, PositionView } from "@keel/proto/gen/keel/margin/v1/query";
import type { AccountId } from "../kit/account-id.ts";
import { numberOf, ownerOf } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import { absolute, mulDivDown, mulDivUp, PPM } from "../kit/math/mul-div.ts";
import type { Account, Position } from "./account-codec.ts";
import { holdingViews } from "./collateral-assets/queries.ts";
import type { Health } from "./health/health.ts";
import { evaluate, freeCollateral, positionValue, settledQuote } from "./health/health.ts";
import type { MarketView, MarketViews } from "./health/market-view.ts";
import { positionInitial, positionMaintenance } from "./health/position-requirement.ts";
import { worstCaseLots } from "./health/requirement.ts";
import { lotsElsewhere, worstElsewhere } from "./owners/elsewhere.ts";

/** No price is searched above this: far beyond any tick, and keeps the search bounded. */
const TICKS_SEARCH_MAX = 1n << 62n;

/**
 * The mark, nearest to the present one, at which the account would be under water if only this market moved; null when there is none.
 * None is said of options, whose value is not a line in the mark, and of portfolios, whose positions move together.
 * Equity minus requirement is monotone in the mark as long as rates are below 100 %, so bisection finds it.
 */
export function liquidationTicks(
  position: Position,
  view: MarketView,
  health: Health,
  otherLots: bigint,
): bigint | null {
  if (position.lots === 0n || view.losses !== null || health.portfolio) return null;
  const { quantaPerTickLot } = view.terms;
  const others = health.maintenance - positionMaintenance(position, view, otherLots);
  const underWater = (ticks: bigint): boolean => {
    const equity = health.equity + position.lots * quantaPerTickLot * (ticks - view.markTicks);
    const there = { ...view, quantaPerLot: quantaPerTickLot * ticks };
    return equity < others + positionMaintenance(position, there, otherLots);
  };
  if (underWater(view.markTicks)) return view.markTicks;
  const long = position.lots > 0n;
  let safe = view.markTicks;
  let sunk = long ? 0n : TICKS_SEARCH_MAX;
  if (!underWater(sunk)) return null;
  while (absolute(safe - sunk) > 1n) {
    const middle = (safe + sunk) >> 1n;
    if (underWater(middle)) sunk = middle;
    else safe = middle;
  }
  return sunk;
}

export function positionView(
  account: Account,
  position: Position,
  view: MarketView | undefined,
  health: Health,
): PositionView {
  const otherLots = lotsElsewhere(account, position.market);
  const otherWorst = worstElsewhere(account, position.market);
  const held = absolute(position.lots);
  const base = {
    ownerLots: (held + otherLots).toString(),
    ownerWorstLots: (worstCaseLots(position) + otherWorst).toString(),
    marketId: position.market,
    lots: position.lots.toString(),
    openBuyLots: position.openBuyLots.toString(),
    openSellLots: position.openSellLots.toString(),
  };
  if (view === undefined) {
    return {
      ...base,
      market: "",
      quote: position.quote.toString(),
      markTicks: "",
      notional: "",
      unrealisedPnl: "",
      fundingPending: "",
      initialRequirement: "",
      maintenanceRequirement: "",
      fresh: false,
      liquidationTicks: "",
      maintenanceRatePpm: 0n,
    };
  }
  const quote = settledQuote(position, view.fundingIndex);
  const maintenance = positionMaintenance(position, view, otherLots);
  const notional = held * view.notionalPerLot;
  return {
    ...base,
    market: view.terms.symbol,
    quote: quote.toString(),
    markTicks: view.markTicks.toString(),
    notional: (absolute(position.lots) * view.quantaPerLot).toString(),
    unrealisedPnl: positionValue(position, view).toString(),
    fundingPending: (quote - position.quote).toString(),
    initialRequirement: positionInitial(position, view, otherWorst).toString(),
    maintenanceRequirement: maintenance.toString(),
    fresh: view.fresh,
    liquidationTicks: liquidationTicks(position, view, health, otherLots)?.toString() ?? "",
    maintenanceRatePpm: notional === 0n ? 0n : mulDivUp(maintenance, PPM, notional),
  };
}

export function accountView(
  id: AccountId,
  account: Account,
  views: MarketViews,
  chain: { readonly addresses: Addresses; readonly denom: string; readonly owedToFunds: bigint },
): AccountView {
  const health = evaluate(account, views);
  return {
    owner: chain.addresses.format(ownerOf(id)),
    subaccount: numberOf(id),
    denom: chain.denom,
    collateral: account.collateral.toString(),
    equity: health.equity.toString(),
    initialRequirement: health.initial.toString(),
    maintenanceRequirement: health.maintenance.toString(),
    freeCollateral: (chain.owedToFunds > 0n ? 0n : freeCollateral(account, health)).toString(),
    feeReserve: account.feeReserve.toString(),
    healthPpm:
      health.maintenance === 0n
        ? ""
        : mulDivDown(health.equity, PPM, health.maintenance).toString(),
    fresh: health.fresh,
    portfolio: account.portfolio,
    isolated: account.isolated,
    assets: holdingViews(account, views.asset),
    cash: health.cash.toString(),
    debtMax: health.debtMax.toString(),
    owedToFunds: chain.owedToFunds.toString(),
    positions: account.positions.map((position) =>
      positionView(account, position, views(position.market), health),
    ),
  };
}
