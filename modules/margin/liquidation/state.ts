/** State of the liquidation ladder in store "margin". All of it is empty while there is none. */
import {
  LiquidationBid,
  LiquidationOffer,
  MarketMeasure,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { type AccountId, accountIdKey } from "../../kit/account-id.ts";
import { pairKey, protoValue, tripleKey, u8Key, u32Key } from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { MarketId, Side } from "../ports.ts";

export interface LadderState {
  readonly measures: MapCollection<MarketId, MarketMeasure>;
  /** Market, side (1 buys, 2 sells), account. */
  readonly bids: MapCollection<readonly [MarketId, number, AccountId], LiquidationBid>;
  readonly offers: MapCollection<readonly [AccountId, MarketId], LiquidationOffer>;
}

export function ladderState(schema: Schema): LadderState {
  return {
    measures: schema.map(0x10, "measures", u32Key, protoValue(MarketMeasure)),
    bids: schema.map(
      0x11,
      "liquidation_bids",
      tripleKey(u32Key, u8Key, accountIdKey),
      protoValue(LiquidationBid),
    ),
    offers: schema.map(
      0x12,
      "liquidation_offers",
      pairKey(accountIdKey, u32Key),
      protoValue(LiquidationOffer),
    ),
  };
}

export function sideNumber(side: Side): number {
  return side === "buy" ? 1 : 2;
}

/** Key prefix of one side of a market. */
export function sidePrefix(market: MarketId, side: Side): string {
  return u32Key.encode(market) + u8Key.encode(sideNumber(side));
}
