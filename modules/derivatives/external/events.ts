/** Events of documents and transfers, as listed in keel/derivatives/v1/events.proto. */
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { formatMoney, formatPrice, formatSize, type Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";
import type { CheckedTrade } from "./trade-check.ts";

export function externalTrade(
  ctx: WriteContext,
  { accounts }: Venue,
  { trade, instrument, buyer, seller }: CheckedTrade,
  matcher: string,
): void {
  ctx.emit("external_trade", {
    market: instrument.symbol,
    price: formatPrice(instrument, trade.priceTicks),
    size: formatSize(instrument, trade.lots),
    side: trade.taker,
    buyer: accounts.text(buyer.account),
    buyer_fee: formatMoney(trade.buyer.feeQuanta),
    buyer_document: bytesToHex(buyer.hash),
    seller: accounts.text(seller.account),
    seller_fee: formatMoney(trade.seller.feeQuanta),
    seller_document: bytesToHex(seller.hash),
    matcher,
  });
}

export function documentCancelled(
  ctx: WriteContext,
  { accounts }: Venue,
  account: AccountId,
  hash: Uint8Array,
): void {
  ctx.emit("document_cancelled", { document: bytesToHex(hash), account: accounts.text(account) });
}

export function saltFloor(
  ctx: WriteContext,
  { accounts }: Venue,
  account: AccountId,
  saltBelow: bigint,
): void {
  ctx.emit("salt_floor", { account: accounts.text(account), salt_below: saltBelow.toString() });
}

export function positionTransferred(
  ctx: WriteContext,
  { accounts }: Venue,
  moved: {
    readonly instrument: Instrument;
    readonly from: AccountId;
    readonly to: AccountId;
    /** Signed. */
    readonly lots: bigint;
    readonly ticks: bigint;
    readonly collateral: bigint;
  },
): void {
  ctx.emit("position_transferred", {
    market: moved.instrument.symbol,
    from: accounts.text(moved.from),
    to: accounts.text(moved.to),
    size: formatSize(moved.instrument, moved.lots),
    price: formatPrice(moved.instrument, moved.ticks),
    collateral: formatMoney(moved.collateral),
  });
}

export function subaccountTransferred(
  ctx: WriteContext,
  { accounts }: Venue,
  from: AccountId,
  to: AccountId,
): void {
  ctx.emit("subaccount_transferred", { from: accounts.text(from), to: accounts.text(to) });
}
