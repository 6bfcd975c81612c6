/** Messages of trades agreed elsewhere, of transfers and of trading keys, from requests as people write them. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type {
  OrderDocument,
  PublicKey,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  MsgCancelDocuments,
  MsgClearTrades,
  MsgGrantTradingKey,
  MsgRevokeTradingKey,
  MsgTransferPosition,
  MsgTransferSubaccount,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { Side } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type Amount, formatDecimal, readDecimal, toQuanta } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import { checkedSubaccount, type OrderSide } from "./orders.ts";

/** A trade between two signed documents. */
export interface AgreedTrade {
  readonly buyer: SignedDocument;
  readonly seller: SignedDocument;
  readonly price: string;
  readonly size: string;
  /** Who pays the taker's fee. Default: the buyer. */
  readonly taker?: OrderSide;
}

export interface CancelDocumentsRequest {
  readonly owner?: string;
  readonly subaccount?: number;
  readonly documents?: readonly OrderDocument[];
  /** Every document of the sub-account with a smaller salt. */
  readonly saltBelow?: bigint;
}

export interface TransferEnd {
  readonly owner: string;
  readonly subaccount?: number;
}

export interface PositionTransfer {
  readonly from: TransferEnd;
  readonly to: TransferEnd;
  readonly market: string;
  /** Default: the whole position. */
  readonly size?: string;
  /** Collateral that goes along; default none. */
  readonly collateral?: Amount;
}

export interface SubaccountPort {
  readonly from: TransferEnd;
  readonly to: TransferEnd;
}

export interface GrantRequest {
  readonly key: PublicKey;
  readonly subaccounts: readonly number[];
  /** Symbols; default: all markets. */
  readonly markets?: readonly string[];
  readonly notionalPerDay: Amount;
  /** Unix milliseconds of chain time. */
  readonly expiryMs: bigint | number;
}

const TYPE = "/keel.derivatives.v1.";

/** Each document once, in order of first use. */
export function clearTradesMessage(sender: string, trades: readonly AgreedTrade[]): EncodeObject {
  if (trades.length === 0)
    throw new KeelInputError("invalid-order", "trades", "expected at least one trade");
  const documents: SignedDocument[] = [];
  const indexOf = (signed: SignedDocument): number => {
    const at = documents.indexOf(signed);
    return at >= 0 ? at : documents.push(signed) - 1;
  };
  const value = MsgClearTrades.fromPartial({
    sender,
    trades: trades.map(({ buyer, seller, price, size, taker }) => ({
      buyer: indexOf(buyer),
      seller: indexOf(seller),
      price: formatDecimal(readDecimal("price", price)),
      size: formatDecimal(readDecimal("size", size)),
      taker: taker === "sell" ? Side.SIDE_SELL : Side.SIDE_BUY,
    })),
    documents,
  });
  return { typeUrl: `${TYPE}MsgClearTrades`, value };
}

export function cancelDocumentsMessage(
  sender: string,
  { owner, subaccount, documents = [], saltBelow = 0n }: CancelDocumentsRequest,
): EncodeObject {
  const value = MsgCancelDocuments.fromPartial({
    sender,
    owner: owner ?? "",
    subaccount: checkedSubaccount(subaccount),
    documents: [...documents],
    saltBelow,
  });
  return { typeUrl: `${TYPE}MsgCancelDocuments`, value };
}

function ends({ from, to }: SubaccountPort) {
  return {
    fromOwner: from.owner,
    fromSubaccount: checkedSubaccount(from.subaccount),
    toOwner: to.owner,
    toSubaccount: checkedSubaccount(to.subaccount),
  };
}

export function transferPositionMessage(transfer: PositionTransfer): EncodeObject {
  const { market, size, collateral } = transfer;
  const value = MsgTransferPosition.fromPartial({
    ...ends(transfer),
    market,
    size: size === undefined ? "" : formatDecimal(readDecimal("size", size)),
    collateral: collateral === undefined ? "" : toQuanta("collateral", collateral).toString(),
  });
  return { typeUrl: `${TYPE}MsgTransferPosition`, value };
}

export function transferSubaccountMessage(port: SubaccountPort): EncodeObject {
  const value = MsgTransferSubaccount.fromPartial(ends(port));
  return { typeUrl: `${TYPE}MsgTransferSubaccount`, value };
}

export function grantTradingKeyMessage(sender: string, grant: GrantRequest): EncodeObject {
  const subaccounts = [...new Set(grant.subaccounts.map(checkedSubaccount))].sort((a, b) => a - b);
  if (subaccounts.length === 0)
    throw new KeelInputError("invalid-option", "subaccounts", "expected at least one");
  const value = MsgGrantTradingKey.fromPartial({
    sender,
    key: grant.key,
    subaccounts,
    markets: [...(grant.markets ?? [])],
    notionalPerDay: toQuanta("notionalPerDay", grant.notionalPerDay).toString(),
    expiryMs: BigInt(grant.expiryMs),
  });
  return { typeUrl: `${TYPE}MsgGrantTradingKey`, value };
}

export function revokeTradingKeyMessage(sender: string, trader: string): EncodeObject {
  const value = MsgRevokeTradingKey.fromPartial({ sender, trader });
  return { typeUrl: `${TYPE}MsgRevokeTradingKey`, value };
}
