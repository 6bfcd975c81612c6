/** Bounds and rules of dated contracts: what stands when the parameters do not say. */
import type { InstrumentParams } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import type { Venue } from "../venue.ts";

export function defaultInstrumentParams(): InstrumentParams {
  return {
    // A chain of a thousand options changes its state in two blocks.
    transitionsPerBlockMax: 500,
    // A cancel writes an account, an order and the book: about 20 ms of one block.
    cancelsPerBlockMax: 500,
    // A new market is five keys; a series of a thousand is listed within minutes.
    listingsPerBlockMax: 20,
    // Half of the window: less would let an outage choose the price.
    coverageMinPpm: 500_000n,
    // A day to look things up, then the state forgets.
    retentionMs: 86_400_000n,
    // Chains of options on a handful of underlyings; each costs memory, none costs time in a block without activity.
    marketsMax: 8192,
    openListing: undefined,
  };
}

const DEFAULTS = defaultInstrumentParams();

export function instrumentParams(ctx: ReadContext, { state }: Venue): InstrumentParams {
  return state.params.require(ctx).instruments ?? DEFAULTS;
}
