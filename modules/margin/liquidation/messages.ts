/** Message route of bids in the liquidation auctions. */
import {
  MsgBidLiquidation,
  MsgBidLiquidationResponse,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { accountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import { type MessageRoute, onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { MarketsPort } from "../ports.ts";
import { BID_MAX, type Bids } from "./bids.ts";

export function bidMessage(
  bids: Bids,
  markets: Pick<MarketsPort, "marketId">,
  addresses: Addresses,
): MessageRoute {
  return onMessage({
    typeUrl: "/keel.margin.v1.MsgBidLiquidation",
    request: MsgBidLiquidation,
    response: MsgBidLiquidationResponse,
    signers: (message) => [message.sender],
    validate({ lots, sender, side, worstTicks }) {
      addresses.parse(sender);
      if (side !== "buy" && side !== "sell") {
        throw refuse("invalidRequest", `expected side "buy" or "sell", got "${side.slice(0, 10)}"`);
      }
      if (lots > BID_MAX) throw refuse("invalidRequest", `expected at most ${BID_MAX} lots`);
      if (lots > 0n && (worstTicks < 1n || worstTicks > BID_MAX)) {
        throw refuse("invalidRequest", `expected a price of 1 to ${BID_MAX} ticks`);
      }
    },
    handle(ctx, { goodTilMs, lots, market: symbol, sender, side, subaccount, worstTicks }) {
      const market = markets.marketId(ctx, symbol);
      if (market === undefined) {
        throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}"`);
      }
      bids.place(ctx, {
        account: accountId(addresses.parse(sender), subaccount),
        ...{ goodTilMs, lots, market, worstTicks },
        side: side === "buy" ? "buy" : "sell",
      });
      return {};
    },
  });
}
