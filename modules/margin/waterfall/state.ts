/** What the waterfall keeps in store "margin". */
import { LossOrigin, WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey } from "../../kit/account-id.ts";
import { asciiKey, intTextValue, protoValue } from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";

export interface WaterfallState {
  /** Absent: one fund for all markets. */
  readonly params: ItemCollection<WaterfallParams>;
  /** Of accounts in the deficit queue: what classes their loss is charged to. Owner and number are the key's. */
  readonly origins: MapCollection<AccountId, LossOrigin>;
  /** Trading fees of a class since fees were split last, less rebates. */
  readonly classFees: MapCollection<string, bigint>;
}

export function waterfallState(schema: Schema): WaterfallState {
  return {
    params: schema.item(22, "waterfall", protoValue(WaterfallParams)),
    origins: schema.map(23, "loss_origins", accountIdKey, protoValue(LossOrigin)),
    classFees: schema.map(24, "class_fees", asciiKey, intTextValue),
  };
}
