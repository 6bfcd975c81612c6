/** What a node's `/stream` offers: channels, and the JSON of their messages. */
import type { BookSnapshotJson, BookUpdateJson } from "./live-book.ts";

export type CandleResolution = "1m" | "5m" | "15m" | "1h" | "4h" | "1d";

export interface StreamTrade {
  /** The same on every node. */
  readonly id: string;
  readonly height: number;
  readonly time_ms: number;
  readonly price: string;
  readonly size: string;
  /** Of the taker; empty for an auction. */
  readonly side: "buy" | "sell" | "";
  readonly kind: "book" | "liquidation" | "auction" | "external";
}

export interface StreamCandle {
  readonly start_ms: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quote_volume: string;
  readonly trades: number;
}

/** Texts are empty where they do not apply. */
export interface StreamMarks {
  readonly mark_price: string;
  readonly index_price: string;
  readonly fresh: boolean;
  readonly best_bid: string;
  readonly best_ask: string;
  readonly last_price: string;
  readonly open_interest: string;
  readonly funding_rate_8h_ppm: string;
  readonly forward_price: string;
  readonly volatility: string;
  readonly settlement_price: string;
}

export interface StreamOrder {
  readonly market: string;
  readonly order_id: string;
  readonly client_id: string;
  readonly status: "open" | "waiting" | "collected" | "filled" | "cancelled" | "refused";
  readonly side?: "buy" | "sell";
  readonly price?: string;
  readonly size?: string;
  readonly remaining: string;
  /** In this block. */
  readonly filled: string;
  readonly reason: string;
  readonly codespace?: string;
  readonly code?: number;
}

export interface StreamFill {
  readonly id: string;
  readonly height: number;
  readonly time_ms: number;
  readonly market: string;
  readonly side: "buy" | "sell";
  readonly price: string;
  readonly size: string;
  /** Negative: a rebate. */
  readonly fee: string;
  readonly role: "maker" | "taker" | "";
  readonly kind:
    | "book"
    | "liquidation"
    | "auction"
    | "external"
    | "deleverage"
    | "backstop"
    | "settlement"
    | "transfer";
  readonly order_id: string;
}

export interface StreamPositions {
  readonly collateral: string;
  readonly positions: readonly {
    readonly market: string;
    /** Negative: short. */
    readonly size: string;
    readonly quote: string;
  }[];
}

/** Data of a channel's snapshot and update. */
export interface Channels {
  readonly book: readonly [BookSnapshotJson, BookUpdateJson];
  readonly trades: readonly [readonly StreamTrade[], readonly StreamTrade[]];
  readonly candles: readonly [readonly StreamCandle[], readonly StreamCandle[]];
  readonly marks: readonly [StreamMarks, StreamMarks];
  readonly orders: readonly [readonly StreamOrder[], readonly StreamOrder[]];
  readonly fills: readonly [readonly StreamFill[], readonly StreamFill[]];
  readonly positions: readonly [StreamPositions, StreamPositions];
}

export type Channel = keyof Channels;

export type StreamMessageOf<C extends Channel> =
  | {
      readonly type: "snapshot";
      readonly height: number;
      readonly timeMs: number;
      readonly data: Channels[C][0];
    }
  | {
      readonly type: "update";
      readonly height: number;
      readonly timeMs: number;
      readonly data: Channels[C][1];
    };

/** What names a topic in a request. */
export interface TopicNames {
  readonly channel: Channel;
  readonly market?: string;
  readonly account?: string;
  readonly resolution?: CandleResolution;
}

export function topicKey({ account, channel, market, resolution }: TopicNames): string {
  return [channel, market ?? "", account ?? "", resolution ?? ""].join("\n");
}
