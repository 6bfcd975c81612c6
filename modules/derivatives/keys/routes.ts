/** Message routes of trading keys. Only the owner's own signature grants or revokes. */
import {
  MsgGrantTradingKey,
  MsgGrantTradingKeyResponse,
  MsgRevokeTradingKey,
  MsgRevokeTradingKeyResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { MessageRoute } from "../../kit/module.ts";
import { onMessage } from "../../kit/module.ts";
import type { Venue } from "../venue.ts";
import { checkGrant, grantKey, revokeKey } from "./grants.ts";

/** With the cancels: a key in the wrong hands must not trade ahead of its revocation. */
const LANE_FIRST = 1;

export function keyMessages(venue: Venue): readonly MessageRoute[] {
  const { addresses } = venue;
  return [
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgGrantTradingKey",
      request: MsgGrantTradingKey,
      response: MsgGrantTradingKeyResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        checkGrant(message);
      },
      handle(ctx, message) {
        const trader = grantKey(ctx, venue, addresses.parse(message.sender), message);
        return { trader: addresses.format(trader) };
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgRevokeTradingKey",
      request: MsgRevokeTradingKey,
      response: MsgRevokeTradingKeyResponse,
      signers: (message) => [message.sender],
      lane: () => LANE_FIRST,
      validate(message) {
        addresses.parse(message.sender);
        addresses.parse(message.trader);
      },
      handle(ctx, { sender, trader }) {
        revokeKey(ctx, venue, [addresses.parse(sender), addresses.parse(trader)]);
        return {};
      },
    }),
  ];
}
