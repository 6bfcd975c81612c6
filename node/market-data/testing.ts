/** A chain with the reader beside it, for tests: random trading, and a follower that keeps what the texts tell. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import { finalizeBlockResponseMessage } from "@keel/consensus/wire/abci";
import { bookChecksum } from "@keel/proto/bytes/book-checksum";
import {
  MsgAmendOrder,
  MsgBatchOrders,
  MsgCancelAll,
  MsgPlaceOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { storeNames } from "../app/app.ts";
import { TestChain, type TestChainOptions } from "../app/testing/chain.ts";
import { priceTx } from "../app/testing/market-load.ts";
import type { TestMessage, TestSigner } from "../app/testing/signer.ts";
import { type ApplicationStore, openApplicationStore } from "../store/level/application-store.ts";
import { MemoryDatabase } from "../store/level/memory-database.ts";
import type { Retention } from "./history-writer.ts";
import { type BlockInput, type MarketReader, openMarketReader, type Published } from "./reader.ts";
import type { LevelView } from "./views.ts";

export const MARKET = "BTC-PERP";
export const keepAll: Retention = {
  printsMs: 1e12,
  periods: 100_000,
  goneMs: 1e12,
  goneMarkets: 1e6,
};

export interface ReadChain {
  readonly chain: TestChain;
  readonly reader: MarketReader;
  /** Of `market.db`. */
  readonly database: MemoryDatabase;
  /** All blocks so far, as the reader got them. */
  readonly inputs: readonly BlockInput[];
  decide(
    txs: readonly Uint8Array[],
  ): Promise<{ response: FinalizeBlockResponse; published: Published }>;
}

/** From genesis on; the chain is not started. */
export async function readChain(options: TestChainOptions = {}): Promise<ReadChain> {
  const store: ApplicationStore = await openApplicationStore(new MemoryDatabase(), {
    stores: storeNames,
  });
  const chain = new TestChain({ ...options, store });
  const database = new MemoryDatabase();
  const reader = await openMarketReader({ database, retention: keepAll, addressPrefix: "keel" });
  const inputs: BlockInput[] = [];
  return {
    chain,
    reader,
    database,
    inputs,
    async decide(txs) {
      const response = await chain.decide(txs);
      const { height } = chain;
      const changelog = await store.loadChangelog(height);
      const encoded = finalizeBlockResponseMessage.encode(response);
      const input = { height, changelog, timeMs: 0, response: encoded };
      inputs.push(input);
      return { response, published: await reader.block(input) };
    },
  };
}

/** Messages for one topic, in order. */
export function textsOf(published: Published, key: string): Record<string, unknown>[] {
  return published.texts
    .filter(([of]) => of === key)
    .map(([, text]) => JSON.parse(text) as Record<string, unknown>);
}

/** A book kept from a snapshot and updates, naively. */
export class KeptBook {
  readonly bids: Map<string, LevelView> = new Map();
  readonly asks: Map<string, LevelView> = new Map();
  sequence = 0;

  take(data: Record<string, unknown>): void {
    const previous = data["previous"];
    if (previous !== undefined && previous !== this.sequence)
      throw new Error(`gap: at ${this.sequence}, update is after ${String(previous)}`);
    for (const side of ["bids", "asks"] as const) {
      for (const level of data[side] as LevelView[]) {
        if (level[1] === "0") this[side].delete(level[0]);
        else this[side].set(level[0], level);
      }
    }
    this.sequence = data["sequence"] as number;
    if (this.checksum() !== data["checksum"]) throw new Error("checksum differs");
  }

  sorted(side: "bids" | "asks"): { price: string; size: string; orders: number }[] {
    const sign = side === "bids" ? -1 : 1;
    return [...this[side].values()]
      .sort((a, b) => sign * (Number(a[0]) - Number(b[0])))
      .map(([price, size, orders]) => ({ price, size, orders }));
  }

  checksum(): number {
    return bookChecksum(this.sorted("bids"), this.sorted("asks"));
  }
}

export type Pick = (below: number) => number;

export function seeded(seed: number): Pick {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 48_271) + 11) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

/** Some transactions of every account: orders of many kinds around the mark, amendments, cancels. Some are refused. */
export function randomTxs(chain: TestChain, pick: Pick): Uint8Array[] {
  const txs: Uint8Array[] = [];
  // A time names an unordered transaction of its signer.
  let unorderedUntilNs = chain.timeNs() + 5_000_000_000n;
  for (const one of chain.accounts) {
    const count = pick(6);
    for (let i = 0; i < count; i++) {
      unorderedUntilNs += 1n;
      txs.push(one.sign([randomMessage(one, pick)], { gas: 1_000_000, unorderedUntilNs }));
    }
  }
  return [priceTx(chain, BigInt(6_500_000 + (pick(41) - 20) * 100)), ...txs];
}

const names = Array.from({ length: 6 }, (_, at) => `c${at}`);

function randomMessage(owner: TestSigner, pick: Pick): TestMessage {
  const kind = pick(24);
  const clientId = names[pick(names.length)] as string;
  const named = { market: MARKET, clientId, orderId: 0n };
  const sender = owner.address;
  if (kind === 0) {
    const message = MsgCancelAll.fromPartial({ sender });
    return { typeUrl: url("MsgCancelAll"), value: MsgCancelAll.encode(message).finish() };
  }
  if (kind < 3) {
    const message = MsgAmendOrder.fromPartial({ ...named, sender, price: price(pick) });
    return { typeUrl: url("MsgAmendOrder"), value: MsgAmendOrder.encode(message).finish() };
  }
  if (kind < 6) {
    const orders = [order(pick, clientId), order(pick, names[pick(names.length)] as string)];
    const message = MsgBatchOrders.fromPartial({ sender, cancels: [named], orders });
    return { typeUrl: url("MsgBatchOrders"), value: MsgBatchOrders.encode(message).finish() };
  }
  const message = MsgPlaceOrder.fromPartial({ ...order(pick, clientId), sender });
  return { typeUrl: url("MsgPlaceOrder"), value: MsgPlaceOrder.encode(message).finish() };
}

function order(pick: Pick, clientId: string) {
  const iceberg = pick(6) === 0;
  const timeInForce = [
    TimeInForce.TIME_IN_FORCE_GTC,
    TimeInForce.TIME_IN_FORCE_GTC,
    TimeInForce.TIME_IN_FORCE_GTC,
    TimeInForce.TIME_IN_FORCE_IOC,
    TimeInForce.TIME_IN_FORCE_FOK,
  ][iceberg ? 0 : pick(5)] as TimeInForce;
  return {
    market: MARKET,
    side: pick(2) === 0 ? Side.SIDE_BUY : Side.SIDE_SELL,
    type: OrderType.ORDER_TYPE_LIMIT,
    price: price(pick),
    size: iceberg ? "0.004" : `0.00${1 + pick(5)}`,
    displaySize: iceberg ? "0.001" : "",
    timeInForce,
    reduceOnly: pick(8) === 0,
    clientId: pick(3) === 0 ? clientId : `u${pick(1e9)}`,
  };
}

function price(pick: Pick): string {
  return `${65_000 + (pick(31) - 15)}`;
}

function url(name: string): string {
  return `/keel.derivatives.v1.${name}`;
}
