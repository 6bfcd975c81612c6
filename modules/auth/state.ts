/** Store `acc`, laid out as SDK 0.53's: interchain queries read these keys. */
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import type { Addresses } from "../kit/addresses.ts";
import type { KeyCodec, ValueCodec } from "../kit/collections/codecs.ts";
import { pairKey, protoValue, rawBytesKey, u64Key, u64Value } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import type { Account } from "./account.ts";
import { accountValue } from "./account.ts";
import { Params } from "./types.ts";

export interface AuthState {
  readonly params: ItemCollection<Params>;
  readonly accounts: MapCollection<Uint8Array, Account>;
  /** The number the next new account gets. */
  readonly nextNumber: ItemCollection<bigint>;
  /** account number → address. */
  readonly byNumber: MapCollection<bigint, Uint8Array>;
  /** (timeout in nanoseconds, address) of unordered transactions that may still be replayed. */
  readonly nonces: MapCollection<readonly [bigint, Uint8Array], true>;
}

const SIGN_BIT = 1n << 63n;

/** Signed 64-bit, big-endian with the sign bit flipped, so that bytes order as numbers do. */
export const int64Key: KeyCodec<bigint> = {
  encode: (key) => u64Key.encode(key + SIGN_BIT),
  decode(text, offset) {
    const [value, end] = u64Key.decode(text, offset);
    return [value - SIGN_BIT, end];
  },
};

const emptyValue: ValueCodec<true> = {
  encode: () => new Uint8Array(0),
  decode: () => true,
  size: () => 0,
};

const addressValue: ValueCodec<Uint8Array> = {
  encode: (address) => address,
  decode: (bytes) => bytes,
  size: (address) => address.length,
};

export function authState(schema: Schema, addresses: Addresses): AuthState {
  return {
    params: schema.item(0x00, "params", protoValue(Params)),
    accounts: schema.map(0x01, "accounts", rawBytesKey, accountValue(addresses)),
    nextNumber: schema.item(0x02, "global_account_number", u64Value),
    nonces: schema.map(0x5a, "unordered_nonces", pairKey(int64Key, rawBytesKey), emptyValue),
    byNumber: schema.map(utf8ToBytes("accountNumber"), "account_by_number", u64Key, addressValue),
  };
}
