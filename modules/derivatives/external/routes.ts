/** Message routes of trades matched elsewhere and of transfers. */
import {
  MsgCancelDocuments,
  MsgCancelDocumentsResponse,
  MsgClearTrades,
  MsgClearTradesResponse,
  MsgTransferPosition,
  MsgTransferPositionResponse,
  MsgTransferSubaccount,
  MsgTransferSubaccountResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { MessageRoute } from "../../kit/module.ts";
import { onMessage } from "../../kit/module.ts";
import { checkTrader } from "../keys/trader.ts";
import type { Venue } from "../venue.ts";
import { cancelDocuments, checkCancelDocuments } from "./cancelling.ts";
import { checkClearTrades, clearTrades } from "./clear-trades.ts";
import { questionOf } from "./signed.ts";
import {
  checkTransfer,
  signersOfTransfer,
  transferPosition,
  transferSubaccount,
} from "./transfers.ts";

const LANE_CANCEL = 1;

export function externalMessages(venue: Venue): readonly MessageRoute[] {
  const { addresses } = venue;
  return [
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgClearTrades",
      request: MsgClearTrades,
      response: MsgClearTradesResponse,
      signers: (message) => [message.sender],
      // Validated before anyone asks, so nothing here is malformed.
      signatures: ({ documents }) => documents.map((signed) => questionOf(signed, addresses)),
      validate(message) {
        addresses.parse(message.sender);
        checkClearTrades(message, addresses);
      },
      handle(ctx, message) {
        checkClearTrades(message, addresses);
        return clearTrades(ctx, venue, message);
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgCancelDocuments",
      request: MsgCancelDocuments,
      response: MsgCancelDocumentsResponse,
      signers: (message) => [message.sender],
      lane: () => LANE_CANCEL,
      validate(message) {
        checkTrader(venue, message);
        checkCancelDocuments(message, addresses);
      },
      handle(ctx, message) {
        checkCancelDocuments(message, addresses);
        cancelDocuments(ctx, venue, message);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgTransferPosition",
      request: MsgTransferPosition,
      response: MsgTransferPositionResponse,
      signers: signersOfTransfer,
      validate: (message) => void checkTransfer(venue, message),
      handle: (ctx, message) => transferPosition(ctx, venue, message),
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgTransferSubaccount",
      request: MsgTransferSubaccount,
      response: MsgTransferSubaccountResponse,
      signers: signersOfTransfer,
      validate: (message) => void checkTransfer(venue, message),
      handle(ctx, message) {
        transferSubaccount(ctx, venue, message);
        return {};
      },
    }),
  ];
}
