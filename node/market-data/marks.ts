/** Marks of followed markets, read from the newest state now and then: what a mark is, only the modules know. */
import type { Application } from "@keel/consensus/host/ports";
import type { MarketView } from "@keel/proto/gen/keel/derivatives/v1/query";
import { QueryMarketRequest, QueryMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import { QueryPriceRequest, QueryPriceResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import { MARKS_INTERVAL_MS, MARKS_PAUSE_SHARE, MARKS_PER_TURN } from "./limits.ts";
import type { SnapshotTail } from "./reader.ts";
import { StreamRefusal, type Topic, topicJson } from "./topics.ts";

export type MarksTopic = Extract<Topic, { readonly channel: "book" | "trades" | "marks" }>;

interface Followed {
  readonly topic: MarksTopic;
  /** Data of the last message. */
  last: string;
}

/** Heights whose time is known: more than pass while markets are read. */
const TIMES_REMEMBERED = 64;

export class Marks {
  readonly #app: Pick<Application, "query">;
  readonly #publish: (height: number, texts: readonly (readonly [string, string])[]) => void;
  readonly #followed = new Map<string, Followed>();
  /** Block times by height, of the last ones: an answer shows the newest state, which may be later than the block that asked. */
  readonly #times = new Map<number, number>();
  /** How long reading them took the last time. */
  #tookMs = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(
    app: Pick<Application, "query">,
    publish: (height: number, texts: readonly (readonly [string, string])[]) => void,
  ) {
    this.#app = app;
    this.#publish = publish;
  }

  /** Rejects with StreamRefusal for a market that is not there. */
  async follow(topic: MarksTopic): Promise<SnapshotTail> {
    const { data, height } = await this.#read(topic.market);
    const followed = this.#followed.get(topic.key);
    if (followed === undefined) this.#followed.set(topic.key, { topic, last: data });
    return { height, tail: tail(topic, height, this.#timeOf(height), data) };
  }

  unfollow(key: string): void {
    this.#followed.delete(key);
  }

  /** A block is committed: what is followed is read again, unless that was just done. */
  committed(height: number, timeMs: number): void {
    this.#times.set(height, timeMs);
    this.#times.delete(height - TIMES_REMEMBERED);
    if (this.#timer !== null || this.#closed || this.#followed.size === 0) return;
    const pauseMs = Math.max(MARKS_INTERVAL_MS, this.#tookMs * MARKS_PAUSE_SHARE);
    this.#timer = setTimeout(() => {
      const began = performance.now();
      void this.#refresh().finally(() => {
        this.#tookMs = performance.now() - began;
        this.#timer = null;
      });
    }, pauseMs);
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#followed.clear();
  }

  /** Of the block that an answer shows; 0 before the first commit since the start. */
  #timeOf(height: number): number {
    return this.#times.get(height) ?? 0;
  }

  async #refresh(): Promise<void> {
    let read = 0;
    for (const followed of [...this.#followed.values()]) {
      if (this.#closed) return;
      const { topic } = followed;
      try {
        const { data, height } = await this.#read(topic.market);
        if (data !== followed.last) {
          followed.last = data;
          const text = `{"type":"update"${tail(topic, height, this.#timeOf(height), data)}`;
          this.#publish(height, [[topic.key, text]]);
        }
      } catch {
        // A market that is gone: the reader ends its topics.
        this.unfollow(topic.key);
      }
      read += 1;
      if (read % MARKS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #read(symbol: string): Promise<{ readonly data: string; readonly height: number }> {
    const answer = await this.#app.query({
      path: "/keel.derivatives.v1.Query/Market",
      data: QueryMarketRequest.encode({ market: symbol }).finish(),
      height: 0,
      prove: false,
    });
    const view = answer.code === 0 ? QueryMarketResponse.decode(answer.value).market : undefined;
    if (view?.market === undefined)
      throw new StreamRefusal("unknown-market", `no market "${symbol}"`);
    const index = await this.#index(view.market.feedId, answer.height);
    return {
      data: JSON.stringify({ ...marksView(view), index_price: index }),
      height: answer.height,
    };
  }

  /** The feed's price in text; empty before the first. */
  async #index(feedId: number, height: number): Promise<string> {
    const answer = await this.#app.query({
      path: "/keel.oracle.v1.Query/Price",
      data: QueryPriceRequest.encode({ feedId, symbol: "" }).finish(),
      height,
      prove: false,
    });
    if (answer.code !== 0) return "";
    const price = QueryPriceResponse.decode(answer.value).price;
    return price === undefined ? "" : price.price;
  }
}

function marksView(view: MarketView): Record<string, unknown> {
  return {
    mark_price: view.markPrice,
    fresh: view.markFresh,
    best_bid: view.bestBid,
    best_ask: view.bestAsk,
    last_price: view.lastPrice,
    open_interest: view.openInterest,
    funding_rate_8h_ppm: view.fundingRate8hPpm.toString(),
    forward_price: view.forwardPrice,
    volatility: view.volatility,
    settlement_price: view.settlementPrice,
  };
}

function tail(topic: MarksTopic, height: number, timeMs: number, data: string): string {
  return `,${topicJson(topic)},"height":${height},"time_ms":${timeMs},"data":${data}}`;
}
