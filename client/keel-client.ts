/** Everything that can be read from a Keel chain, over one CometBFT RPC endpoint or several. */
import {
  type AuthExtension,
  accountFromAny,
  type BankExtension,
  type Coin,
  QueryClient,
  setupAuthExtension,
  setupBankExtension,
  setupTxExtension,
  type TxExtension,
} from "@cosmjs/stargate";
import { Comet38Client } from "@cosmjs/tendermint-rpc";
import type {
  QueryAuctionResponse,
  QueryDocumentResponse,
  QueryFundingResponse,
  TradingGrantView,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { Fund } from "@keel/proto/gen/keel/insurance/v1/types";
import type { QueryTotalsResponse } from "@keel/proto/gen/keel/margin/v1/query";
import type { Deficit } from "@keel/proto/gen/keel/margin/v1/types";
import type { PriceView } from "@keel/proto/gen/keel/oracle/v1/query";
import type { Any } from "cosmjs-types/google/protobuf/any";
import { ChainClock } from "./chain-clock.ts";
import { EndpointPool, type Endpoints } from "./endpoints.ts";
import { KeelConnectionError, type Refusal } from "./errors.ts";
import { CHAIN_TIME_AGE_MS } from "./limits.ts";
import { KnownSteps } from "./market-steps.ts";
import type { Method } from "./method.ts";
import type { MarketSteps } from "./order-parts.ts";
import { ask, methods } from "./queries.ts";
import { aminoKey } from "./sign.ts";
import type { TxEvent } from "./tx-result.ts";
import { TxWatch } from "./tx-watch.ts";
import {
  type AccountHealth,
  accountHealth,
  type MarketInfo,
  marketInfo,
  type OpenOrder,
  type OrderBook,
  openOrder,
  type Position,
  position,
  type WaitingOrder,
  waitingOrder,
} from "./views.ts";

export interface KeelClientOptions {
  /** False: inclusion is asked for, no WebSocket is opened. Default true. */
  readonly streaming?: boolean;
}

export interface ChainStatus {
  readonly chainId: string;
  readonly height: number;
  /** Unix milliseconds of the latest block, which on a test network need not be this machine's clock. */
  readonly timeMs: number;
  readonly catchingUp: boolean;
}

export interface AccountNumbers {
  readonly accountNumber: number;
  readonly sequence: number;
}

/** A sub-account with a position: one row of the chain-wide list. */
export interface HeldPosition extends Position {
  readonly owner: string;
  readonly subaccount: number;
}

const POSITIONS_PAGE = 1000;

export class KeelClient {
  readonly endpoints: EndpointPool;
  /** CosmJS's client on the same endpoints, for whatever this class does not wrap. */
  readonly comet: Comet38Client;
  /** Shared by every signing client made from this one. */
  readonly watch: TxWatch;
  readonly chainId: string;
  readonly #query: QueryClient & AuthExtension & BankExtension & TxExtension;
  readonly #steps = new KnownSteps({
    all: () => this.markets(),
    one: (symbol) => this.market(symbol),
  });
  #settlementDenom: string | undefined;
  readonly #clock: ChainClock;

  private constructor(parts: {
    endpoints: EndpointPool;
    comet: Comet38Client;
    chainId: string;
    clock: ChainClock;
    streaming: boolean;
  }) {
    this.endpoints = parts.endpoints;
    this.comet = parts.comet;
    this.chainId = parts.chainId;
    this.#clock = parts.clock;
    this.#query = QueryClient.withExtensions(
      parts.comet,
      setupAuthExtension,
      setupBankExtension,
      setupTxExtension,
    );
    this.watch = new TxWatch({
      comet: parts.comet,
      endpoints: parts.endpoints,
      latest: () => this.#clock.latest(0),
      streaming: parts.streaming,
    });
  }

  /** Connects to one RPC address, or to several of one chain: the next one answers when one is away. */
  static async connect(rpc: Endpoints, options: KeelClientOptions = {}): Promise<KeelClient> {
    const endpoints = new EndpointPool(rpc);
    const comet = Comet38Client.create(endpoints);
    const { nodeInfo, syncInfo } = await comet.status();
    return new KeelClient({
      endpoints,
      comet,
      chainId: nodeInfo.network,
      clock: new ChainClock(comet, syncInfo),
      streaming: options.streaming ?? true,
    });
  }

  /** Closes the event stream; waiting transactions are given up. */
  disconnect(): void {
    this.watch.close();
    this.comet.disconnect();
  }

  async status(): Promise<ChainStatus> {
    const { nodeInfo, syncInfo } = await this.comet.status();
    return {
      chainId: nodeInfo.network,
      height: syncInfo.latestBlockHeight,
      timeMs: syncInfo.latestBlockTime.getTime(),
      catchingUp: syncInfo.catchingUp,
    };
  }

  async height(): Promise<number> {
    return (await this.status()).height;
  }

  /** Time of a recent block in nanoseconds: at most `maxAgeMs` (of this machine's clock) old. */
  async chainTimeNs(maxAgeMs: number = CHAIN_TIME_AGE_MS): Promise<bigint> {
    return (await this.#clock.latest(maxAgeMs)).timeNs;
  }

  /** Any method of a query service, with its generated types. */
  ask<Q, A>(method: Method<Q, A>, query: Q, height?: number): Promise<A> {
    return ask(this.comet, method, query, height);
  }

  // Bank and auth

  /** Coins of one denom, in base units. */
  async balance(address: string, denom: string): Promise<bigint> {
    return BigInt((await this.#query.bank.balance(address, denom)).amount);
  }

  async balances(address: string): Promise<readonly Coin[]> {
    return await this.#query.bank.allBalances(address);
  }

  /** Null when the chain does not know the address yet: it has never received anything. */
  async accountNumbers(address: string): Promise<AccountNumbers | null> {
    try {
      const any = await this.#query.auth.account(address);
      if (any === null) return null;
      const { accountNumber, sequence } = accountFromAny(any);
      return { accountNumber: Number(accountNumber), sequence };
    } catch (error) {
      if (/rpc error: code = NotFound/i.test(String(error))) return null;
      throw error;
    }
  }

  /** Gas these messages would use now. */
  async simulate(
    messages: readonly Any[],
    { pubkey, sequence, memo }: { pubkey: Uint8Array; sequence: number; memo: string },
  ): Promise<bigint> {
    const key = aminoKey(pubkey);
    const { gasInfo } = await this.#query.tx.simulate(messages, memo, key, sequence);
    if (gasInfo === undefined) throw new KeelConnectionError("bad-answer", "expected gas used");
    return gasInfo.gasUsed;
  }

  /** Hands a signed transaction to a node. Null when it is accepted. */
  async broadcast(tx: Uint8Array): Promise<Refusal | null> {
    try {
      const { code, codespace, log } = await this.comet.broadcastTxSync({ tx });
      return code === 0 ? null : { code, codespace: codespace ?? "", log: log ?? "" };
    } catch (error) {
      if (!(error instanceof KeelConnectionError) || !/already exists in cache/.test(error.message))
        throw error;
      // Asked again because an answer was lost: it was this call that brought it.
      if (error.attempts > 1) return null;
      return { codespace: "sdk", code: 19, log: "tx already in mempool" };
    }
  }

  // Markets

  async markets(): Promise<readonly MarketInfo[]> {
    const found: MarketInfo[] = [];
    for (let after = 0; ; ) {
      const page = await this.ask(methods.markets, { after, limit: 0, underlying: "" });
      for (const view of page.markets) this.#steps.note(view);
      found.push(...page.markets.map(marketInfo));
      if (page.next === 0) break;
      after = page.next;
    }
    this.#steps.keep(new Set(found.map(({ id }) => id)));
    return found;
  }

  async market(symbol: string): Promise<MarketInfo> {
    const { market } = await this.ask(methods.market, { market: symbol });
    if (market === undefined)
      throw new KeelConnectionError("bad-answer", `expected the market ${symbol}`);
    this.#steps.note(market);
    return marketInfo(market);
  }

  /** Tick and lot of a market; asked again when they are old. Throws KeelInputError for a symbol that is not listed. */
  async steps(symbol: string): Promise<MarketSteps> {
    return await this.#steps.named(symbol);
  }

  async orderBook(symbol: string, depth: number = 50): Promise<OrderBook> {
    const book = await this.ask(methods.orderBook, { market: symbol, depth });
    return { ...book, market: symbol };
  }

  /** How the market matches, whether it collects for an opening, and what an auction now would give. */
  async auction(symbol: string): Promise<QueryAuctionResponse> {
    return await this.ask(methods.auction, { market: symbol });
  }

  /** Events of a block itself, not of its transactions: fills of auctions, expiries, liquidations. */
  async blockEvents(height: number): Promise<readonly TxEvent[]> {
    return (await this.comet.blockResults(height)).finalizeBlockEvents;
  }

  /** All events of a block: of its transactions, then its own. */
  async eventsAt(height: number): Promise<readonly TxEvent[]> {
    const { finalizeBlockEvents, results } = await this.comet.blockResults(height);
    return [...results.flatMap(({ events }) => events), ...finalizeBlockEvents];
  }

  async funding(symbol: string): Promise<QueryFundingResponse> {
    return await this.ask(methods.funding, { market: symbol });
  }

  async prices(): Promise<readonly PriceView[]> {
    return (await this.ask(methods.prices, {})).prices;
  }

  /** Last accepted price of an oracle feed, by symbol: "BTC-USD". */
  async price(symbol: string): Promise<PriceView> {
    const { price } = await this.ask(methods.price, { feedId: 0, symbol });
    if (price === undefined)
      throw new KeelConnectionError("bad-answer", `expected a price of ${symbol}`);
    return price;
  }

  // Accounts

  /** Collateral, equity, requirements and positions of a sub-account at present marks; an unknown one is empty. */
  async account(owner: string, subaccount: number = 0): Promise<AccountHealth> {
    const { account } = await this.ask(methods.account, { owner, subaccount });
    if (account === undefined) throw new KeelConnectionError("bad-answer", "expected an account");
    return accountHealth(account, await this.#steps.ofMarkets(account.positions));
  }

  /** All sub-accounts of an owner. */
  async accounts(owner: string): Promise<readonly AccountHealth[]> {
    const { accounts } = await this.ask(methods.accounts, { owner });
    const stepsOf = await this.#steps.ofMarkets(accounts.flatMap(({ positions }) => positions));
    return accounts.map((account) => accountHealth(account, stepsOf));
  }

  async positions(owner: string, subaccount: number = 0): Promise<readonly Position[]> {
    return (await this.account(owner, subaccount)).positions.filter(({ size }) => size !== "0");
  }

  /** Every open position on the chain, of one market or all. Pages are asked one after another, so heights may differ. */
  async allPositions(symbol: string = ""): Promise<readonly HeldPosition[]> {
    const found: HeldPosition[] = [];
    let after: Uint8Array = new Uint8Array(0);
    do {
      const page = { market: symbol, limit: POSITIONS_PAGE, after };
      const { positions, next } = await this.ask(methods.positions, page);
      const views = positions.flatMap(({ position: view }) => (view === undefined ? [] : [view]));
      const stepsOf = await this.#steps.ofMarkets(views);
      for (const { owner, subaccount, position: view } of positions)
        if (view !== undefined)
          found.push({ owner, subaccount, ...position(view, stepsOf(view.marketId)) });
      after = next;
    } while (after.length > 0);
    return found;
  }

  async openOrders(
    owner: string,
    { subaccount = 0, market = "" }: { subaccount?: number; market?: string } = {},
  ): Promise<readonly OpenOrder[]> {
    const { orders } = await this.ask(methods.orders, { owner, subaccount, market });
    return orders.map(openOrder);
  }

  /** What is left of an order document, by its hash. */
  async document(hash: Uint8Array): Promise<QueryDocumentResponse> {
    return await this.ask(methods.document, { document: hash });
  }

  /** Every document of the sub-account with a smaller salt is void. */
  async saltFloor(owner: string, subaccount: number = 0): Promise<bigint> {
    return (await this.ask(methods.saltFloor, { owner, subaccount })).saltBelow;
  }

  /** Live grants of an owner's trading keys. */
  async tradingKeys(owner: string): Promise<readonly TradingGrantView[]> {
    return (await this.ask(methods.tradingKeys, { owner })).grants;
  }

  /** Conditional orders and TWAPs of a sub-account. */
  async waitingOrders(
    owner: string,
    { subaccount = 0, market = "" }: { subaccount?: number; market?: string } = {},
  ): Promise<readonly WaitingOrder[]> {
    const { orders } = await this.ask(methods.waitingOrders, { owner, subaccount, market });
    return orders.map(waitingOrder);
  }

  /** When all orders of a sub-account are cancelled, Unix milliseconds of chain time; undefined: never. */
  async deadMan(owner: string, subaccount: number = 0): Promise<bigint | undefined> {
    const { deadlineMs } = await this.ask(methods.deadMan, { owner, subaccount });
    return deadlineMs === 0n ? undefined : deadlineMs;
  }

  // Clearing house

  /** Denom in which positions settle; asked once. */
  async settlementDenom(): Promise<string> {
    this.#settlementDenom ??= (await this.ask(methods.marginParams, {})).params?.settlementDenom;
    if (this.#settlementDenom === undefined)
      throw new KeelConnectionError("bad-answer", "expected the parameters of margin");
    return this.#settlementDenom;
  }

  /** The insurance fund of a settlement asset; amounts are quanta in text. */
  async insuranceFund(denom?: string): Promise<Fund> {
    const asked = denom ?? (await this.settlementDenom());
    const { fund } = await this.ask(methods.fund, { denom: asked, riskClass: "" });
    if (fund === undefined) throw new KeelConnectionError("bad-answer", "expected a fund");
    return fund;
  }

  async totals(): Promise<QueryTotalsResponse> {
    return await this.ask(methods.totals, {});
  }

  async deficits(): Promise<readonly Deficit[]> {
    return (await this.ask(methods.deficits, {})).deficits;
  }
}
