/** Store `bank`, laid out as SDK 0.50's: interchain queries read these keys. */
import type { KeyCodec } from "../kit/collections/codecs.ts";
import {
  asciiKey,
  intTextValue,
  pairKey,
  prefixedBytesKey,
  protoValue,
  terminatedKey,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { DenomMetadata, Params } from "./types.ts";

export interface BankState {
  /** denom → total amount in existence. */
  readonly supply: MapCollection<string, bigint>;
  readonly metadata: MapCollection<string, DenomMetadata>;
  /** (address, denom) → amount; never zero. */
  readonly balances: MapCollection<readonly [Uint8Array, string], bigint>;
  /** (denom, address), for "who holds this denom". Its values are empty, as the SDK's. */
  readonly holders: MapCollection<readonly [string, Uint8Array], true>;
  readonly params: ItemCollection<Params>;
}

const ownerDenomKey: KeyCodec<readonly [Uint8Array, string]> = pairKey(prefixedBytesKey, asciiKey);
const denomOwnerKey: KeyCodec<readonly [string, Uint8Array]> = pairKey(
  terminatedKey,
  prefixedBytesKey,
);

const emptyValue = {
  encode: (): Uint8Array => new Uint8Array(0),
  decode: (): true => true,
  size: (): number => 0,
} as const;

export function bankState(schema: Schema): BankState {
  return {
    supply: schema.map(0x00, "supply", asciiKey, intTextValue),
    metadata: schema.map(0x01, "denom_metadata", asciiKey, protoValue(DenomMetadata)),
    balances: schema.map(0x02, "balances", ownerDenomKey, intTextValue),
    holders: schema.map(0x03, "address_by_denom_index", denomOwnerKey, emptyValue),
    params: schema.item(0x05, "params", protoValue(Params)),
  };
}
