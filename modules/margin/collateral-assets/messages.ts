/** Message routes of collateral assets; deposits, withdrawals and transfers are margin's own. */
import {
  MsgAllowCollateralHolder,
  MsgAllowCollateralHolderResponse,
  MsgAttestCollateralPrice,
  MsgAttestCollateralPriceResponse,
  MsgBuyCollateral,
  MsgBuyCollateralResponse,
  MsgFreezeCollateral,
  MsgFreezeCollateralResponse,
  MsgSetCollateralAsset,
  MsgSetCollateralAssetResponse,
} from "@keel/proto/gen/keel/margin/v1/collateral";
import type { Addresses } from "../../kit/addresses.ts";
import type { RequireAuthority } from "../../kit/authority.ts";
import { parseDecimal } from "../../kit/math/decimal.ts";
import { type MessageRoute, onMessage } from "../../kit/module.ts";
import { MONEY_LIMIT, positiveMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import {
  emitCollateralAsset,
  emitCollateralFrozen,
  emitCollateralHolder,
  emitPriceAttested,
} from "./events.ts";
import { validateCollateralTerms } from "./terms.ts";
import type { AssetTerms } from "./terms-change.ts";

const PRICE_PLACES = 18;

function priceOf(text: string): bigint {
  const price = parseDecimal(text, PRICE_PLACES);
  if (price === null || price <= 0n || price >= MONEY_LIMIT) {
    throw refuse("invalidAmount", `expected a positive price, got "${text.slice(0, 50)}"`);
  }
  return price;
}

const positive = (text: string): bigint => positiveMoney(text, refuse);

export function assetMessages(
  assets: AssetTerms,
  addresses: Addresses,
  requireAuthority: RequireAuthority,
): readonly MessageRoute[] {
  return [
    onMessage({
      typeUrl: "/keel.margin.v1.MsgSetCollateralAsset",
      request: MsgSetCollateralAsset,
      response: MsgSetCollateralAssetResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.terms !== undefined) validateCollateralTerms(message.terms, addresses);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        assets.set(ctx, message.denom, message.terms);
        emitCollateralAsset(ctx, message.denom, message.terms);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgAttestCollateralPrice",
      request: MsgAttestCollateralPrice,
      response: MsgAttestCollateralPriceResponse,
      signers: (message) => [message.attestor],
      validate(message) {
        addresses.parse(message.attestor);
        priceOf(message.price);
      },
      handle(ctx, message) {
        const price = priceOf(message.price);
        assets.attest(ctx, message.attestor, message.denom, price);
        emitPriceAttested(ctx, message.denom, price);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgFreezeCollateral",
      request: MsgFreezeCollateral,
      response: MsgFreezeCollateralResponse,
      signers: (message) => [message.issuer],
      validate(message) {
        addresses.parse(message.issuer);
      },
      handle(ctx, message) {
        assets.freeze(ctx, message.issuer, message.denom, message.frozen);
        emitCollateralFrozen(ctx, message.denom, message.frozen);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgAllowCollateralHolder",
      request: MsgAllowCollateralHolder,
      response: MsgAllowCollateralHolderResponse,
      signers: (message) => [message.issuer],
      validate(message) {
        addresses.parse(message.issuer);
        addresses.parse(message.holder);
      },
      handle(ctx, message) {
        const { allowed, denom, issuer } = message;
        const holder = addresses.parse(message.holder);
        assets.allow(ctx, issuer, { denom, holder, allowed });
        emitCollateralHolder(ctx, denom, message.holder, allowed);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgBuyCollateral",
      request: MsgBuyCollateral,
      response: MsgBuyCollateralResponse,
      signers: (message) => [message.buyer],
      validate(message) {
        addresses.parse(message.buyer);
        positive(message.units);
        positive(message.costMax);
      },
      handle(ctx, message) {
        const cost = assets.buy(ctx, addresses.parse(message.buyer), {
          denom: message.denom,
          units: positive(message.units),
          costMax: positive(message.costMax),
        });
        return { cost: cost.toString() };
      },
    }),
  ];
}
