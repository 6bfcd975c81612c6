/** An exchange as a source of prices: how it is asked, and how its answers are read. Reading is pure; a bad answer throws in one sentence. */

/** Best prices of one instrument in units of 1e-8. */
export interface BookTop {
  /** As the exchange names it. */
  readonly ticker: string;
  readonly bidE8: bigint;
  readonly askE8: bigint;
  /** Unix milliseconds, by the exchange's clock; null: it does not say. */
  readonly timeMs: number | null;
}

export interface RestRequest {
  /** Behind the base address. */
  readonly path: string;
  readonly tickers: readonly string[];
}

export interface Venue {
  readonly name: string;
  readonly rest: {
    readonly url: string;
    requests(tickers: readonly string[]): readonly RestRequest[];
    /** Exactly the tickers of the request. */
    read(text: string, tickers: readonly string[]): readonly BookTop[];
  };
  readonly socket: {
    readonly url: string;
    /** Sent one after the other once the connection is open. */
    subscribe(tickers: readonly string[]): readonly string[];
    /** What it asks to be sent while it is quiet; null: protocol pings of its own are enough. */
    readonly ping: string | null;
    /** Empty for what carries no price: acknowledgements, heartbeats, a book with one side. Throws what a refusal of the exchange says. */
    read(text: string): readonly BookTop[];
  };
}
