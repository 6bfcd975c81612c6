/**
 * A chain of real modules with makers, takers, an arbitrageur and a dishonest proposer with two accounts, driven block by block. What the proposer
 * earns is its change of equity, less what the mark did to positions it held before.
 */

import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import { auctionMarketState } from "@keel/node/app/testing/auction-load";
import { TestChain } from "@keel/node/app/testing/chain";
import { listingCommit, openMarket, priceTx } from "@keel/node/app/testing/market-load";
import {
  MsgBatchOrders,
  MsgCancelAll,
  MsgCancelOrder,
  MsgPlaceOrder,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { createTraders, type Trader } from "../trader.ts";
import type { Message } from "../tx-bytes.ts";

/**
 * How the market matches, and whether blocks must keep the lanes. `fleeting`: a batch auction whose makers and takers send immediate orders in
 * transactions that name the one block they are meant for. `replacing`: one whose makers cancel what rests of their quotes and quote anew in one message.
 * `rounds`, `rounds late`: batch auctions in rounds that inclusion lists give; everybody's messages reach the validators before they vote on the block
 * before, or after, when only the proposer still decides about its block.
 */
export const RULES = [
  "continuous",
  "lanes",
  "auction",
  "fleeting",
  "replacing",
  "rounds",
  "rounds late",
] as const;
export type Rules = (typeof RULES)[number];

export function isAuction(rules: Rules): boolean {
  return rules !== "continuous" && rules !== "lanes";
}

export function hasRounds(rules: Rules): boolean {
  return rules === "rounds" || rules === "rounds late";
}

/** Accounts by their part. The proposer has two, of different owners, so that it can trade with itself unnoticed. */
export const ROLES = {
  proposer: [0, 1],
  makers: [2, 3, 4],
  takers: [5, 6],
  arbitrageur: 7,
} as const;
const ACCOUNTS = 8;
const VALIDATORS = 7;

const MARKET = "BTC-PERP";
/** Of prices in cents, which the feed speaks, in units of the market's tick of 0.1. */
const CENTS_PER_TICK = 10;
/** Quanta per lot of 0.001 and tick of 0.1. */
const QUANTA_PER_TICK_LOT = 100n;

/** Cancels, quotes that only add to the book, everything else. */
export type Lane = 1 | 2 | 3;

export interface Pending {
  readonly account: number;
  readonly lane: Lane;
  readonly message: Message;
  /** No block after this one may hold it; 0: any may. */
  readonly lastHeight: number;
  /** Of a single order. */
  readonly clientId?: string;
}

export interface VoteSplit {
  readonly sent: readonly [Pending, Pending];
  readonly listed: readonly Pending[];
}

/** What a proposer does with a block, and what validators knew when they voted on the one before. */
export interface BlockChoice {
  /** What it holds back: validators name it when they vote on this block. Where they had named it before, the block is empty. */
  readonly leftOut?: readonly Pending[];
  /** Nobody had the block's own transactions when validators voted. */
  readonly late?: boolean;
  /** What had reached three of the seven validators each when they voted, and those of it that the votes in the block are chosen to list. */
  readonly split?: VoteSplit | undefined;
}

export interface Order {
  readonly side: "buy" | "sell";
  readonly ticks: number;
  /** Of 0.001. */
  readonly lots: number;
  readonly kind: "rests" | "immediate" | "quote";
}

export interface Holding {
  readonly equity: bigint;
  readonly lots: bigint;
}

export class Stage {
  readonly rules: Rules;
  readonly random: Random;
  readonly #chain: TestChain;
  readonly #traders: readonly Trader[] = createTraders(ACCOUNTS, "account", {
    id: "keel-test-1",
    prefix: "keel",
  });
  #sent = 0;
  /** Client ids of each account's last quotes. */
  readonly #quoted = new Map<number, readonly string[]>();
  readonly #signed = new Map<Pending, Uint8Array>();
  /** Named by validators who saw the last block without it. */
  #named: readonly Pending[] = [];

  private constructor(rules: Rules, seed: number, chain: TestChain) {
    this.rules = rules;
    this.random = createRandom(seed);
    this.#chain = chain;
  }

  static async open(rules: Rules, seed: number): Promise<Stage> {
    const lists = { inclusionLists: hasRounds(rules) };
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, ...lists };
    const chain: TestChain = new TestChain({
      extensionsFrom: 1,
      accounts: ACCOUNTS,
      validators: VALIDATORS,
      appState: {
        ...auctionMarketState(isAuction(rules) ? auction : undefined),
        bank: { balances: wealth() },
      },
    });
    await openMarket(chain, "1000000000000");
    return new Stage(rules, seed, chain);
  }

  place(account: number, order: Order): Pending {
    const value = MsgPlaceOrder.fromPartial({
      sender: this.#address(account),
      ...this.#order(order),
    });
    const message = {
      typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
      value: MsgPlaceOrder.encode(value).finish(),
    };
    const lane = order.kind === "quote" && !isAuction(this.rules) ? 2 : 3;
    const { clientId } = value;
    return { account, lane, message, lastHeight: this.#lastHeight(account), clientId };
  }

  /** Of a single order. */
  cancel({ account, clientId = "" }: Pending): Pending {
    const sender = this.#address(account);
    const value = MsgCancelOrder.fromPartial({ sender, market: MARKET, clientId });
    const message = {
      typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
      value: MsgCancelOrder.encode(value).finish(),
    };
    return { account, lane: 1, message, lastHeight: 0 };
  }

  /** New quotes take the place of the old ones in the same message. */
  get replaces(): boolean {
    return this.rules === "replacing";
  }

  quotes(account: number, quotes: readonly Order[]): Pending {
    const orders = quotes.map((order) => this.#order(order));
    const before = this.replaces ? (this.#quoted.get(account) ?? []) : [];
    const value = MsgBatchOrders.fromPartial({
      sender: this.#address(account),
      cancels: before.map((clientId) => ({ market: MARKET, clientId })),
      orders,
    });
    this.#quoted.set(
      account,
      orders.map(({ clientId }) => clientId),
    );
    const message = {
      typeUrl: "/keel.derivatives.v1.MsgBatchOrders",
      value: MsgBatchOrders.encode(value).finish(),
    };
    const lane = isAuction(this.rules) ? 3 : 2;
    return { account, lane, message, lastHeight: this.#lastHeight(account) };
  }

  cancelAll(account: number): Pending {
    const value = MsgCancelAll.fromPartial({ sender: this.#address(account), market: MARKET });
    const message = {
      typeUrl: "/keel.derivatives.v1.MsgCancelAll",
      value: MsgCancelAll.encode(value).finish(),
    };
    return { account, lane: 1, message, lastHeight: 0 };
  }

  /** The proposer binds itself to nothing. */
  #lastHeight(account: number): number {
    const binds = this.rules === "fleeting" && !ROLES.proposer.some((own) => own === account);
    return binds ? this.#chain.height + 1 : 0;
  }

  /**
   * Puts the transactions into a block as they stand; where lanes rule, each lane's in that sequence, and checked as validators do. What was left out of
   * the block before is in its list, and in it.
   */
  async block(
    pending: readonly Pending[],
    markTicks: number,
    choice: BlockChoice = {},
  ): Promise<void> {
    const price = BigInt(markTicks * CENTS_PER_TICK);
    const proposal = hasRounds(this.rules)
      ? await this.#roundProposal(pending, price, choice)
      : this.#proposal(pending, price);
    // Without lanes a proposer may order as it likes: the check that forbids it is what is left out.
    const valid =
      this.rules === "continuous" ||
      (await this.#chain.app.processProposal(this.#chain.proposed(proposal)));
    if (!valid) throw new Error("validators refuse this proposal");
    await this.#chain.decide(proposal);
    const [fault] = this.#chain.faults;
    if (fault !== undefined) throw fault.error;
  }

  #proposal(pending: readonly Pending[], price: bigint): readonly Uint8Array[] {
    const laned =
      this.rules === "continuous" ? pending : [...pending].sort((a, b) => a.lane - b.lane);
    return [priceTx(this.#chain, price), ...laned.map((one) => this.#sign(one))];
  }

  /** Complete or empty: with one left out that validators named, none of the others is in it either, and all of them are named again. */
  async #roundProposal(
    pending: readonly Pending[],
    price: bigint,
    { leftOut = [], late = false, split }: BlockChoice,
  ): Promise<readonly Uint8Array[]> {
    const held = [...new Set([...this.#named, ...pending])].filter((one) => !leftOut.includes(one));
    const named = late ? this.#named : [...held, ...leftOut];
    const sign = (all: readonly Pending[]) => all.map((one) => this.#sign(one));
    const txs = sign(held);
    // Three of seven name each of a split: with one of them left out they are less than a third, and five votes are enough.
    const commit = listingCommit(this.#chain, price, (validator) => {
      if (split === undefined) return sign(named);
      const common = named.filter((one) => !split.sent.includes(one));
      const [one, other] = split.sent;
      const mine = validator < 3 ? [one] : validator < 6 ? [other] : [];
      const isLeftOut = validator % 3 === 0 && mine.some((own) => !split.listed.includes(own));
      return isLeftOut ? null : sign([...common, ...mine]);
    });
    const proposal = await this.#chain.prepare(txs, commit);
    const isEmpty = proposal.length === 1;
    this.#named = isEmpty ? [...held, ...leftOut] : leftOut;
    return proposal;
  }

  /** The same bytes whenever it is asked for: a list names them before a block holds them. */
  #sign(pending: Pending): Uint8Array {
    let bytes = this.#signed.get(pending);
    if (bytes === undefined) {
      const { account, lastHeight, message } = pending;
      const untilNs = this.#chain.timeNs(this.#chain.height + 4) + BigInt(this.#sent++);
      bytes = (this.#traders[account] as Trader).sign([message], untilNs, lastHeight);
      this.#signed.set(pending, bytes);
    }
    return bytes;
  }

  /** Of both accounts of the proposer. */
  async holding(): Promise<Holding> {
    let equity = 0n;
    let lots = 0n;
    for (const account of ROLES.proposer) {
      const request = QueryAccountRequest.fromPartial({ owner: this.#address(account) });
      const response = await this.#chain.app.query({
        path: "/keel.margin.v1.Query/Account",
        data: QueryAccountRequest.encode(request).finish(),
        height: 0,
        prove: false,
      });
      const view = QueryAccountResponse.decode(response.value).account;
      if (view === undefined) throw new Error(response.log);
      equity += BigInt(view.equity);
      for (const position of view.positions) lots += BigInt(position.lots);
    }
    return { equity, lots };
  }

  #address(account: number): string {
    return (this.#traders[account] as Trader).address;
  }

  #order({ side, ticks, lots, kind }: Order): NewOrder {
    const immediate = kind === "immediate" || (kind === "quote" && this.rules === "fleeting");
    return NewOrder.fromPartial({
      market: MARKET,
      side: side === "buy" ? Side.SIDE_BUY : Side.SIDE_SELL,
      type: OrderType.ORDER_TYPE_LIMIT,
      price: decimal(ticks, 1),
      size: decimal(lots, 3),
      timeInForce: immediate ? TimeInForce.TIME_IN_FORCE_IOC : TimeInForce.TIME_IN_FORCE_GTC,
      postOnly: kind === "quote" && !isAuction(this.rules),
      clientId: `c${this.#sent++}`,
    });
  }
}

/** Earned between two holdings, in quanta, at a mark that moved by so many ticks. */
export function earned(before: Holding, after: Holding, markMoveTicks: number): bigint {
  return after.equity - before.equity - before.lots * BigInt(markMoveTicks) * QUANTA_PER_TICK_LOT;
}

function wealth(): readonly unknown[] {
  const coins = [{ denom: "uusdc", amount: "1000000000000" }];
  return createTraders(ACCOUNTS, "account", { id: "keel-test-1", prefix: "keel" }).map(
    ({ address }) => ({ address, coins }),
  );
}

function decimal(steps: number, places: number): string {
  const digits = String(steps).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`;
}
