/** A local network with a market in use: funded traders, their collateral deposited, a book of resting orders. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileValues } from "@keel/node/config/template";
import { defaultMarket } from "@keel/node/genesis/market";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { LocalNetwork } from "../network/network.ts";
import { freePorts } from "../network/ports.ts";
import type { Sent } from "./order-flow.ts";
import { deposit, OrderFlow } from "./order-flow.ts";
import type { Answer } from "./rpc.ts";
import { RpcConnections } from "./rpc.ts";
import { createTraders } from "./trader.ts";

const CHAIN = { id: "keel-bench-1", prefix: "keel" };
const TRADERS = 400;
const BOOK_ORDERS = 4_000;
const COLLATERAL = "1000000000000";
const START_PRICE = 60_000;
/** Unordered transactions may live ten minutes; what is signed ahead must still be good when it is sent. */
const TTL_NS = 540_000_000_000n;
const START_TIMEOUT_MS = 90_000;
const SETTLE_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 50;
/** The node's bound for one JSON-RPC batch. */
const BATCH = 100;
const CONNECTIONS = 6;

export class Market {
  readonly network: LocalNetwork;
  readonly flow: OrderFlow;
  readonly rpc: RpcConnections;
  readonly #directory: string;
  #signed = 0;

  private constructor(network: LocalNetwork, flow: OrderFlow, directory: string) {
    this.network = network;
    this.flow = flow;
    this.rpc = new RpcConnections(network.nodes[0]?.rpc ?? "", CONNECTIONS);
    this.#directory = directory;
  }

  static async open(options: {
    readonly validators: number;
    readonly config: FileValues;
    /** Orders that a cancel stays behind. */
    readonly cancelLag: number;
  }): Promise<Market> {
    const directory = mkdtempSync(join(tmpdir(), "keel-bench-"));
    const traders = createTraders(TRADERS, "bench trader", CHAIN);
    const network = await LocalNetwork.create({
      directory,
      ports: await freePorts(options.validators),
      genesis: {
        chainId: CHAIN.id,
        genesisTime: timestampFromMs(Date.now()),
        accounts: traders.map(({ address }) => ({
          address,
          coins: [{ denom: "uusdc", amount: 2n * BigInt(COLLATERAL) }],
        })),
        authority: null,
        insuranceFund: 1_000_000_000_000n,
        priceMaxAgeMs: 60_000,
      },
      config: {
        "oracle.source": "generator",
        "oracle.start-price": START_PRICE,
        ...options.config,
      },
    });
    const flow = new OrderFlow(traders, {
      seed: 1,
      market: defaultMarket(1).symbol,
      middleTicks: START_PRICE * 10,
      cancelLag: options.cancelLag,
    });
    const market = new Market(network, flow, directory);
    try {
      network.start();
      await network.waitForHeight(2, START_TIMEOUT_MS);
      await market.#sendAll(
        traders.map((trader) => ({ trader, message: deposit(trader, COLLATERAL) })),
      );
      await market.#sendAll(Array.from({ length: BOOK_ORDERS }, () => flow.maker()));
    } catch (error) {
      await market.close();
      throw error;
    }
    return market;
  }

  /** A signed transaction in base64, good for some minutes. */
  sign({ trader, message }: Sent): string {
    const untilNs = BigInt(Date.now()) * 1_000_000n + TTL_NS + BigInt(this.#signed++);
    return bytesToBase64(trader.sign([message], untilNs));
  }

  async pooled(): Promise<number> {
    const { n_txs } = await this.rpc.call<{ n_txs: string }>("num_unconfirmed_txs", {});
    return Number(n_txs);
  }

  async height(): Promise<number> {
    const { sync_info } = await this.rpc.call<{ sync_info: { latest_block_height: string } }>(
      "status",
      {},
    );
    return Number(sync_info.latest_block_height);
  }

  /** Waits until nothing is left to include. */
  async settle(): Promise<void> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS;
    while ((await this.pooled()) > 0) {
      if (performance.now() > deadline) throw new Error("the pool did not empty in time");
      await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    }
  }

  async close(): Promise<void> {
    this.rpc.close();
    await this.network.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #sendAll(all: readonly Sent[]): Promise<void> {
    for (let i = 0; i < all.length; i += BATCH) {
      const txs = all.slice(i, i + BATCH).map((one) => this.sign(one));
      const answers = (await this.rpc.post(broadcastBody(txs))) as Answer[];
      const problem = answers.map(refusalOf).find((refusal) => refusal !== null);
      if (problem !== undefined) throw new Error(`set-up: ${problem}`);
    }
    await this.settle();
  }
}

export function broadcastBody(txs: readonly string[]): string {
  return `[${txs
    .map(
      (tx, id) =>
        `{"jsonrpc":"2.0","id":${id},"method":"broadcast_tx_sync","params":{"tx":"${tx}"}}`,
    )
    .join(",")}]`;
}

/** Why a broadcast was not taken, or null. */
export function refusalOf({ result, error }: Answer): string | null {
  if (error !== undefined) return `${error.message} ${error.data ?? ""}`;
  const { code, log } = result as { code: number; log: string };
  return code === 0 ? null : log;
}
