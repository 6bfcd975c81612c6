/** One look at the market per interval, shared by all actors: a crowd that polls for itself would be most of the load. */
import type { KeelClient } from "@keel/client/keel-client";

export interface MarketLook {
  /** Chain time of the block looked at. */
  readonly timeMs: number;
  readonly mark: number;
  readonly fresh: boolean;
}

export class MarketWatch {
  readonly #chain: KeelClient;
  readonly #symbol: string;
  #latest: MarketLook | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(chain: KeelClient, symbol: string, intervalMs: number) {
    this.#chain = chain;
    this.#symbol = symbol;
    const look = async (): Promise<void> => {
      await this.#look();
      if (!this.#stopped) this.#timer = setTimeout(() => void look(), intervalMs);
    };
    void look();
  }

  /** null before the first price. */
  get latest(): MarketLook | null {
    return this.#latest;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const [market, timeNs] = await Promise.all([
        this.#chain.market(this.#symbol),
        this.#chain.chainTimeNs(100),
      ]);
      if (market.markPrice === undefined) return;
      this.#latest = {
        timeMs: Number(timeNs / 1_000_000n),
        mark: Number(market.markPrice),
        fresh: market.markFresh,
      };
    } catch {
      // The node asked is away; the next look goes to another.
    }
  }
}
