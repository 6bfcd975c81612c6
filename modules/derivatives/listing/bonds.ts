/**
 * Bonds of markets listed by anyone. The coins lie in this module's account until the market has stood for the agreed time or has
 * settled, whichever is first; until then the authority may take them. They are coins and not margin, so that a bond is never at risk in
 * the market it stands for.
 */
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { moduleAddress } from "../../kit/addresses.ts";
import type { WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import * as events from "../instruments/events.ts";
import type { MarketId } from "../ports.ts";
import { nowMs, type Venue } from "../venue.ts";

/** Where bonds lie. */
export const BOND_VAULT: Uint8Array = moduleAddress("derivatives");

export function lockBond(
  ctx: WriteContext,
  venue: Venue,
  market: Market,
  terms: {
    readonly owner: string;
    readonly denom: string;
    readonly amount: bigint;
    readonly returnsMs: bigint;
  },
): void {
  const { owner, denom, amount, returnsMs } = terms;
  venue.bank.transfer(ctx, venue.addresses.parse(owner), BOND_VAULT, denom, amount);
  venue.state.bonds.set(ctx, market.id, {
    market: market.id,
    owner,
    denom,
    amount: amount.toString(),
    returnsMs,
  });
  events.bondLocked(ctx, market.symbol, { owner, denom, amount: amount.toString() });
}

/** Gives the bond back, if the market has one. */
export function returnBond(
  ctx: WriteContext,
  venue: Venue,
  market: Market,
  reason: "standing" | "settled",
): void {
  const bond = venue.state.bonds.get(ctx, market.id);
  if (bond === undefined) return;
  const { owner, denom, amount } = bond;
  venue.state.bonds.delete(ctx, market.id);
  venue.bank.transfer(ctx, BOND_VAULT, venue.addresses.parse(owner), denom, BigInt(amount));
  events.bondReturned(ctx, market.symbol, { owner, denom, amount, reason });
}

/** The bond goes to the authority. Refuses when there is none. */
export function forfeitBond(
  ctx: WriteContext,
  venue: Venue,
  market: Market,
  recipient: string,
): void {
  const bond = venue.state.bonds.get(ctx, market.id);
  if (bond === undefined) throw refuse("unknownBond", `market ${market.symbol} has no bond`);
  const { owner, denom, amount } = bond;
  venue.state.bonds.delete(ctx, market.id);
  venue.bank.transfer(ctx, BOND_VAULT, venue.addresses.parse(recipient), denom, BigInt(amount));
  events.bondForfeited(ctx, market.symbol, { owner, recipient, denom, amount });
}

/** Begin of a block: bonds that stood for their time go back. There are few, by parameter. */
export function returnBonds(ctx: WriteContext, venue: Venue): void {
  const { state } = venue;
  if (state.bonds.size(ctx) === 0) return;
  const now = BigInt(nowMs(ctx));
  const due: MarketId[] = [];
  state.bonds.each(ctx, (id, bond) => {
    if (bond.returnsMs <= now) due.push(id);
  });
  for (const id of due) {
    const market = state.markets.get(ctx, id);
    if (market !== undefined) returnBond(ctx, venue, market, "standing");
  }
}
