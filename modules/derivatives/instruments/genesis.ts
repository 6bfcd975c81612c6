/** Genesis of what dated contracts add: settlement prices, series, bonds. The queues follow from the records and are not written. */
import type { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { instrumentOf } from "../instruments.ts";
import { storeMarket } from "../listing/life-cycle.ts";
import { holdSettlement, keyOfSettlement, windowTime } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import { instrumentsFault } from "./invariants.ts";

/** Before the markets. */
export function loadSettlements(ctx: WriteContext, venue: Venue, genesis: GenesisState): void {
  const { state } = venue;
  for (const aggregate of genesis.aggregates)
    state.aggregates.set(ctx, aggregate.feedId, aggregate);
  for (const settlement of genesis.settlements) {
    const key = keyOfSettlement(settlement);
    state.settlements.set(ctx, key, settlement);
    if (settlement.price === "") state.windows.set(ctx, [windowTime(settlement), key], true);
  }
  for (const bond of genesis.bonds) state.bonds.set(ctx, bond.market, bond);
  for (const stored of genesis.series) {
    if (stored.series !== undefined) state.series.set(ctx, stored.series.id, stored);
  }
}

/** The record, its place in the queue of steps, and for a market written by hand its settlement record. */
export function loadLife(ctx: WriteContext, venue: Venue, market: Market, byHand: boolean): void {
  const { state } = venue;
  if (market.status === MarketStatus.MARKET_STATUS_SETTLED) {
    state.markets.set(ctx, market.id, market);
    state.due.set(ctx, [Number(market.dueMs), market.id], true);
  } else {
    const stored = storeMarket(ctx, venue, { ...market, dueMs: 0n });
    if (stored.status === MarketStatus.MARKET_STATUS_SETTLING) {
      state.settling.set(ctx, market.id, true);
    }
  }
  const key = instrumentOf(market).settlementKey;
  if (key !== null && byHand) holdSettlement(ctx, venue, key);
}

/** After the markets: records, references and queues agree. */
export function checkInstruments(ctx: ReadContext, venue: Venue): void {
  const fault = instrumentsFault(ctx, venue);
  if (fault !== null) throw refuse("invalidRequest", `derivatives genesis: ${fault}`);
}

export function exportInstruments(
  ctx: ReadContext,
  { state }: Venue,
): Pick<GenesisState, "aggregates" | "settlements" | "series" | "bonds" | "ids"> {
  const aggregates: GenesisState["aggregates"] = [];
  state.aggregates.each(ctx, (_id, aggregate) => void aggregates.push(aggregate));
  const settlements: GenesisState["settlements"] = [];
  state.settlements.each(ctx, (_key, settlement) => void settlements.push(settlement));
  const series: GenesisState["series"] = [];
  state.series.each(ctx, (_id, stored) => void series.push(stored));
  const bonds: GenesisState["bonds"] = [];
  state.bonds.each(ctx, (_id, bond) => void bonds.push(bond));
  return { aggregates, settlements, series, bonds, ids: state.ids.get(ctx) };
}
