/** What is kept of owners with two or more sub-accounts in store "margin". Of all others nothing is. */
import { OwnerMarket as OwnerMarketMessage } from "@keel/proto/gen/keel/margin/v1/owners";
import { type AccountId, type OwnerKey, ownerKeyCodec } from "../../kit/account-id.ts";
import { markerValue, pairKey, u32Key, type ValueCodec } from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { parseMoney } from "../../kit/money.ts";
import type { MarketId } from "../ports.ts";

export function subaccountOf(owner: OwnerKey, number: number): AccountId {
  return (owner + u32Key.encode(number)) as AccountId;
}

/** All that the sub-accounts of an owner have in one market, lots without sign. */
export interface OwnerMarket {
  /** Numbers of those with a position or orders there, ascending. */
  readonly subaccounts: readonly number[];
  readonly lots: bigint;
  readonly worstLots: bigint;
}

export const NOTHING_THERE: OwnerMarket = { subaccounts: [], lots: 0n, worstLots: 0n };

function stored(text: string): bigint {
  const lots = parseMoney(text);
  assert(lots !== null, `expected stored lots, got "${text}"`);
  return lots;
}

const ownerMarketValue: ValueCodec<OwnerMarket> = {
  encode: ({ lots, subaccounts, worstLots }) =>
    OwnerMarketMessage.encode({
      subaccounts: [...subaccounts],
      lots: lots.toString(),
      worstLots: worstLots.toString(),
    }).finish(),
  decode(bytes) {
    const { lots, subaccounts, worstLots } = OwnerMarketMessage.decode(bytes);
    return { subaccounts, lots: stored(lots), worstLots: stored(worstLots) };
  },
};

export interface OwnerState {
  /** Owners of two or more sub-accounts. */
  readonly several: MapCollection<OwnerKey, true>;
  /** Of those, by market. */
  readonly markets: MapCollection<readonly [OwnerKey, MarketId], OwnerMarket>;
}

export function ownerState(schema: Schema): OwnerState {
  return {
    several: schema.map(0x19, "owners_of_several", ownerKeyCodec, markerValue),
    markets: schema.map(0x1a, "owner_markets", pairKey(ownerKeyCodec, u32Key), ownerMarketValue),
  };
}

/** Charges nothing: whoever has one sub-account pays nothing for those who have several. */
export function ownsSeveral(ctx: ReadContext, { several }: OwnerState, owner: OwnerKey): boolean {
  return ctx.state.get(several.id, owner) !== undefined;
}

/** Charges nothing, as all that is read of an account with its record. */
export function ownerMarket(
  ctx: ReadContext,
  { markets }: OwnerState,
  owner: OwnerKey,
  market: MarketId,
): OwnerMarket {
  let found = NOTHING_THERE;
  markets.scan(ctx, owner + u32Key.encode(market), (record) => {
    found = record;
  });
  return found;
}
