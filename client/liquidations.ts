/** The auctions of liquidated positions: what is offered, bids for it, and how much the books are given. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import {
  type MarketFlowView,
  MsgBidLiquidation,
  type QueryLiquidationOffersResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import type { KeelClient } from "./keel-client.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import type { TxOutcome } from "./tx-result.ts";

export interface LiquidationBid {
  readonly market: string;
  /** What the bidder does: "buy" what long positions have to sell. */
  readonly side: "buy" | "sell";
  /** 0 takes the bid back. */
  readonly lots: bigint;
  /** Pays no more, or receives no less. */
  readonly worstTicks: bigint;
  /** Unix milliseconds, at most ten minutes ahead. */
  readonly goodTilMs: bigint;
  readonly subaccount?: number;
}

export function liquidationBidMessage(sender: string, bid: LiquidationBid): EncodeObject {
  const value = MsgBidLiquidation.fromPartial({ ...bid, sender });
  return { typeUrl: "/keel.margin.v1.MsgBidLiquidation", value };
}

/** Replaces what the sub-account bids on this side of the market. Refused when it could not bear the whole of it. */
export async function bidLiquidation(
  client: KeelSigningClient,
  bid: LiquidationBid,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await client.execute([liquidationBidMessage(client.address, bid)], options);
}

/** What may be bid for now, with its reserve price, and the bids that stand; of all markets without a symbol. */
export async function liquidationOffers(
  client: KeelClient,
  market = "",
): Promise<QueryLiquidationOffersResponse> {
  return await client.ask(methods.liquidationOffers, { market });
}

/** Depth of each market's book as counted, and what liquidations may still take of it. */
export async function liquidationFlow(
  client: KeelClient,
  market = "",
): Promise<readonly MarketFlowView[]> {
  return (await client.ask(methods.liquidationFlow, { market })).markets;
}
