/** What is kept of owners with two or more sub-accounts in store "margin". Of all others nothing is. */
import { OwnerMarket as OwnerMarketMessage } from "@keel/proto/gen/keel/margin/v1/owners";
import type { AccountId } from "../../kit/account-id.ts";
import {
  type KeyCodec,
  markerValue,
  pairKey,
  u32Key,
  type ValueCodec,
} from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { parseMoney } from "../../kit/money.ts";
import type { MarketId } from "../ports.ts";

declare const ownerBrand: unique symbol;
/** An address as it stands in keys: the first 20 characters of its sub-accounts' ids. */
export type Owner = string & { readonly [ownerBrand]: true };
const OWNER_LENGTH = 20;

export function ownerText(id: AccountId): Owner {
  return id.slice(0, OWNER_LENGTH) as Owner;
}

export function subaccountOf(owner: Owner, number: number): AccountId {
  return (owner + u32Key.encode(number)) as AccountId;
}

const ownerKey: KeyCodec<Owner> = {
  encode: (owner) => owner,
  decode(text, offset) {
    const end = offset + OWNER_LENGTH;
    assert(end <= text.length, "owner key ends early");
    return [text.slice(offset, end) as Owner, end];
  },
};

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
  readonly several: MapCollection<Owner, true>;
  /** Of those, by market. */
  readonly markets: MapCollection<readonly [Owner, MarketId], OwnerMarket>;
}

export function ownerState(schema: Schema): OwnerState {
  return {
    several: schema.map(0x19, "owners_of_several", ownerKey, markerValue),
    markets: schema.map(0x1a, "owner_markets", pairKey(ownerKey, u32Key), ownerMarketValue),
  };
}

/** Charges nothing: whoever has one sub-account pays nothing for those who have several. */
export function ownsSeveral(ctx: ReadContext, { several }: OwnerState, owner: Owner): boolean {
  return ctx.state.get(several.id, owner) !== undefined;
}

/** Charges nothing, as all that is read of an account with its record. */
export function ownerMarket(
  ctx: ReadContext,
  { markets }: OwnerState,
  owner: Owner,
  market: MarketId,
): OwnerMarket {
  let found = NOTHING_THERE;
  markets.scan(ctx, owner + u32Key.encode(market), (record) => {
    found = record;
  });
  return found;
}
