/**
 * A sub-account: (owner, number). In memory and in keys it is 24 latin-1 characters (20 address bytes, number as big-endian u32),
 * so it is at once a Map key, a state key part and ordered like its bytes. In text it is "keel1…/0".
 */

import type { KeyCodec } from "./collections/codecs.ts";
import { bytesToKey, keyToBytes, u32Key } from "./collections/codecs.ts";
import { assert } from "./errors.ts";

declare const accountIdBrand: unique symbol;
declare const ownerKeyBrand: unique symbol;
export type AccountId = string & { readonly [accountIdBrand]: true };

export function accountId(owner: Uint8Array, number: number): AccountId {
  assert(owner.length === 20, `expected a 20-byte owner address, got ${owner.length} bytes`);
  assert(
    Number.isInteger(number) && number >= 0 && number <= 0xffffffff,
    `sub-account number out of range: ${number}`,
  );
  // Made in one piece: joined strings are slow to hash, and these are map keys everywhere.
  const bytes = new Uint8Array(24);
  bytes.set(owner);
  for (let i = 0; i < 4; i++) bytes[20 + i] = number >>> (24 - 8 * i);
  return bytesToKey(bytes) as AccountId;
}

/** Address of an owner as 20 latin-1 characters, as it begins the owner's sub-accounts. */
export type OwnerKey = string & { readonly [ownerKeyBrand]: true };

const OWNER_LENGTH = 20;

export function ownerKeyOf(account: AccountId): OwnerKey {
  return account.slice(0, OWNER_LENGTH) as OwnerKey;
}

export function ownerOf(account: AccountId): Uint8Array {
  return keyToBytes(ownerKeyOf(account));
}

export const ownerKeyCodec: KeyCodec<OwnerKey> = {
  encode: (owner) => owner,
  decode(text, offset) {
    const end = offset + OWNER_LENGTH;
    assert(end <= text.length, "owner key ends early");
    return [text.slice(offset, end) as OwnerKey, end];
  },
};

/** Of one owner? */
export function isSameOwner(a: AccountId, b: AccountId): boolean {
  return ownerKeyOf(a) === ownerKeyOf(b);
}

export function numberOf(account: AccountId): number {
  return u32Key.decode(account, 20)[0];
}

export const accountIdKey: KeyCodec<AccountId> = {
  encode: (account) => account,
  decode(text, offset) {
    assert(offset + 24 <= text.length, "account key ends early");
    return [text.slice(offset, offset + 24) as AccountId, offset + 24];
  },
};
