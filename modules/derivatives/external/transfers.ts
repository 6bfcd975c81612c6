/** Positions and whole sub-accounts change hands by agreement, at mark: nobody gains, and everybody meets its requirement afterwards. */
import type {
  MsgTransferPosition,
  MsgTransferPositionResponse,
  MsgTransferSubaccount,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import { collectedIn } from "../auction/collected.ts";
import { roundOf } from "../auction/rounds.ts";
import { refuse } from "../errors.ts";
import { formatPrice, formatSize, parseSize } from "../instruments.ts";
import { marketsWithOrders } from "../occupied.ts";
import { requireOpenMarket } from "../open-market.ts";
import { cancelAll } from "../orders/cancelling.ts";
import { enforceReduceOnly } from "../orders/resting.ts";
import type { TradeParty } from "../ports.ts";
import { closeTurn, instrumentById, openTurn, requireInstrument, type Venue } from "../venue.ts";
import { positionTransferred, subaccountTransferred } from "./events.ts";

interface Ends {
  readonly fromOwner: string;
  readonly fromSubaccount: number;
  readonly toOwner: string;
  readonly toSubaccount: number;
}

const WHOLE = /^(0|[1-9][0-9]{0,37})$/;

/** Both owners; one signature where they are the same. */
export function signersOfTransfer({ fromOwner, toOwner }: Ends): readonly string[] {
  return fromOwner === toOwner ? [fromOwner] : [fromOwner, toOwner];
}

function endsOf(venue: Venue, ends: Ends): { readonly from: AccountId; readonly to: AccountId } {
  const from = venue.accounts.of(ends.fromOwner, ends.fromSubaccount);
  const to = venue.accounts.of(ends.toOwner, ends.toSubaccount);
  if (from === to) throw refuse("sameSubaccount", "expected two different sub-accounts");
  return { from, to };
}

/** Without state. */
export function checkTransfer(
  venue: Venue,
  message: MsgTransferPosition | MsgTransferSubaccount,
): void {
  endsOf(venue, message);
  if ("collateral" in message) collateralOf(message.collateral);
}

function collateralOf(text: string): bigint {
  if (text === "") return 0n;
  if (!WHOLE.test(text)) {
    throw refuse("invalidRequest", "expected collateral in whole quanta");
  }
  return BigInt(text);
}

export function transferPosition(
  ctx: WriteContext,
  venue: Venue,
  message: MsgTransferPosition,
): MsgTransferPositionResponse {
  const { from, to } = endsOf(venue, message);
  const quanta = collateralOf(message.collateral);
  const instrument = requireInstrument(ctx, venue, message.market);
  const mark = requireOpenMarket(ctx, venue, instrument);
  const position = venue.clearing.positionLots(ctx, from, instrument.id);
  const held = absolute(position);
  const lots = message.size === "" ? held : BigInt(parseSize(instrument, message.size));
  if (lots === 0n || lots > held) {
    const size = formatSize(instrument, position);
    throw refuse("noSuchPosition", `expected at most the position of ${size}`);
  }
  const party = (account: AccountId): TradeParty => ({ account, feeQuanta: 0n, orderId: null });
  const long = position > 0n;
  const trade = {
    market: instrument.id,
    priceTicks: mark.ticks,
    lots,
    buyer: party(long ? to : from),
    seller: party(long ? from : to),
    taker: long ? "sell" : "buy",
    kind: "transfer",
  } as const;
  const moves = quanta === 0n ? [] : [{ from, to, quanta }];
  const result = venue.clearing.clearAll(ctx, [trade], moves);
  if (!result.ok) {
    const who = venue.accounts.text(result.refused);
    throw new ModuleError("margin", result.code, `${who}: ${result.reason}`);
  }
  const turn = openTurn(ctx, venue, instrument);
  enforceReduceOnly(turn, from);
  enforceReduceOnly(turn, to);
  closeTurn(turn);
  const signed = long ? lots : -lots;
  const moved = { instrument, from, to, lots: signed, ticks: mark.ticks, collateral: quanta };
  positionTransferred(ctx, venue, moved);
  return { size: formatSize(instrument, signed), price: formatPrice(instrument, mark.ticks) };
}

/** What a transfer cancels it cancels at once: no way out for orders whose cancels wait for a round. */
function requireNoneInRounds(ctx: WriteContext, venue: Venue, account: AccountId): void {
  for (const id of marketsWithOrders(ctx, venue.state)) {
    const instrument = instrumentById(ctx, venue, id);
    if (instrument === undefined || roundOf(ctx, instrument) === 0) continue;
    const resting = venue.books.of(ctx, id).openOrders(account);
    const waiting = venue.waiting.of(ctx, id).openOrders(account);
    if (resting + waiting + collectedIn(ctx, venue, instrument, account).length === 0) continue;
    throw refuse(
      "openInRounds",
      `the sub-account has orders in ${instrument.symbol}, whose cancels wait for a round: cancel them first`,
    );
  }
}

export function transferSubaccount(
  ctx: WriteContext,
  venue: Venue,
  message: MsgTransferSubaccount,
): void {
  const { from, to } = endsOf(venue, message);
  if (!venue.clearing.exists(ctx, from)) {
    throw refuse("unknownAccount", "the sub-account holds nothing");
  }
  if (venue.clearing.exists(ctx, to)) {
    throw refuse(
      "subaccountInUse",
      `expected an unused sub-account, got ${venue.accounts.text(to)}`,
    );
  }
  requireNoneInRounds(ctx, venue, from);
  cancelAll(ctx, venue, from, "transfer");
  venue.clearing.portAccount(ctx, from, to);
  subaccountTransferred(ctx, venue, from, to);
}
