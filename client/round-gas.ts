/**
 * Gas limits where a market matches by auction alone: what is sent there matches nothing when it is accepted. Validators name no transaction with a higher limit than
 * NAMED_GAS_MAX, so a market maker's batch has what it uses and half as much again, not the figures of `gas.ts`.
 */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type {
  MsgBatchOrders,
  MsgCancelOrder,
  MsgPlaceOco,
  MsgPlaceOrder,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { BASE_GAS, SLICE_GAS } from "./gas.ts";
import type { KeelClient } from "./keel-client.ts";
import { GAS_KNOWN_AGE_MS, NAMED_GAS_MAX } from "./limits.ts";
import { methods } from "./queries.ts";

/** 26,600 of an account with orders and positions in this market alone, 3,400 for a builder, 30 for each order that it has waiting there. */
const ORDER_GAS = 32_000;
/** Each further market that the account has positions or orders in. */
const POSITION_GAS = 7_000;
/** Of each order of a bracket (`COLLECTED_ORDER_GAS`, its terms), and of a pair beside its two orders (`COLLECTED_CANCEL_GAS`). */
const PART_GAS = 9_000;
/** Of an order that a trading key sends. */
const KEY_GAS = 12_000;
/** 18,000 to 20,500, and 30 for each cancel that waits for the same round. */
const CANCEL_GAS = 27_000;

/** Orders and cancels, and nothing else, of one transaction. */
interface Trading {
  readonly markets: ReadonlySet<string>;
  readonly parts: readonly Part[];
}

interface Part {
  readonly owner: string;
  readonly subaccount: number;
  readonly isKey: boolean;
  readonly orders: number;
  /** Orders of brackets, and pairs. */
  readonly parts: number;
  /** Of TWAPs. */
  readonly slices: number;
  readonly cancels: number;
}

export class RoundGas {
  readonly #sender: string;
  readonly #byAuction: Known<boolean>;
  readonly #positions: Known<number>;

  /** `now`: milliseconds of this machine's clock. */
  constructor(chain: KeelClient, sender: string, now: () => number = Date.now) {
    this.#sender = sender;
    this.#byAuction = new Known(async (symbol) => {
      const { market } = await chain.ask(methods.market, { market: symbol });
      const matching = market?.market?.terms?.auction?.matching;
      return matching === MatchingMode.MATCHING_MODE_BATCH_AUCTION;
    }, now);
    this.#positions = new Known(async (key) => {
      const [owner = "", subaccount] = key.split("/");
      const asked = { owner, subaccount: Number(subaccount) };
      return (await chain.ask(methods.account, asked)).account?.positions.length ?? 0;
    }, now);
  }

  /**
   * Null: the messages do other things, or in other markets, or are not named at any limit that suffices, or the chain does not say. What it says is remembered, and asked
   * again beside the use of it when it has become old.
   */
  async limit(messages: readonly EncodeObject[]): Promise<number | null> {
    const trading = tradingOf(messages, this.#sender);
    if (trading === null) return null;
    try {
      const known = await Promise.all([...trading.markets].map((one) => this.#byAuction.get(one)));
      if (!known.every((byAuction) => byAuction)) return null;
      const gas = await Promise.all(trading.parts.map((part) => this.#gasOf(part)));
      const used = gas.reduce((sum, one) => sum + one, BASE_GAS);
      return used > NAMED_GAS_MAX ? null : Math.min(Math.ceil(used * 1.5), NAMED_GAS_MAX);
    } catch {
      // The market may not be listed, or the node not answer: the transaction will say so.
      return null;
    }
  }

  async #gasOf(part: Part): Promise<number> {
    const { cancels, isKey, orders, owner, parts, slices, subaccount } = part;
    if (orders === 0) return cancels * CANCEL_GAS;
    const positions = await this.#positions.get(`${owner}/${subaccount}`);
    const order = ORDER_GAS + POSITION_GAS * Math.max(positions - 1, 0) + (isKey ? KEY_GAS : 0);
    return orders * order + parts * PART_GAS + slices * SLICE_GAS + cancels * CANCEL_GAS;
  }
}

function tradingOf(messages: readonly EncodeObject[], sender: string): Trading | null {
  const markets = new Set<string>();
  const parts: Part[] = [];
  const add = (
    of: { readonly owner: string; readonly subaccount: number },
    orders: readonly Pick<NewOrder, "market" | "bracket" | "twap">[],
    cancels: readonly { readonly market: string }[],
    pairs = 0,
  ): void => {
    for (const { market } of [...orders, ...cancels]) markets.add(market);
    const isKey = of.owner !== "" && of.owner !== sender;
    const attached = orders.map(({ bracket }) =>
      [bracket?.takeProfit, bracket?.stopLoss].filter((one) => one !== undefined),
    );
    const more = attached.flat().length + pairs;
    const slices = orders.reduce((sum, { twap }) => sum + (twap?.slices ?? 0), 0);
    const counts = { orders: orders.length, parts: more, slices, cancels: cancels.length };
    parts.push({ owner: of.owner || sender, subaccount: of.subaccount, isKey, ...counts });
  };
  for (const { typeUrl, value } of messages) {
    if (typeUrl === "/keel.derivatives.v1.MsgPlaceOrder") {
      add(value as MsgPlaceOrder, [value as MsgPlaceOrder], []);
    } else if (typeUrl === "/keel.derivatives.v1.MsgPlaceOco") {
      add(value as MsgPlaceOco, (value as MsgPlaceOco).legs, [], 1);
    } else if (typeUrl === "/keel.derivatives.v1.MsgCancelOrder") {
      add(value as MsgCancelOrder, [], [value as MsgCancelOrder]);
    } else if (typeUrl === "/keel.derivatives.v1.MsgBatchOrders") {
      const batch = value as MsgBatchOrders;
      if (batch.amendments.length > 0) return null;
      add(batch, batch.orders, batch.cancels);
    } else return null;
  }
  return { markets, parts };
}

/** Asked once, and again beside its use when it is old: nobody waits for that. */
class Known<T> {
  readonly #read: (key: string) => Promise<T>;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly value: T; askedAt: number }>();

  constructor(read: (key: string) => Promise<T>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  async get(key: string): Promise<T> {
    const known = this.#answers.get(key);
    if (known === undefined) return await this.#ask(key);
    if (this.#now() - known.askedAt >= GAS_KNOWN_AGE_MS) {
      known.askedAt = this.#now();
      // What cannot be asked now is asked again when that is old.
      void this.#ask(key).catch(() => undefined);
    }
    return known.value;
  }

  async #ask(key: string): Promise<T> {
    const askedAt = this.#now();
    const value = await this.#read(key);
    this.#answers.set(key, { value, askedAt });
    return value;
  }
}
