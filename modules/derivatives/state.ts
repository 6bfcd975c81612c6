/** Store `derivatives`. Values are the published messages; orders lie in execution order, so a prefix scan is the book. */
import type {
  AuctionState,
  CollectedOrder,
  MarketCounters,
  RestingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  AuctionState as AuctionStateCodec,
  Bond,
  CollectedOrder as CollectedOrderCodec,
  FeedAggregate,
  Funding,
  FundingHistory,
  InstrumentIds,
  Market,
  Params,
  Settlement,
  StoredSeries,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, accountIdKey } from "../kit/account-id.ts";
import type { KeyCodec, ValueCodec } from "../kit/collections/codecs.ts";
import {
  asciiKey,
  bytesToKey,
  heightKey,
  keyToBytes,
  markerValue,
  pairKey,
  protoValue,
  tripleKey,
  u32Key,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { AssertionError } from "../kit/errors.ts";
import { type ExternalState, externalState } from "./external/state.ts";
import { type KeysState, keysState } from "./keys/state.ts";
import { TICKS_MAX } from "./limits.ts";
import type { MarketId, Side } from "./ports.ts";
import { countersValue, restingOrderValue } from "./record-codecs.ts";

export interface OrderKey {
  readonly market: MarketId;
  readonly side: Side;
  readonly ticks: number;
  readonly id: number;
}

export interface DerivativesState {
  readonly params: ItemCollection<Params>;
  readonly markets: MapCollection<MarketId, Market>;
  /** Symbol → market id. */
  readonly symbols: MapCollection<string, MarketId>;
  readonly counters: MapCollection<MarketId, MarketCounters>;
  readonly orders: MapCollection<OrderKey, RestingOrder>;
  /** (market, good-til ms, order id), for orders that expire. */
  readonly expiries: MapCollection<readonly [MarketId, number, number], true>;
  readonly funding: MapCollection<MarketId, Funding>;
  readonly fundingHistory: MapCollection<MarketId, FundingHistory>;
  /** Feeds on which a settlement window is open. */
  readonly aggregates: MapCollection<number, FeedAggregate>;
  readonly settlements: MapCollection<SettlementKey, Settlement>;
  /** (when, settlement): a window opens or ends then. */
  readonly windows: MapCollection<readonly [number, SettlementKey], true>;
  /** (when, market): the next step of its life. */
  readonly due: MapCollection<readonly [number, MarketId], true>;
  readonly ids: ItemCollection<InstrumentIds>;
  readonly series: MapCollection<number, StoredSeries>;
  /** Markets in status settling. */
  readonly settling: MapCollection<MarketId, true>;
  readonly bonds: MapCollection<MarketId, Bond>;
  /** (market, sub-account, client id), which is the order in which ids are given. */
  readonly collected: MapCollection<readonly [MarketId, AccountId, string], CollectedOrder>;
  readonly auctions: MapCollection<MarketId, AuctionState>;
  readonly external: ExternalState;
  readonly keys: KeysState;
}

/** Feed, expiry ms, window ms. */
export type SettlementKey = readonly [number, number, number];

const settlementKey = tripleKey(u32Key, heightKey, heightKey);

const TWO_32 = 4_294_967_296;

/** Market, side (1 bids, 2 asks), distance of the price from the side's best conceivable, id: 17 bytes, ascending = execution order. */
export const orderKey: KeyCodec<OrderKey> = {
  encode({ market, side, ticks, id }) {
    if (!(ticks > 0 && ticks <= TICKS_MAX)) throw new AssertionError("order key: ticks");
    return (
      orderSidePrefix(market, side) + u32(side === "buy" ? TICKS_MAX - ticks : ticks) + u64(id)
    );
  },
  decode(text, offset) {
    const [market] = u32Key.decode(text, offset);
    const side = text.charCodeAt(offset + 4) === 1 ? "buy" : "sell";
    const [rank] = u32Key.decode(text, offset + 5);
    const [high] = u32Key.decode(text, offset + 9);
    const [low] = u32Key.decode(text, offset + 13);
    const ticks = side === "buy" ? TICKS_MAX - rank : rank;
    return [{ market, side, ticks, id: high * TWO_32 + low }, offset + 17];
  },
};

export function orderSidePrefix(market: MarketId, side: Side): string {
  return u32(market) + (side === "buy" ? "\u0001" : "\u0002");
}

function u32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

function u64(value: number): string {
  return u32((value - (value >>> 0)) / TWO_32) + u32(value);
}

const marketIdValue: ValueCodec<MarketId> = {
  encode: (value) => keyToBytes(u32Key.encode(value)),
  decode: (bytes) => u32Key.decode(bytesToKey(bytes), 0)[0],
  size: () => 4,
};

export function derivativesState(schema: Schema): DerivativesState {
  return {
    params: schema.item(0x00, "params", protoValue(Params)),
    markets: schema.map(0x01, "markets", u32Key, protoValue(Market)),
    symbols: schema.map(0x02, "symbols", asciiKey, marketIdValue),
    counters: schema.map(0x03, "counters", u32Key, countersValue),
    orders: schema.map(0x04, "orders", orderKey, restingOrderValue),
    expiries: schema.map(0x05, "expiries", tripleKey(u32Key, heightKey, heightKey), markerValue),
    funding: schema.map(0x06, "funding", u32Key, protoValue(Funding)),
    fundingHistory: schema.map(0x07, "funding_history", u32Key, protoValue(FundingHistory)),
    aggregates: schema.map(0x08, "aggregates", u32Key, protoValue(FeedAggregate)),
    settlements: schema.map(0x09, "settlements", settlementKey, protoValue(Settlement)),
    windows: schema.map(0x0a, "windows", pairKey(heightKey, settlementKey), markerValue),
    due: schema.map(0x0b, "due", pairKey(heightKey, u32Key), markerValue),
    ids: schema.item(0x0c, "ids", protoValue(InstrumentIds)),
    series: schema.map(0x0d, "series", u32Key, protoValue(StoredSeries)),
    settling: schema.map(0x0e, "settling", u32Key, markerValue),
    bonds: schema.map(0x0f, "bonds", u32Key, protoValue(Bond)),
    collected: schema.map(
      0x18,
      "collected",
      tripleKey(u32Key, accountIdKey, asciiKey),
      protoValue(CollectedOrderCodec),
    ),
    auctions: schema.map(0x19, "auctions", u32Key, protoValue(AuctionStateCodec)),
    external: externalState(schema),
    keys: keysState(schema),
  };
}
