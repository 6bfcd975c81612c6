/** What always holds of dated contracts: records, references and queues say the same. */
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import type { Invariant } from "../../kit/module.ts";
import { instrumentOf } from "../instruments.ts";
import { BOND_VAULT } from "../listing/bonds.ts";
import { stopsFault } from "../settlement/ended.ts";
import { keyOfSettlement, windowTime } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";

/** Every market that has a next step is queued for it, settling ones are in their set, and nothing else is in either. */
function queueFault(ctx: ReadContext, { state }: Venue): string | null {
  let queued = 0;
  let settling = 0;
  let fault: string | null = null;
  state.markets.each(ctx, (id, market) => {
    const due = Number(market.dueMs);
    if (due !== 0) queued += 1;
    if (due !== 0 && !state.due.has(ctx, [due, id])) fault = `${market.symbol} is not in the queue`;
    const settles = market.status === MarketStatus.MARKET_STATUS_SETTLING;
    if (settles) settling += 1;
    if (settles !== state.settling.has(ctx, id)) fault = `${market.symbol} is in the wrong set`;
    return fault !== null;
  });
  if (fault !== null) return fault;
  if (queued !== state.due.size(ctx)) return `${state.due.size(ctx)} steps queued, ${queued} due`;
  return settling === state.settling.size(ctx) ? null : "a market settles that is not listed";
}

/** Settlement records count the markets that refer to them; windows are queued; integrals count their open windows. */
function settlementFault(ctx: ReadContext, { state }: Venue): string | null {
  const references = new Map<string, number>();
  let dangling: string | null = null;
  state.markets.each(ctx, (_id, market) => {
    const key = instrumentOf(market).settlementKey;
    if (key === null) return;
    if (!state.settlements.has(ctx, key)) dangling = `${market.symbol} has no settlement record`;
    const text = key.join("/");
    references.set(text, (references.get(text) ?? 0) + 1);
  });
  if (dangling !== null) return dangling;
  const open = new Map<number, number>();
  let queued = 0;
  let fault: string | null = null;
  state.settlements.each(ctx, (_key, settlement) => {
    const key = keyOfSettlement(settlement);
    const name = `settlement ${key.join("/")}`;
    if (references.get(key.join("/")) !== settlement.markets) {
      fault = `${name} counts ${settlement.markets} markets`;
    }
    if (settlement.open) open.set(settlement.feedId, (open.get(settlement.feedId) ?? 0) + 1);
    if (settlement.price !== "") return;
    queued += 1;
    if (!state.windows.has(ctx, [windowTime(settlement), key])) fault = `${name} is not queued`;
  });
  if (fault !== null) return fault;
  if (queued !== state.windows.size(ctx)) return "a window is queued without its settlement";
  state.aggregates.each(ctx, (feedId, { windows }) => {
    if (open.get(feedId) !== windows) fault = `feed ${feedId} integrates for ${windows} windows`;
  });
  if (fault !== null) return fault;
  return open.size === state.aggregates.size(ctx) ? null : "an open window has no integral";
}

export function instrumentsFault(ctx: ReadContext, venue: Venue): string | null {
  return queueFault(ctx, venue) ?? settlementFault(ctx, venue) ?? stopsFault(ctx, venue);
}

/** The bond account holds at least every bond. */
export function bondsEscrowed(venue: Venue): Invariant {
  return (ctx) => {
    const owed = new Map<string, bigint>();
    let stray: string | null = null;
    venue.state.bonds.each(ctx, (id, { denom, amount }) => {
      owed.set(denom, (owed.get(denom) ?? 0n) + BigInt(amount));
      if (!venue.state.markets.has(ctx, id)) stray = `a bond stands for market ${id}, not listed`;
    });
    if (stray !== null) return stray;
    for (const [denom, amount] of owed) {
      const held = venue.bank.balance(ctx, BOND_VAULT, denom);
      if (held < amount) return `bonds of ${amount}${denom}, held ${held}`;
    }
    return null;
  };
}
