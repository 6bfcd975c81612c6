/** Store `acc`, laid out as SDK 0.53's, nonces apart: interchain queries read these keys. */
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
  /** (timeout in nanoseconds, address) of unordered transactions that may still be replayed. Derived from `nonceBlocks`. */
  readonly nonces: MapCollection<Nonce, true>;
  /**
   * (latest timeout among them, height, number) → the nonces that a block used, 28 bytes each. One record per block and not per transaction:
   * of all keys that a block of orders changes, nonces and their removal were three in five.
   */
  readonly nonceBlocks: MapCollection<readonly [bigint, readonly [bigint, bigint]], Uint8Array>;
}

export type Nonce = readonly [timeoutNs: bigint, address: Uint8Array];

const SIGN_BIT = 1n << 63n;

/** Signed 64-bit, big-endian with the sign bit flipped, so that bytes order as numbers do. */
export const int64Key: KeyCodec<bigint> = {
  encode: (key) => u64Key.encode(key + SIGN_BIT),
  decode(text, offset) {
    const [value, end] = u64Key.decode(text, offset);
    return [value - SIGN_BIT, end];
  },
};

const bytesValue: ValueCodec<Uint8Array> = {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
  size: (bytes) => bytes.length,
};

export const nonceKey: KeyCodec<Nonce> = pairKey(int64Key, rawBytesKey);

export function authState(schema: Schema, addresses: Addresses): AuthState {
  return {
    params: schema.item(0x00, "params", protoValue(Params)),
    accounts: schema.map(0x01, "accounts", rawBytesKey, accountValue(addresses)),
    nextNumber: schema.item(0x02, "global_account_number", u64Value),
    nonces: schema.derivedSet("unordered_nonces", nonceKey),
    nonceBlocks: schema.map(
      0x5b,
      "unordered_blocks",
      pairKey(int64Key, pairKey(u64Key, u64Key)),
      bytesValue,
    ),
    byNumber: schema.map(utf8ToBytes("accountNumber"), "account_by_number", u64Key, bytesValue),
  };
}
