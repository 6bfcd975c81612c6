/**
 * Turns committed blocks into history and into the texts of what is followed. One call at a time: its owner (`reader-worker.ts`) queues them. It knows
 * nothing of sockets.
 */
import { createAccounts } from "@keel/modules/derivatives/accounts";
import { type AccountId, accountId } from "@keel/modules/kit/account-id";
import { type Addresses, createAddresses } from "@keel/modules/kit/addresses";
import { type Account, accountValue, EMPTY_ACCOUNT } from "@keel/modules/margin/account-codec";
import { readChangelog } from "../store/level/changelog.ts";
import type { Database } from "../store/types.ts";
import { type MarketEvent, marketEvents } from "./block-events.ts";
import { candleView } from "./candles.ts";
import { HistoryReader, NEWEST } from "./history-reader.ts";
import type { HistoryHeight } from "./history-records.ts";
import {
  type ChangedCandle,
  type HistoryWriter,
  openHistoryWriter,
  type Retention,
} from "./history-writer.ts";
import { SNAPSHOT_CANDLES, SNAPSHOT_PRINTS } from "./limits.ts";
import { openOrderView, orderUpdates } from "./order-updates.ts";
import { type PlacedPrint, printOf } from "./prints.ts";
import { isTableKey, StateTables, TABLES_STORE } from "./state-tables.ts";
import { StreamRefusal, type Topic, topicJson } from "./topics.ts";
import {
  bookSnapshot,
  checksumOf,
  fillView,
  levelViews,
  positionsView,
  tradeView,
} from "./views.ts";

/** A committed block as the stores hold it. */
export interface BlockInput {
  readonly height: number;
  /** null: pruned. Then `timeMs` is known otherwise, and only history is made of the block. */
  readonly changelog: Uint8Array | null;
  readonly timeMs: number;
  readonly response: Uint8Array;
}

/** A state of an account's record and the height it is of. */
export interface AccountSeed {
  readonly height: number;
  readonly value: Uint8Array | null;
}

export interface Published {
  readonly height: number;
  readonly timeMs: number;
  /** Key of a topic and the message to its followers. */
  readonly texts: readonly (readonly [key: string, text: string])[];
  /** Keys of topics whose market is gone. */
  readonly ended: readonly string[];
}

/** What every message about a topic ends with, from `"channel"` on. */
export interface SnapshotTail {
  readonly height: number;
  readonly tail: string;
}

const ACCOUNTS = "\u0001";
const LAST_BLOCK = "keel/last_block";

export async function openMarketReader(options: {
  readonly database: Database;
  readonly retention: Retention;
  readonly addressPrefix: string;
}): Promise<MarketReader> {
  const writer = await openHistoryWriter(options.database, options.retention);
  return new MarketReader(
    writer,
    new HistoryReader(options.database),
    createAddresses(options.addressPrefix),
  );
}

export class MarketReader {
  readonly #writer: HistoryWriter;
  readonly #history: HistoryReader;
  readonly #addresses: Addresses;
  readonly #accountText: (account: AccountId) => string;
  readonly #tables = new StateTables();
  /** Height that the tables are of. */
  #height = 0;
  #timeMs = 0;
  readonly #topics = new Map<string, { readonly topic: Topic; readonly json: string }>();
  /** Followed accounts, by the key in margin's store, and how many topics name them. */
  readonly #accounts = new Map<string, { readonly text: string; topics: number }>();
  /** Sequence of the last message of a followed book. */
  readonly #published = new Map<string, number>();

  constructor(writer: HistoryWriter, history: HistoryReader, addresses: Addresses) {
    this.#writer = writer;
    this.#history = history;
    this.#addresses = addresses;
    const accounts = createAccounts(addresses);
    this.#accountText = (account) => accounts.text(account);
  }

  get history(): HistoryHeight {
    return this.#writer.at;
  }

  /** Committed state, entry by entry, before the first block. */
  load(key: string, value: Uint8Array): void {
    this.#tables.apply(key, value);
  }

  /** All that was loaded is of this height; blocks at or below it only make history. */
  begin(height: number): void {
    this.#height = height;
    this.#clearChanges();
  }

  /** Heights must come in order. */
  async block(input: BlockInput): Promise<Published> {
    const { height } = input;
    const isNews = height > this.#height;
    const isNext = height === this.#height + 1 || this.#height === 0;
    if (isNews && (input.changelog === null || !isNext))
      throw new Error(`expected block ${this.#height + 1} with its changes, got ${height}`);
    let { timeMs } = input;
    const positions = new Map<string, Account>();
    if (input.changelog !== null) {
      readChangelog(input.changelog, height, (store, key, value) => {
        if (store === TABLES_STORE) {
          if (isNews && isTableKey(key)) this.#tables.apply(key, value);
        } else if (store === "margin") {
          const account = isNews && key.startsWith(ACCOUNTS) ? this.#accounts.get(key) : undefined;
          if (account !== undefined) positions.set(account.text, accountOf(value));
        } else if (store === "consensus" && key === LAST_BLOCK && value !== null) {
          timeMs = blockTimeMs(value);
        }
      });
    }
    const events = marketEvents(input.response, this.#accounts.size > 0);
    const prints = this.#printsOf(events, height, timeMs);
    const candles = await this.#writer.write(
      { height, timeMs, prints, funding: this.#fundingOf(events, timeMs) },
      (id) => this.#tables.market(id),
    );
    if (!isNews) return { height, timeMs, texts: [], ended: [] };
    this.#height = height;
    this.#timeMs = timeMs;
    const texts = [...this.#updates({ events, prints, candles, positions })];
    const ended = this.#tables.takeRemoved().flatMap((symbol) => this.#topicsOf(symbol));
    this.#clearChanges();
    return { height, timeMs, texts, ended };
  }

  /** Begins to follow a topic, and shows where it stands. `seed` is for positions. Throws StreamRefusal. */
  async follow(topic: Topic, seed: AccountSeed | null): Promise<SnapshotTail> {
    const json = topicJson(topic);
    const data = await this.#snapshot(topic, seed);
    if (!this.#topics.has(topic.key)) {
      this.#topics.set(topic.key, { topic, json });
      this.#countAccount(topic, 1);
    }
    const height = seed === null ? this.#height : Math.max(seed.height, this.#height);
    return { height, tail: tail(json, height, this.#timeMs, data) };
  }

  unfollow(key: string): void {
    const followed = this.#topics.get(key);
    if (followed === undefined) return;
    this.#topics.delete(key);
    this.#published.delete(key);
    this.#countAccount(followed.topic, -1);
  }

  #printsOf(events: readonly MarketEvent[], height: number, timeMs: number): PlacedPrint[] {
    const prints: PlacedPrint[] = [];
    for (const event of events) {
      const print = printOf(event, (symbol) => this.#tables.find(symbol));
      if (print !== null) prints.push({ ...print, height, number: prints.length, timeMs });
    }
    return prints;
  }

  #fundingOf(
    events: readonly MarketEvent[],
    timeMs: number,
  ): { market: number; point: { timeMs: number; rate8hPpm: string; index: string } }[] {
    return events.flatMap(({ type, attributes }) => {
      const { market = "", rate_8h_ppm: rate8hPpm = "0", index = "0" } = attributes;
      const instrument = type === "funding_rate" ? this.#tables.find(market) : undefined;
      if (instrument === undefined) return [];
      return { market: instrument.id, point: { timeMs, rate8hPpm, index } };
    });
  }

  *#updates(block: News): Generator<readonly [string, string]> {
    const { candles, prints } = block;
    const none = new Map<string, unknown>();
    const orders = this.#accounts.size === 0 ? none : this.#orderUpdates(block);
    const trades = grouped(prints, (print) =>
      print.isTrade ? [[`trades:${print.symbol}`, tradeView(print)]] : [],
    );
    const fills = grouped(prints, (print) =>
      print.parties.map((party) => [`fills:${party.account}`, fillView({ print, party })]),
    );
    const changed = grouped(candles, ({ candle, market, resolution }) => {
      const instrument = this.#tables.market(market);
      if (instrument === undefined) return [];
      return [[`candles:${resolution}:${instrument.symbol}`, candleView(instrument, candle)]];
    });
    const dataOf = (topic: Topic): unknown => {
      switch (topic.channel) {
        case "book":
          return this.#bookUpdate(topic.key, topic.market);
        case "trades":
          return trades.get(topic.key);
        case "candles":
          return changed.get(topic.key);
        case "fills":
          return fills.get(topic.key);
        case "orders":
          return orders.get(topic.account);
        case "positions": {
          const account = block.positions.get(topic.account);
          if (account === undefined) return undefined;
          return positionsView(account, (id) => this.#tables.market(id));
        }
        case "marks":
          return undefined;
      }
    };
    for (const { topic, json } of this.#topics.values()) {
      const data = dataOf(topic);
      if (data === undefined) continue;
      yield [topic.key, `{"type":"update"${tail(json, this.#height, this.#timeMs, data)}`];
    }
  }

  #bookUpdate(key: string, symbol: string): unknown {
    const instrument = this.#tables.find(symbol);
    if (instrument === undefined) return undefined;
    const book = this.#tables.book(instrument.id);
    const previous = this.#published.get(key) ?? book.sequence;
    const bids = book.bids.takeChanges();
    const asks = book.asks.takeChanges();
    if (book.sequence === previous && bids.length + asks.length === 0) return undefined;
    this.#published.set(key, book.sequence);
    return {
      previous,
      sequence: book.sequence,
      bids: levelViews(instrument, bids),
      asks: levelViews(instrument, asks),
      checksum: checksumOf(instrument, book),
    };
  }

  #orderUpdates(block: {
    readonly events: readonly MarketEvent[];
    readonly prints: readonly PlacedPrint[];
  }): Map<string, unknown> {
    const texts = new Set([...this.#accounts.values()].map(({ text }) => text));
    return orderUpdates(
      { ...block, changes: this.#tables.takeOrderChanges() },
      {
        market: (id) => this.#tables.market(id),
        find: (symbol) => this.#tables.find(symbol),
        followed: (account) => this.#accounts.get(ACCOUNTS + account)?.text,
        isFollowed: (account) => texts.has(account),
      },
    );
  }

  async #snapshot(topic: Topic, seed: AccountSeed | null): Promise<unknown> {
    switch (topic.channel) {
      case "book": {
        const instrument = this.#market(topic.market);
        const book = this.#tables.book(instrument.id);
        this.#published.set(topic.key, book.sequence);
        return bookSnapshot(instrument, book);
      }
      case "trades": {
        const { items } = await this.#history.trades(
          this.#market(topic.market).id,
          NEWEST,
          SNAPSHOT_PRINTS,
        );
        return items.map(tradeView);
      }
      case "candles": {
        const instrument = this.#market(topic.market);
        const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, limit: SNAPSHOT_CANDLES };
        const found = await this.#history.candles(instrument.id, topic.resolution, range);
        return found.map((candle) => candleView(instrument, candle));
      }
      case "orders":
        return this.#tables.ordersOf(this.#accountId(topic.account)).flatMap((order) => {
          const instrument = this.#tables.market(order.market);
          return instrument === undefined ? [] : openOrderView(instrument, order);
        });
      case "fills": {
        const { items } = await this.#history.fills(topic.account, null, NEWEST, SNAPSHOT_PRINTS);
        return items.map(fillView);
      }
      case "positions":
        return positionsView(accountOf(seed?.value ?? null), (id) => this.#tables.market(id));
      case "marks":
        throw new Error("marks are read from state");
    }
  }

  #market(symbol: string) {
    const instrument = this.#tables.find(symbol);
    if (instrument === undefined)
      throw new StreamRefusal("unknown-market", `no market "${symbol}"`);
    return instrument;
  }

  #accountId(text: string): AccountId {
    const [owner = "", number = "0"] = text.split("/");
    return accountId(this.#addresses.parse(owner), Number(number));
  }

  #countAccount(topic: Topic, change: 1 | -1): void {
    if (!("account" in topic)) return;
    const id = this.#accountId(topic.account);
    const held = this.#accounts.get(ACCOUNTS + id) ?? { text: this.#accountText(id), topics: 0 };
    held.topics += change;
    if (held.topics === 0) this.#accounts.delete(ACCOUNTS + id);
    else this.#accounts.set(ACCOUNTS + id, held);
  }

  #topicsOf(symbol: string): string[] {
    const keys: string[] = [];
    for (const { topic } of this.#topics.values())
      if ("market" in topic && topic.market === symbol) keys.push(topic.key);
    for (const key of keys) this.unfollow(key);
    return keys;
  }

  /** What nobody follows is forgotten with its block. */
  #clearChanges(): void {
    this.#tables.takeOrderChanges();
    for (const id of this.#tables.takeTouched()) {
      const book = this.#tables.book(id);
      book.bids.takeChanges();
      book.asks.takeChanges();
    }
  }
}

/** What is new with a block. */
interface News {
  readonly events: readonly MarketEvent[];
  readonly prints: readonly PlacedPrint[];
  readonly candles: readonly ChangedCandle[];
  /** By account text. */
  readonly positions: ReadonlyMap<string, Account>;
}

/** What belongs to each key of a topic. */
function grouped<T>(
  items: readonly T[],
  entriesOf: (item: T) => readonly (readonly [key: string, view: unknown])[],
): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    for (const [key, view] of entriesOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [view]);
      else group.push(view);
    }
  }
  return groups;
}

function tail(json: string, height: number, timeMs: number, data: unknown): string {
  return `,${json},"height":${height},"time_ms":${timeMs},"data":${JSON.stringify(data)}}`;
}

function accountOf(value: Uint8Array | null): Account {
  return value === null ? EMPTY_ACCOUNT : accountValue.decode(value);
}

/** Of the record `keel/last_block`: height, then nanoseconds, both 64 bits. */
function blockTimeMs(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Number(view.getBigInt64(8) / 1_000_000n);
}
