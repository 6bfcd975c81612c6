/**
 * Who gets what, and when: a queue of credits paid in one multi-message transaction per tick, a cool-down per address and denom. A credit that
 * could not be paid starts no cool-down.
 */
import { KeelTxError } from "@keel/client/errors";
import type { KeelSigningClient } from "@keel/client/signing-client";
import { bech32Decode } from "@keel/proto/bytes/bech32";
import { QUEUE_MAX, REMEMBERED_MAX, SENDS_PER_TX } from "./limits.ts";

export interface DeskOptions {
  readonly client: Pick<KeelSigningClient, "address" | "execute" | "messages">;
  /** What one credit pays, in base units, by denom. */
  readonly credits: Readonly<Record<string, bigint>>;
  readonly cooldownMs: number;
  /** How long credits are collected before they are paid together. */
  readonly tickMs: number;
  /** Milliseconds, never going back. */
  readonly now: () => number;
}

/** A refusal with its HTTP status. */
export class FaucetRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "FaucetRefusal";
    this.status = status;
  }
}

interface Credit {
  readonly address: string;
  readonly denom: string;
  readonly amount: bigint;
  readonly key: string;
  readonly resolve: (hash: string) => void;
  readonly reject: (error: Error) => void;
}

export class CreditDesk {
  readonly #options: DeskOptions;
  readonly #prefix: string;
  readonly #paidAt = new Map<string, number>();
  #queue: Credit[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #paying: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#prefix = bech32Decode(options.client.address).prefix;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves with the hash of the transaction that paid it, once it is in a block. Throws FaucetRefusal. */
  async credit(address: string, denom: string): Promise<string> {
    const amount = Object.hasOwn(this.#options.credits, denom)
      ? this.#options.credits[denom]
      : undefined;
    if (amount === undefined) {
      const known = Object.keys(this.#options.credits).join(", ");
      throw new FaucetRefusal(422, `expected one of ${known}, got ${denom.slice(0, 80)}`);
    }
    this.#requireAddress(address);
    if (this.#closed) throw new FaucetRefusal(503, "the faucet is closing");
    const key = `${address}/${denom}`;
    const since = this.#options.now() - (this.#paidAt.get(key) ?? Number.NEGATIVE_INFINITY);
    if (since < this.#options.cooldownMs) {
      const seconds = Math.ceil((this.#options.cooldownMs - since) / 1000);
      throw new FaucetRefusal(429, `${address} was paid a moment ago; come again in ${seconds} s`);
    }
    if (this.#queue.length >= QUEUE_MAX)
      throw new FaucetRefusal(503, "too many credits are waiting; come again in a moment");
    this.#remember(key);
    return await new Promise((resolve, reject) => {
      this.#queue.push({ address, denom, amount, key, resolve, reject });
      this.#timer ??= setTimeout(() => this.#tick(), this.#options.tickMs);
    });
  }

  /** Pays what waits, then refuses. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    while (this.#queue.length > 0) this.#tick();
    await this.#paying;
  }

  #requireAddress(address: string): void {
    try {
      const { prefix, bytes } = bech32Decode(address);
      if (prefix === this.#prefix && (bytes.length === 20 || bytes.length === 32)) return;
    } catch {
      // Told below.
    }
    throw new FaucetRefusal(
      400,
      `expected an address like ${this.#prefix}1..., got ${address.slice(0, 100)}`,
    );
  }

  #remember(key: string): void {
    this.#paidAt.delete(key);
    this.#paidAt.set(key, this.#options.now());
    if (this.#paidAt.size > REMEMBERED_MAX)
      for (const oldest of this.#paidAt.keys()) {
        this.#paidAt.delete(oldest);
        break;
      }
  }

  #tick(): void {
    const batch = this.#queue.splice(0, SENDS_PER_TX);
    this.#timer =
      this.#queue.length > 0 && !this.#closed
        ? setTimeout(() => this.#tick(), this.#options.tickMs)
        : undefined;
    // One after another: with one payment out at a time the balance check of each is meaningful.
    this.#paying = this.#paying.then(() => this.#pay(batch));
  }

  async #pay(batch: readonly Credit[]): Promise<void> {
    const { client } = this.#options;
    try {
      const messages = batch.map(({ address, denom, amount }) =>
        client.messages.send(address, [{ denom, amount: amount.toString() }]),
      );
      const { hash } = await client.execute(messages);
      for (const { resolve } of batch) resolve(hash);
    } catch (error) {
      for (const { key, reject } of batch) {
        this.#paidAt.delete(key);
        reject(
          new FaucetRefusal(
            error instanceof KeelTxError ? 500 : 503,
            `the credit could not be paid: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
      }
    }
  }
}
