/** Fee parameters, and what is kept of owners: volume, actions, referral, builders they approve of. */
import {
  BuilderApproval,
  FeeParams,
  type TraderRecord,
} from "@keel/proto/gen/keel/derivatives/v1/fees";
import { type OwnerKey, ownerKeyCodec } from "../../kit/account-id.ts";
import type { ValueCodec } from "../../kit/collections/codecs.ts";
import { asciiKey, pairKey, protoValue } from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";
import { traderValue } from "./record-codec.ts";

const addressValue: ValueCodec<Uint8Array> = {
  encode: (address) => address,
  decode: (bytes) => bytes,
  size: (address) => address.length,
};

export interface FeesState {
  /** Absent: tiers, referral and budget are off. */
  readonly params: ItemCollection<FeeParams>;
  readonly traders: MapCollection<OwnerKey, TraderRecord>;
  /** Code → address of its owner. */
  readonly codes: MapCollection<string, Uint8Array>;
  /** (owner, builder). */
  readonly approvals: MapCollection<readonly [OwnerKey, OwnerKey], BuilderApproval>;
}

export function feesState(schema: Schema): FeesState {
  return {
    params: schema.item(0x30, "fee_params", protoValue(FeeParams)),
    traders: schema.map(0x31, "traders", ownerKeyCodec, traderValue),
    codes: schema.map(0x32, "referral_codes", asciiKey, addressValue),
    approvals: schema.map(
      0x33,
      "builder_approvals",
      pairKey(ownerKeyCodec, ownerKeyCodec),
      protoValue(BuilderApproval),
    ),
  };
}
