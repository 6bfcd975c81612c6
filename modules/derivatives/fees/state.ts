/** Fee parameters, and what is kept of owners: volume, actions, referral, builders they approve of. */
import {
  BuilderApproval,
  FeeParams,
  type TraderRecord,
} from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { AccountId } from "../../kit/account-id.ts";
import type { KeyCodec, ValueCodec } from "../../kit/collections/codecs.ts";
import { asciiKey, pairKey, protoValue } from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";
import { assert } from "../../kit/errors.ts";
import { traderValue } from "./record-codec.ts";

declare const ownerBrand: unique symbol;
/** Address of an owner as 20 latin-1 characters, as it begins the owner's sub-accounts. */
export type Owner = string & { readonly [ownerBrand]: true };

export function ownerOfAccount(account: AccountId): Owner {
  return account.slice(0, 20) as Owner;
}

const ownerKey: KeyCodec<Owner> = {
  encode: (owner) => owner,
  decode(text, offset) {
    assert(offset + 20 <= text.length, "owner key ends early");
    return [text.slice(offset, offset + 20) as Owner, offset + 20];
  },
};

const addressValue: ValueCodec<Uint8Array> = {
  encode: (address) => address,
  decode: (bytes) => bytes,
  size: (address) => address.length,
};

export interface FeesState {
  /** Absent: tiers, referral and budget are off. */
  readonly params: ItemCollection<FeeParams>;
  readonly traders: MapCollection<Owner, TraderRecord>;
  /** Code → address of its owner. */
  readonly codes: MapCollection<string, Uint8Array>;
  /** (owner, builder). */
  readonly approvals: MapCollection<readonly [Owner, Owner], BuilderApproval>;
}

export function feesState(schema: Schema): FeesState {
  return {
    params: schema.item(0x30, "fee_params", protoValue(FeeParams)),
    traders: schema.map(0x31, "traders", ownerKey, traderValue),
    codes: schema.map(0x32, "referral_codes", asciiKey, addressValue),
    approvals: schema.map(
      0x33,
      "builder_approvals",
      pairKey(ownerKey, ownerKey),
      protoValue(BuilderApproval),
    ),
  };
}
