/** Grants of trading keys, by owner and address of the key. */
import { TradingGrant, TradingSpent } from "@keel/proto/gen/keel/derivatives/v1/trading_keys";
import {
  fixedBytesKey,
  heightKey,
  markerValue,
  pairKey,
  protoValue,
  tripleKey,
} from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";

/** Addresses: owner, trading key. */
export type GrantKey = readonly [owner: Uint8Array, trader: Uint8Array];

export interface KeysState {
  readonly grants: MapCollection<GrantKey, TradingGrant>;
  /** (expiry ms, owner, trader), of every grant. */
  readonly expiries: MapCollection<readonly [number, Uint8Array, Uint8Array], true>;
  readonly spent: MapCollection<GrantKey, TradingSpent>;
}

const addressKey = fixedBytesKey(20);

export function keysState(schema: Schema): KeysState {
  const grantKey = pairKey(addressKey, addressKey);
  return {
    grants: schema.map(0x28, "trading_grants", grantKey, protoValue(TradingGrant)),
    expiries: schema.map(
      0x29,
      "trading_grant_expiries",
      tripleKey(heightKey, addressKey, addressKey),
      markerValue,
    ),
    spent: schema.map(0x2a, "trading_spent", grantKey, protoValue(TradingSpent)),
  };
}
