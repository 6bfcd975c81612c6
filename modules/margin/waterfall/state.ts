/** What the waterfall keeps in store "margin". */
import { EndingShare, MarketEnding } from "@keel/proto/gen/keel/margin/v1/settlement";
import { FundAdvance, WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey } from "../../kit/account-id.ts";
import {
  asciiKey,
  intTextValue,
  pairKey,
  protoValue,
  u32Key,
  type ValueCodec,
} from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";
import { assert } from "../../kit/errors.ts";
import { ADVANCE_TEXT_MAX } from "../limits.ts";
import type { MarketId } from "../ports.ts";

/** What a fund has paid into an account and may have back, and what comes back with it. */
export interface Advance {
  /** Quanta. */
  readonly amount: bigint;
  /** Shares of the protocol's own part of the fund that went for it. */
  readonly ownShares: bigint;
  /** Of the amount, quanta that count as an assessment. */
  readonly assessed: bigint;
}

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
  readonly advances: MapCollection<readonly [AccountId, string], Advance>;
}

const INTEGER = /^(0|[1-9][0-9]*)$/;

/** Null unless all are canonical; zero may be empty. */
export function advanceFrom({ amount, assessed, ownShares }: FundAdvance): Advance | null {
  const texts = [amount, ownShares || "0", assessed || "0"];
  if (!texts.every((text) => text.length <= ADVANCE_TEXT_MAX && INTEGER.test(text))) return null;
  const [paid = 0n, shares = 0n, taken = 0n] = texts.map(BigInt);
  return { amount: paid, ownShares: shares, assessed: taken };
}

export function advanceTexts(
  advance: Advance,
): Pick<FundAdvance, "amount" | "ownShares" | "assessed"> {
  const text = (value: bigint): string => (value === 0n ? "" : value.toString());
  return {
    amount: advance.amount.toString(),
    ownShares: text(advance.ownShares),
    assessed: text(advance.assessed),
  };
}

const advanceMessage = protoValue(FundAdvance);

/** Account and class are the key's. */
const advanceValue: ValueCodec<Advance> = {
  encode: (advance) =>
    advanceMessage.encode({ owner: "", subaccount: 0, riskClass: "", ...advanceTexts(advance) }),
  decode(bytes) {
    const advance = advanceFrom(advanceMessage.decode(bytes));
    assert(advance !== null, "expected a stored advance");
    return advance;
  },
};

/** 17 held the classes of open losses; where these belong is kept by custody (1501). */
export function waterfallState(schema: Schema): WaterfallState {
  return {
    params: schema.item(22, "waterfall", protoValue(WaterfallParams)),
    classFees: schema.map(24, "class_fees", asciiKey, intTextValue),
    endings: schema.map(0x1d, "endings", u32Key, protoValue(MarketEnding)),
    shares: schema.map(0x1e, "ending_shares", accountIdKey, protoValue(EndingShare)),
    advances: schema.map(0x1f, "fund_advances", pairKey(accountIdKey, asciiKey), advanceValue),
  };
}
