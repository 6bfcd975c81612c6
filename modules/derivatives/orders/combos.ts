/**
 * Combinations: legs in different markets, each filled completely at once inside its market's band, all within one net limit, or nothing.
 * Margin is checked fill by fill, so legs that shrink a position go first: then no leg needs room that a later one would have made.
 */
import type {
  ComboLeg,
  MsgPlaceCombo,
  MsgPlaceComboResponse,
  MsgPlaceOrderResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { parseDecimal } from "../../kit/math/decimal.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { MONEY_PLACES } from "../instruments/contract.ts";
import { formatMoney, parseSize } from "../instruments.ts";
import { COMBO_LEGS_MAX } from "../limits.ts";
import type { Side } from "../ports.ts";
import { closeTurn, openTurn, requireInstrument, type Venue } from "../venue.ts";
import { requireContinuous, requireTradable } from "./admission.ts";
import { reducible } from "./execution.ts";
import { type Intent, PLAIN_INTENT } from "./intents.ts";
import { placeIntent } from "./placing.ts";
import { checkClientId, requireSide, selfTradeOf } from "./requests.ts";
import type { SelfTrade } from "./wire.ts";

interface Leg {
  readonly market: string;
  readonly side: Side;
  readonly size: string;
}

export interface Combo {
  readonly legs: readonly Leg[];
  /** Most that may be paid on balance; negative: least received. */
  readonly netLimit: bigint;
  readonly clientId: string;
  readonly selfTrade: SelfTrade;
  /** Address of the trading key that sends it; absent: the owner. */
  readonly trader?: Uint8Array;
}

export function parseCombo(message: MsgPlaceCombo): Combo {
  const { clientId } = message;
  if (message.legs.length < 2 || message.legs.length > COMBO_LEGS_MAX) {
    throw refuse(
      "invalidRequest",
      `expected 2 to ${COMBO_LEGS_MAX} legs, got ${message.legs.length}`,
    );
  }
  const legs = message.legs.map(({ market, side, size }: ComboLeg) => ({
    market,
    side: requireSide(side),
    size,
  }));
  if (new Set(legs.map(({ market }) => market)).size < legs.length) {
    throw refuse("invalidRequest", "expected legs of different markets");
  }
  const netLimit = parseDecimal(message.netLimit, MONEY_PLACES);
  if (netLimit === null) {
    throw refuse(
      "invalidPrice",
      `expected a net limit with at most ${MONEY_PLACES} places, got "${message.netLimit.slice(0, 60)}"`,
    );
  }
  checkClientId(clientId);
  return { legs, netLimit, clientId, selfTrade: selfTradeOf(message.selfTradePrevention) };
}

/** Throws ModuleError to refuse; the caller reverts what was done until then. */
export function placeCombo(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  combo: Combo,
): MsgPlaceComboResponse {
  const results = new Map<Leg, MsgPlaceOrderResponse>();
  for (const leg of reducingFirst(ctx, venue, account, combo.legs)) {
    results.set(leg, fillLeg(ctx, venue, account, leg, combo));
  }
  const legs = combo.legs.map((leg) => results.get(leg) as MsgPlaceOrderResponse);
  let net = 0n;
  let fees = 0n;
  combo.legs.forEach(({ side }, at) => {
    const { fee, filledQuote } = legs[at] as MsgPlaceOrderResponse;
    net += side === "buy" ? money(filledQuote) : -money(filledQuote);
    fees += money(fee);
  });
  if (net > combo.netLimit) {
    throw refuse(
      "comboBeyondLimit",
      `expected a net of at most ${formatMoney(combo.netLimit)}, the books ask ${formatMoney(net)}`,
    );
  }
  const { clientId } = combo;
  events.comboFilled(ctx, venue, { account, clientId, legs: legs.length, netQuanta: net });
  return { legs, netQuote: formatMoney(net), fee: formatMoney(fees) };
}

function reducingFirst(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  legs: readonly Leg[],
): Leg[] {
  const reduces = ({ market, side }: Leg): boolean => {
    const { id } = requireInstrument(ctx, venue, market);
    return reducible(venue.clearing.positionLots(ctx, account, id), side) > 0n;
  };
  const first = legs.filter(reduces);
  return [...first, ...legs.filter((leg) => !first.includes(leg))];
}

function fillLeg(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  leg: Leg,
  { selfTrade, trader }: Combo,
): MsgPlaceOrderResponse {
  const instrument = requireInstrument(ctx, venue, leg.market);
  const turn = openTurn(ctx, venue, instrument);
  requireContinuous(turn);
  const mark = requireTradable(turn, false);
  const lots = parseSize(instrument, leg.size);
  const intent: Intent = {
    ...PLAIN_INTENT,
    account,
    side: leg.side,
    type: "market",
    priceTicks: 0,
    sizeLots: lots,
    lots,
    force: "ioc",
    postOnly: false,
    reduceOnly: false,
    clientId: "",
    goodTilMs: 0,
    selfTrade,
    trader,
  };
  const response = placeIntent(turn, intent, mark);
  closeTurn(turn);
  if (response.status !== OrderStatus.ORDER_STATUS_FILLED) {
    throw refuse(
      "comboNotFilled",
      `${leg.market}: filled ${response.filledSize} of ${leg.size} (${response.reason})`,
    );
  }
  return response;
}

function money(text: string): bigint {
  const quanta = parseDecimal(text, MONEY_PLACES);
  assert(quanta !== null, `expected money, got "${text}"`);
  return quanta;
}
