/**
 * Codecs of the records that change with every order. Their size is arithmetic, so gas never needs the encoding; the encoding is made
 * once per record, at commit, and not at all for orders that come and go within a block.
 */
import { pooled } from "@keel/proto/bytes/pooled";
import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import {
  BracketTerms,
  MarketCounters,
  RestingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { protoValue, type ValueCodec } from "../../kit/collections/codecs.ts";
import { shortField, varintField } from "../../kit/collections/field-sizes.ts";

/** As varintField, for fields from number 16 on, whose tag takes two bytes. */
function farVarintField(value: bigint | number): number {
  const size = varintField(value);
  return size === 0 ? 0 : size + 1;
}

/** Rare, so it is encoded to be measured. */
function bracketField(bracket: BracketTerms | undefined): number {
  if (bracket === undefined) return 0;
  const { length } = BracketTerms.encode(bracket).finish();
  return length + (length < 128 ? 3 : 4);
}

/** Its content is shorter than 128 bytes. */
function builderField(builder: BuilderTerms | undefined): number {
  if (builder === undefined) return 0;
  return 3 + shortField(builder.builder.length) + varintField(builder.feePpm);
}

function traderField({ length }: Uint8Array): number {
  return length === 0 ? 0 : 1 + shortField(length);
}

export function countersSize({ nextOrderId, sequence, lastTradeTicks }: MarketCounters): number {
  return varintField(nextOrderId) + varintField(sequence) + varintField(lastTradeTicks);
}

export function restingOrderSize(order: RestingOrder): number {
  return (
    varintField(order.market) +
    varintField(order.id) +
    shortField(order.owner.length) +
    varintField(order.subaccount) +
    varintField(order.side) +
    varintField(order.priceTicks) +
    varintField(order.sizeLots) +
    varintField(order.remainingLots) +
    (order.postOnly ? 2 : 0) +
    (order.reduceOnly ? 2 : 0) +
    // Client ids are ASCII: one byte a character.
    shortField(order.clientId.length) +
    varintField(order.goodTilMs) +
    varintField(order.feeReservePpm) +
    varintField(order.placedHeight) +
    varintField(order.priority) +
    farVarintField(order.goodTilHeight) +
    farVarintField(order.displayLots) +
    farVarintField(order.hiddenLots) +
    farVarintField(order.ocoId) +
    bracketField(order.bracket) +
    builderField(order.builder) +
    traderField(order.trader)
  );
}

export const countersValue: ValueCodec<MarketCounters> = protoValue(
  pooled(MarketCounters),
  countersSize,
);
export const restingOrderValue: ValueCodec<RestingOrder> = protoValue(
  pooled(RestingOrder),
  restingOrderSize,
);
