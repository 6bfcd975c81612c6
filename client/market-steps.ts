/**
 * Ticks and lots of markets, as far as they are known. Those of a market never change, and its id is never given again. A symbol may come to name another market
 * when its own has settled, which takes minutes: so what a symbol names is read again when it is old.
 */
import type { MarketView } from "@keel/proto/gen/keel/derivatives/v1/query";
import { KeelConnectionError, KeelInputError, KeelQueryError } from "./errors.ts";
import { SYMBOL_KNOWN_AGE_MS } from "./limits.ts";
import type { MarketSteps } from "./order-parts.ts";
import { marketSteps } from "./orders.ts";
import type { StepsOf } from "./views.ts";

/** Of module derivatives. */
const UNKNOWN_MARKET = 4;

/** Reading calls `note` with every market that is answered; `all` calls `keep`, too. */
export interface MarketReader {
  all(): Promise<unknown>;
  one(symbol: string): Promise<unknown>;
}

export class KnownSteps {
  readonly #read: MarketReader;
  readonly #byId = new Map<number, MarketSteps>();
  readonly #named = new Map<string, { readonly id: number; readonly notedAt: number }>();

  constructor(read: MarketReader) {
    this.#read = read;
  }

  note(view: MarketView): void {
    const steps = marketSteps(view);
    const id = view.market?.id ?? 0;
    this.#byId.set(id, steps);
    this.#named.set(steps.symbol, { id, notedAt: Date.now() });
  }

  /** These are all that there are. */
  keep(ids: ReadonlySet<number>): void {
    for (const [symbol, { id }] of this.#named) if (!ids.has(id)) this.#named.delete(symbol);
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
  }

  /** Throws KeelInputError for a symbol that is not listed. */
  async named(symbol: string): Promise<MarketSteps> {
    const known = this.#named.get(symbol);
    if (known === undefined) await this.#read.all();
    else if (Date.now() - known.notedAt >= SYMBOL_KNOWN_AGE_MS) await this.#readAgain(symbol);
    const steps = this.#byId.get(this.#named.get(symbol)?.id ?? 0);
    if (steps !== undefined) return steps;
    const listed = [...this.#named.keys()].slice(0, 10).join(", ");
    throw new KeelInputError(
      "unknown-market",
      "market",
      `expected a listed market (${listed === "" ? "there is none" : listed}), got "${symbol}"`,
    );
  }

  async #readAgain(symbol: string): Promise<void> {
    try {
      await this.#read.one(symbol);
    } catch (error) {
      const isGone =
        error instanceof KeelQueryError &&
        error.codespace === "derivatives" &&
        error.code === UNKNOWN_MARKET;
      if (!isGone) throw error;
      this.#named.delete(symbol);
    }
  }

  /** Of markets that were answered just now. */
  async ofMarkets(
    views: readonly { readonly market: string; readonly marketId: number }[],
  ): Promise<StepsOf> {
    const isNew = views.some(({ marketId }) => !this.#byId.has(marketId));
    if (isNew) await this.#read.all();
    const steps = new Map<number, MarketSteps>();
    for (const { market, marketId } of views) {
      const found = this.#byId.get(marketId);
      if (found === undefined)
        throw new KeelConnectionError("bad-answer", `expected ${market} among the markets`);
      steps.set(marketId, found);
    }
    return (marketId) => steps.get(marketId) as MarketSteps;
  }
}
