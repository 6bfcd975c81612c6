/** Takes matches to the chain: several in one message, and one by one when the message is refused, so that one bad document stops only itself and the one it met. */
import { KeelTxError } from "@keel/client/errors";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { Match } from "./engine.ts";
import { FATES_MAX, TRADES_PER_MESSAGE } from "./limits.ts";

/** What became of a document's last trade. */
export type Fate =
  | { readonly state: "clearing" }
  | { readonly state: "cleared"; readonly tx: string; readonly height: number }
  | {
      readonly state: "refused";
      readonly codespace: string;
      readonly code: number;
      readonly log: string;
    };

export interface ClearerOptions {
  readonly client: Pick<KeelSigningClient, "clearTrades">;
  /** A trade of these documents was refused: neither is worth keeping. */
  readonly onRefused: (match: Match) => void;
}

export class Clearer {
  readonly #options: ClearerOptions;
  readonly #fates = new Map<string, Fate>();
  #queue: Match[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: ClearerOptions) {
    this.#options = options;
  }

  fate(hash: string): Fate | undefined {
    return this.#fates.get(hash);
  }

  /** One message at a time: partial fills of one document must reach the chain in order. */
  clear(matches: readonly Match[]): void {
    for (const match of matches) this.#settle(match, { state: "clearing" });
    this.#queue.push(...matches);
    this.#running = this.#running.then(() => this.#step());
  }

  /** Resolves when everything handed over so far has its fate. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #step(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, TRADES_PER_MESSAGE);
      if (await this.#submit(batch)) continue;
      for (const one of batch) if (batch.length > 1) await this.#submit([one]);
    }
  }

  /** True when all of them have their fate. */
  async #submit(batch: readonly Match[]): Promise<boolean> {
    try {
      const { tx } = await this.#options.client.clearTrades(batch);
      for (const match of batch)
        this.#settle(match, { state: "cleared", tx: tx.hash, height: tx.height });
      return true;
    } catch (error) {
      if (batch.length > 1) return false;
      const [match] = batch as [Match];
      const refusal =
        error instanceof KeelTxError
          ? { codespace: error.codespace, code: error.code, log: error.log }
          : { codespace: "", code: 0, log: error instanceof Error ? error.message : String(error) };
      this.#settle(match, { state: "refused", ...refusal });
      this.#options.onRefused(match);
      return true;
    }
  }

  #settle({ buyerHash, sellerHash }: Match, fate: Fate): void {
    for (const hash of [buyerHash, sellerHash]) {
      this.#fates.delete(hash);
      this.#fates.set(hash, fate);
    }
    while (this.#fates.size > FATES_MAX) {
      const [oldest] = this.#fates.keys();
      if (oldest !== undefined) this.#fates.delete(oldest);
    }
  }
}
