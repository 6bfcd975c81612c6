/**
 * Who trades for whom, decided in one place: a message's sender trades for itself, or for `owner` under a live grant. Every trading message
 * asks here, and a grant's bounds hold for all of them alike.
 */

import type { TradingGrant } from "@keel/proto/gen/keel/derivatives/v1/trading_keys";
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { parseDecimal } from "../../kit/math/decimal.ts";
import {
  type Instrument,
  instrumentOf,
  MONEY_PLACES,
  notionalOf,
  parsePrice,
  parseSize,
} from "../instruments.ts";
import type { DerivativesKeeper } from "../keeper.ts";
import { bandLimit, markOf } from "../marks.ts";
import type { OrderRequest } from "../requests.ts";
import { requireInstrument, type Venue } from "../venue.ts";
import { requireGrant, requireGrantedMarket, spend } from "./grants.ts";
import type { GrantKey } from "./state.ts";

export type TradingHand = Pick<DerivativesKeeper, "place" | "cancel" | "cancelAll">;

export interface Trader {
  readonly account: AccountId;
  /** The keeper's operations, within the grant. */
  readonly hand: TradingHand;
}

export interface TradingMessage {
  readonly sender: string;
  /** Empty: the sender. */
  readonly owner: string;
  readonly subaccount: number;
}

/** Without state. */
export function checkTrader({ addresses }: Venue, { sender, owner }: TradingMessage): void {
  addresses.parse(sender);
  if (owner !== "") addresses.parse(owner);
}

/** Null: the sender trades for itself. Throws ModuleError without a grant for the sub-account. */
export function grantOf(
  ctx: WriteContext,
  { venue, message }: { readonly venue: Venue; readonly message: TradingMessage },
): { readonly at: GrantKey; readonly grant: TradingGrant } | null {
  const { addresses } = venue;
  const { sender, owner, subaccount } = message;
  if (owner === "" || owner === sender) return null;
  const at: GrantKey = [addresses.parse(owner), addresses.parse(sender)];
  return { at, grant: requireGrant(ctx, venue, at, subaccount) };
}

export function traderOf(
  ctx: WriteContext,
  venue: Venue,
  keeper: DerivativesKeeper,
  message: TradingMessage,
): Trader {
  const granted = grantOf(ctx, { venue, message });
  const owner = message.owner === "" ? message.sender : message.owner;
  const account = venue.accounts.of(owner, message.subaccount);
  if (granted === null) return { account, hand: keeper };
  return { account, hand: boundHand(venue, keeper, granted) };
}

function boundHand(
  venue: Venue,
  keeper: DerivativesKeeper,
  { at, grant }: { readonly at: GrantKey; readonly grant: TradingGrant },
): TradingHand {
  const granted = (ctx: WriteContext, symbol: string): Instrument => {
    const instrument = requireInstrument(ctx, venue, symbol);
    requireGrantedMarket(grant, instrument.id, instrument.symbol);
    return instrument;
  };
  return {
    place(ctx, account, request) {
      const instrument = granted(ctx, request.market);
      const placed = keeper.place(ctx, account, request);
      if (request.reduceOnly) return placed;
      const rest = (): number => limitTicks(ctx, venue, instrument, request);
      spend(ctx, venue, at, grant, committed(instrument, placed, rest));
      return placed;
    },
    cancel(ctx, account, name) {
      granted(ctx, name.market);
      return keeper.cancel(ctx, account, name);
    },
    cancelAll(ctx, account, symbol) {
      if (symbol !== "") granted(ctx, symbol);
      if (symbol !== "" || grant.markets.length === 0)
        return keeper.cancelAll(ctx, account, symbol);
      const symbols: string[] = [];
      venue.state.markets.each(ctx, (id, market) => {
        if (grant.markets.includes(id)) symbols.push(instrumentOf(market).symbol);
      });
      return symbols.reduce((sum, one) => sum + keeper.cancelAll(ctx, account, one), 0);
    },
  };
}

/** What an order commits to, in quanta: filled at once, plus what rests at its limit. Cancelling that later gives nothing back. */
function committed(
  instrument: Instrument,
  placed: MsgPlaceOrderResponse,
  restTicks: () => number,
): bigint {
  const filled = parseDecimal(placed.filledQuote, MONEY_PLACES) ?? 0n;
  if (placed.remainingSize === "0") return filled;
  return filled + notionalOf(instrument, restTicks(), parseSize(instrument, placed.remainingSize));
}

/** A market order without a worst price waits for an auction inside the band. */
function limitTicks(
  ctx: WriteContext,
  venue: Venue,
  instrument: Instrument,
  request: OrderRequest,
): number {
  if (request.price !== "") return parsePrice(instrument, request.price);
  const mark = markOf(ctx, venue.oracle, instrument);
  assert(mark !== undefined, "an order was taken without a mark");
  return bandLimit(mark.ticks, request.side, instrument.terms.priceBandPpm);
}
