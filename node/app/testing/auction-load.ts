/** Genesis of a market with auction terms, otherwise the small market of the other tests. */
import { defaultAuctionTerms, defaultParams } from "@keel/modules/derivatives/defaults";
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { AuctionTerms, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { messageToJson } from "../genesis.ts";
import { btcPerpetual } from "./market-genesis.ts";

/** The `derivatives` member of app_state. */
export function auctionMarketState(
  auction: AuctionTerms | undefined,
  change: Partial<MarketTerms> = {},
): Readonly<Record<string, unknown>> {
  const listing = btcPerpetual();
  if (listing.terms === undefined) throw new Error("expected terms");
  const market = { ...listing, terms: { ...listing.terms, ...change, auction } };
  const state = GenesisState.fromPartial({ params: defaultParams(), markets: [{ market }] });
  return {
    derivatives: messageToJson(
      "keel.derivatives.v1.GenesisState",
      GenesisState.encode(state).finish(),
    ),
  };
}

/** Of a market with rounds. */
export function roundsMarketState(): Readonly<Record<string, unknown>> {
  return auctionMarketState({ ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true });
}
