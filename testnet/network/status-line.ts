/** The one line that lives: height, block time, signers, oracle. */
import type { KeelClient } from "@keel/client/keel-client";
import { commitSignatures, rpcCall } from "./rpc.ts";

export interface ChainLook {
  readonly height: number;
  /** Real milliseconds between the last two blocks; null at the first look. */
  readonly intervalMs: number | null;
  readonly signers: number;
  readonly validators: number;
  readonly price: string;
  /** Chain time since the price was accepted. */
  readonly oracleAgeMs: number | null;
}

const SIGNED = 2;

/** Looks at the chain through the client; remembers the last look for the block time. */
export class ChainWatch {
  readonly #chain: KeelClient;
  readonly #rpc: () => string;
  #last: { readonly height: number; readonly atMs: number } | null = null;
  #intervalMs: number | null = null;

  constructor(chain: KeelClient, feed: string) {
    this.#chain = chain;
    this.#rpc = () => chain.endpoints.current;
    this.feed = feed;
  }

  readonly feed: string;

  async look(): Promise<ChainLook> {
    const rpc = this.#rpc();
    const status = await rpcCall<{
      sync_info: { latest_block_height: string };
    }>(rpc, "status");
    const height = Number(status.sync_info.latest_block_height);
    const atMs = performance.now();
    if (this.#last !== null && height > this.#last.height) {
      this.#intervalMs = (atMs - this.#last.atMs) / (height - this.#last.height);
    }
    if (this.#last === null || height > this.#last.height) this.#last = { height, atMs };
    const signatures = await commitSignatures(rpc, Math.max(height - 1, 1));
    const price = await this.#chain.price(this.feed).catch(() => null);
    return {
      height,
      intervalMs: this.#intervalMs,
      signers: signatures.filter(({ block_id_flag }) => block_id_flag === SIGNED).length,
      validators: signatures.length,
      price: price?.price ?? "none",
      oracleAgeMs: price === null ? null : Number(price.ageMs),
    };
  }
}

export function statusText(look: ChainLook): string {
  const { height, intervalMs, signers, validators, price, oracleAgeMs } = look;
  const blockTime = intervalMs === null ? "-" : `${Math.round(intervalMs)} ms`;
  const age = oracleAgeMs === null ? "none" : `${price} (${(oracleAgeMs / 1000).toFixed(1)} s old)`;
  return `height ${height}  block time ${blockTime}  signers ${signers}/${validators}  oracle ${age}`;
}
