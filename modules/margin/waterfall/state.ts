/** What the waterfall keeps in store "margin". */
import { EndingShare, MarketEnding } from "@keel/proto/gen/keel/margin/v1/settlement";
import { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey } from "../../kit/account-id.ts";
import {
  asciiKey,
  intTextValue,
  pairKey,
  protoValue,
  u32Key,
} from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { MarketId } from "../ports.ts";

export interface WaterfallState {
  /** Absent: one fund for all markets. */
  readonly params: ItemCollection<WaterfallParams>;
  /** Trading fees of a class since fees were split last, less rebates. */
  readonly classFees: MapCollection<string, bigint>;
  /** Markets that a loss has stopped or ended. */
  readonly endings: MapCollection<MarketId, MarketEnding>;
  /** Of the ended market that is being settled. Owner and number are the key's. */
  readonly shares: MapCollection<AccountId, EndingShare>;
  /** What the fund of a class has paid into an account that still holds something. */
  readonly advances: MapCollection<readonly [AccountId, string], bigint>;
}

/** 17 held the classes of open losses; where these belong is kept by custody (1501). */
export function waterfallState(schema: Schema): WaterfallState {
  return {
    params: schema.item(22, "waterfall", protoValue(WaterfallParams)),
    classFees: schema.map(24, "class_fees", asciiKey, intTextValue),
    endings: schema.map(0x1d, "endings", u32Key, protoValue(MarketEnding)),
    shares: schema.map(0x1e, "ending_shares", accountIdKey, protoValue(EndingShare)),
    advances: schema.map(0x1f, "fund_advances", pairKey(accountIdKey, asciiKey), intTextValue),
  };
}
