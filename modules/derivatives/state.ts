/** Store `derivatives`. Values are the published messages; orders lie in execution order, so a prefix scan is the book. */

import { MarkBasis } from "@keel/proto/gen/keel/derivatives/v1/marks";
import { MarketStop } from "@keel/proto/gen/keel/derivatives/v1/stops";
import type {
  AuctionState,
  CollectedCancel,
  CollectedOrder,
  MarketCounters,
  RestingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  AuctionState as AuctionStateCodec,
  Bond,
  CollectedCancel as CollectedCancelCodec,
  CollectedOrder as CollectedOrderCodec,
  DeadMan,
  FeedAggregate,
  Funding,
  FundingHistory,
  InstrumentIds,
  Market,
  Params,
  Settlement,
  StoredSeries,
  TrailMark,
  WaitingOrder,
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
  u8Key,
  u32Key,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { AssertionError } from "../kit/errors.ts";
import { type ExternalState, externalState } from "./external/state.ts";
import { type FeesState, feesState } from "./fees/state.ts";
import { type KeysState, keysState } from "./keys/state.ts";
import { TICKS_MAX } from "./limits.ts";
import { countersValue, restingOrderValue } from "./orders/record-codecs.ts";
import type { MarketId, Side } from "./ports.ts";

export interface OrderKey {
  readonly market: MarketId;
  readonly side: Side;
  readonly ticks: number;
  /** Its id, until it was triggered, amended or refilled. */
  readonly priority: number;
}

export interface WaitingKey {
  readonly market: MarketId;
  readonly queue: number;
  /** Within the queue, most urgent first. */
  readonly rank: number;
  readonly id: number;
}

/** Trailing stops of one market: market, 1 for sells or 2 for buys, first order id of those that share a best mark. */
export type TrailMarkKey = readonly [MarketId, number, number];

/** Market and round. */
export const roundKey: KeyCodec<readonly [MarketId, number]> = pairKey(u32Key, heightKey);

/** (market, round), (sub-account, order id or 0), client id or "". */
export type CancelKey = readonly [
  readonly [MarketId, number],
  readonly [AccountId, number],
  string,
];

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
  /** Cancels that wait for their round. */
  readonly collectedCancels: MapCollection<CancelKey, CollectedCancel>;
  /** Of perpetuals whose mark is a median. */
  readonly markBasis: MapCollection<MarketId, MarkBasis>;
  /** What clearing has stopped, or ended. */
  readonly stops: MapCollection<MarketId, MarketStop>;
  readonly external: ExternalState;
  readonly keys: KeysState;
  readonly fees: FeesState;
  /** Conditional orders and TWAPs. */
  readonly waiting: MapCollection<WaitingKey, WaitingOrder>;
  /** (market, last height, order id), for orders that end with a block. */
  readonly heightExpiries: MapCollection<readonly [MarketId, number, number], true>;
  readonly deadMen: MapCollection<AccountId, DeadMan>;
  /** (ms, account): when to look at a dead man; never behind its deadline. */
  readonly deadManQueue: MapCollection<readonly [number, AccountId], true>;
  /** Best mark since the first order of a class of trailing stops. */
  readonly trailMarks: MapCollection<TrailMarkKey, TrailMark>;
}

/** Feed, expiry ms, window ms. */
export type SettlementKey = readonly [number, number, number];

const settlementParts = tripleKey(u32Key, heightKey, heightKey);
const settlementTexts = new WeakMap<SettlementKey, string>();

/** Every mark of a dated contract asks with its instrument's own key. */
const settlementKey: KeyCodec<SettlementKey> = {
  encode(key) {
    let text = settlementTexts.get(key);
    if (text === undefined) {
      text = settlementParts.encode(key);
      settlementTexts.set(key, text);
    }
    return text;
  },
  decode: settlementParts.decode,
};

const TWO_32 = 4_294_967_296;

/** Market, side (1 bids, 2 asks), distance of the price from the side's best conceivable, priority: 17 bytes, ascending = execution order. */
export const orderKey: KeyCodec<OrderKey> = {
  encode({ market, side, ticks, priority }) {
    if (!(ticks > 0 && ticks <= TICKS_MAX)) throw new AssertionError("order key: ticks");
    const rank = side === "buy" ? TICKS_MAX - ticks : ticks;
    const high = (priority - (priority >>> 0)) / TWO_32;
    // In one piece: joined pieces are put together when they are first compared.
    return String.fromCharCode(
      market >>> 24,
      (market >>> 16) & 255,
      (market >>> 8) & 255,
      market & 255,
      side === "buy" ? 1 : 2,
      rank >>> 24,
      (rank >>> 16) & 255,
      (rank >>> 8) & 255,
      rank & 255,
      high >>> 24,
      (high >>> 16) & 255,
      (high >>> 8) & 255,
      high & 255,
      (priority >>> 24) & 255,
      (priority >>> 16) & 255,
      (priority >>> 8) & 255,
      priority & 255,
    );
  },
  decode(text, offset) {
    const [market] = u32Key.decode(text, offset);
    const side = text.charCodeAt(offset + 4) === 1 ? "buy" : "sell";
    const [rank] = u32Key.decode(text, offset + 5);
    const [high] = u32Key.decode(text, offset + 9);
    const [low] = u32Key.decode(text, offset + 13);
    const ticks = side === "buy" ? TICKS_MAX - rank : rank;
    return [{ market, side, ticks, priority: high * TWO_32 + low }, offset + 17];
  },
};

/** Market, queue, rank, id: 21 bytes, ascending = the order in which due ones are taken. */
export const waitingKey: KeyCodec<WaitingKey> = {
  encode: ({ market, queue, rank, id }) => waitingPrefix(market, queue) + u64(rank) + u64(id),
  decode(text, offset) {
    const [market] = u32Key.decode(text, offset);
    const [rank] = heightKey.decode(text, offset + 5);
    const [id] = heightKey.decode(text, offset + 13);
    return [{ market, queue: text.charCodeAt(offset + 4), rank, id }, offset + 21];
  },
};

export function waitingPrefix(market: MarketId, queue: number): string {
  return u32(market) + String.fromCharCode(queue);
}

/** First key of a queue behind everything of this rank and before. */
export function waitingPast(market: MarketId, queue: number, rank: number): string {
  return waitingPrefix(market, queue) + u64(rank + 1);
}

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
    collectedCancels: schema.map(
      0x1a,
      "collected_cancels",
      tripleKey(roundKey, pairKey(accountIdKey, heightKey), asciiKey),
      protoValue(CollectedCancelCodec),
    ),
    markBasis: schema.map(0x1e, "mark_basis", u32Key, protoValue(MarkBasis)),
    stops: schema.map(0x1f, "stops", u32Key, protoValue(MarketStop)),
    external: externalState(schema),
    keys: keysState(schema),
    fees: feesState(schema),
    // 08 to 0f: instruments.
    waiting: schema.map(0x10, "waiting", waitingKey, protoValue(WaitingOrder)),
    heightExpiries: schema.map(
      0x11,
      "height_expiries",
      tripleKey(u32Key, heightKey, heightKey),
      markerValue,
    ),
    deadMen: schema.map(0x12, "dead_men", accountIdKey, protoValue(DeadMan)),
    deadManQueue: schema.map(0x13, "dead_man_queue", pairKey(heightKey, accountIdKey), markerValue),
    trailMarks: schema.map(
      0x14,
      "trail_marks",
      tripleKey(u32Key, u8Key, heightKey),
      protoValue(TrailMark),
    ),
  };
}
