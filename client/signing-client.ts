/** One account on a Keel chain: trades, moves money, and says what became of each order. */
import type { EncodeObject, OfflineSigner, Registry } from "@cosmjs/proto-signing";
import type { AminoTypes, Coin, GasPrice } from "@cosmjs/stargate";
import type { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  type DocumentFill,
  MsgAmendOrderResponse,
  MsgCancelAllResponse,
  MsgCancelOrderResponse,
  MsgClearTradesResponse,
  MsgGrantTradingKeyResponse,
  MsgPlaceOcoResponse,
  MsgPlaceOrderResponse,
  MsgTransferPositionResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgDepositResponse, MsgWithdrawResponse } from "@keel/proto/gen/keel/margin/v1/tx";
import { keelAminoTypes } from "./amino.ts";
import { type AuctionFate, awaitFate, isDecided } from "./auctions.ts";
import { executeTogether } from "./cosign.ts";
import type { Amount } from "./decimal.ts";
import { type DocumentRequest, orderDocument } from "./documents.ts";
import type { Endpoints } from "./endpoints.ts";
import { KeelInputError } from "./errors.ts";
import {
  type AgreedTrade,
  type CancelDocumentsRequest,
  type GrantRequest,
  type PositionTransfer,
  type SubaccountPort,
  transferPositionMessage,
  transferSubaccountMessage,
} from "./external-messages.ts";
import { requestFaucet } from "./faucet.ts";
import { readGasPrice } from "./gas.ts";
import { KeelClient, type KeelClientOptions } from "./keel-client.ts";
import { INCLUSION_TIMEOUT_MS } from "./limits.ts";
import {
  type BatchRequest,
  type DepositOptions,
  KeelMessages,
  type SubaccountOption,
  type SubaccountTransfer,
  type TradingOption,
  type WithdrawOptions,
} from "./messages.ts";
import type { AmendRequest, CancelRequest, ComboRequest, OrderRequest } from "./orders.ts";
import {
  type BatchOutcome,
  batchOutcome,
  type CollateralOutcome,
  type ComboOutcome,
  comboOutcome,
  type WithTx,
} from "./outcomes.ts";
import { keelRegistry } from "./registry.ts";
import type { SigningContext } from "./sign.ts";
import {
  type SubmitOptions,
  type SubmittedTx,
  Submitter,
  signingAccount,
  submitterDefaults,
} from "./submitter.ts";
import {
  type AmendedOrder,
  amendedOrder,
  type CancelledOrder,
  type PlacedOrder,
  placedOrder,
  responseOf,
  type TxOutcome,
} from "./tx-result.ts";
import {
  type AccountHealth,
  integer,
  type OpenOrder,
  type Position,
  type WaitingOrder,
} from "./views.ts";

export interface KeelSigningOptions extends KeelClientOptions {
  /** Address to sign with; default: the signer's first. */
  readonly account?: string;
  /** "0.025ukeel": what the network asks per unit of gas. Default: no fee. */
  readonly gasPrice?: string;
  /** True: transactions carry an expiring nonce instead of a sequence and never wait for each other. Needs a direct signer. */
  readonly unordered?: boolean;
  /** How long to wait for a block, by this machine's clock. */
  readonly timeoutMs?: number;
  readonly registry?: Registry;
  readonly aminoTypes?: AminoTypes;
}

export class KeelSigningClient {
  /** Queries; shared when the client was made from a KeelClient. */
  readonly chain: KeelClient;
  readonly address: string;
  /** Builds messages without sending them, for `submit`. */
  readonly messages: KeelMessages;
  /** What signs here, for transactions that several sign. */
  readonly context: SigningContext;
  readonly gasPrice: GasPrice | undefined;
  readonly #submitter: Submitter;
  readonly #ownsChain: boolean;

  private constructor(parts: {
    chain: KeelClient;
    context: SigningContext;
    gasPrice: GasPrice | undefined;
    submitter: Submitter;
    ownsChain: boolean;
  }) {
    this.chain = parts.chain;
    this.context = parts.context;
    this.gasPrice = parts.gasPrice;
    this.address = parts.context.address;
    this.messages = new KeelMessages(parts.chain, this.address);
    this.#submitter = parts.submitter;
    this.#ownsChain = parts.ownsChain;
  }

  /** `rpc`: one address, several, or a KeelClient whose connection, event stream and market list are shared by many signers. */
  static async connectWithSigner(
    rpc: Endpoints | KeelClient,
    signer: OfflineSigner,
    options: KeelSigningOptions = {},
  ): Promise<KeelSigningClient> {
    const gasPrice = readGasPrice(options.gasPrice);
    const { address, pubkey } = await signingAccount(signer, options.account);
    const ownsChain = !(rpc instanceof KeelClient);
    const chain = ownsChain ? await KeelClient.connect(rpc, options) : rpc;
    const context: SigningContext = {
      signer,
      address,
      pubkey,
      chainId: chain.chainId,
      registry: options.registry ?? keelRegistry(),
      aminoTypes: options.aminoTypes ?? keelAminoTypes(),
    };
    const submitter = new Submitter(chain, context, {
      ...submitterDefaults,
      gasPrice,
      unordered: options.unordered ?? submitterDefaults.unordered,
      timeoutMs: options.timeoutMs ?? submitterDefaults.timeoutMs,
    });
    return new KeelSigningClient({ chain, context, gasPrice, submitter, ownsChain });
  }

  /** Closes the connection, unless it is a shared one. */
  disconnect(): void {
    if (this.#ownsChain) this.chain.disconnect();
  }

  /** Sends messages in one transaction and returns once a node has accepted it; `outcome()` waits for the block. */
  submit(messages: readonly EncodeObject[], options?: SubmitOptions): Promise<SubmittedTx> {
    return this.#submitter.submit(messages, options);
  }

  /** Sends messages in one transaction and waits for its block. */
  async execute(messages: readonly EncodeObject[], options?: SubmitOptions): Promise<TxOutcome> {
    const submitted = await this.submit(messages, options);
    return await submitted.outcome();
  }

  // Money

  /** Pays wallet coins into a sub-account. "1000.5" is whole units, 1000500000n quanta. */
  async deposit(
    amount: Amount,
    options: DepositOptions & SubmitOptions = {},
  ): Promise<WithTx<CollateralOutcome>> {
    const tx = await this.execute([await this.messages.deposit(amount, options)], options);
    const { collateral } = responseOf(tx, 0, MsgDepositResponse);
    return { collateral: integer("collateral", collateral), tx };
  }

  /** Pays free collateral out to the wallet. */
  async withdraw(
    amount: Amount,
    options: WithdrawOptions & SubmitOptions = {},
  ): Promise<WithTx<CollateralOutcome>> {
    const tx = await this.execute([await this.messages.withdraw(amount, options)], options);
    const { collateral } = responseOf(tx, 0, MsgWithdrawResponse);
    return { collateral: integer("collateral", collateral), tx };
  }

  /** Moves free collateral between two of one's own sub-accounts. */
  async transfer(transfer: SubaccountTransfer, options: SubmitOptions = {}): Promise<TxOutcome> {
    return await this.execute([await this.messages.transfer(transfer)], options);
  }

  /** Sends coins (base units) to another wallet. */
  async send(to: string, coins: readonly Coin[], options: SubmitOptions = {}): Promise<TxOutcome> {
    return await this.execute([this.messages.send(to, coins)], options);
  }

  /** Asks a faucet of CosmJS's shape for coins of `denom` (default: the settlement asset) for this account. */
  async faucet(url: string, denom?: string): Promise<void> {
    await requestFaucet(url, this.address, denom ?? (await this.chain.settlementDenom()));
  }

  // Orders

  /** Places one order and says what became of it. A refused order throws KeelTxError. */
  async place(
    order: OrderRequest & TradingOption,
    options: SubmitOptions = {},
  ): Promise<WithTx<PlacedOrder>> {
    const tx = await this.execute([await this.messages.place(order)], options);
    return { ...placedOrder(responseOf(tx, 0, MsgPlaceOrderResponse)), tx };
  }

  /**
   * Places an order in a market that collects, and waits for what its auction makes of it: at the end of the same block or of its round's, or, with
   * `untilFilled`, in the first block in which it is filled or gone (an opening, say).
   */
  async placeInAuction(
    order: OrderRequest & TradingOption & { readonly clientId: string },
    options: SubmitOptions & { readonly untilFilled?: boolean } = {},
  ): Promise<WithTx<AuctionFate & { readonly height: number }>> {
    const { tx, ...placed } = await this.place(order, options);
    if (placed.status !== "collected")
      throw new KeelInputError(
        "invalid-order",
        "market",
        `${order.market} does not collect orders`,
      );
    const { market, clientId, owner = this.address, subaccount = 0 } = order;
    const account = `${owner}/${subaccount}`;
    const fate = await awaitFate(
      (height) => this.chain.blockEvents(height),
      { market, account, clientId },
      {
        fromHeight: tx.height,
        until: isDecided(placed, options.untilFilled === true),
        timeoutMs: options.timeoutMs ?? INCLUSION_TIMEOUT_MS,
      },
    );
    return { ...fate, tx };
  }

  async cancel(
    order: CancelRequest & TradingOption,
    options: SubmitOptions = {},
  ): Promise<WithTx<CancelledOrder>> {
    const tx = await this.execute([this.messages.cancel(order)], options);
    const { orderId, cancelledSize, round } = responseOf(tx, 0, MsgCancelOrderResponse);
    return { orderId, cancelledSize, round, tx };
  }

  /** Cancels every open order of a sub-account, in one market or in all; answers how many. */
  async cancelAll(
    filter: TradingOption & { readonly market?: string } = {},
    options: SubmitOptions = {},
  ): Promise<WithTx<{ readonly cancelled: number }>> {
    const tx = await this.execute([this.messages.cancelAll(filter)], options);
    return { cancelled: responseOf(tx, 0, MsgCancelAllResponse).cancelled, tx };
  }

  /** Changes an open or waiting order in one step: all of it or nothing. Its id stays. */
  async amend(
    order: AmendRequest & TradingOption,
    options: SubmitOptions = {},
  ): Promise<WithTx<AmendedOrder>> {
    const tx = await this.execute([await this.messages.amend(order)], options);
    return { ...amendedOrder(responseOf(tx, 0, MsgAmendOrderResponse)), tx };
  }

  /** Places two orders of which one cancels the other; both or neither is taken. */
  async placeOco(
    legs: readonly [OrderRequest, OrderRequest],
    options: TradingOption & SubmitOptions = {},
  ): Promise<WithTx<{ readonly legs: readonly PlacedOrder[] }>> {
    const tx = await this.execute([await this.messages.placeOco(legs, options)], options);
    return { legs: responseOf(tx, 0, MsgPlaceOcoResponse).legs.map(placedOrder), tx };
  }

  /** Fills every leg at once within the net limit, or throws KeelTxError and nothing happened. */
  async placeCombo(
    combo: ComboRequest & TradingOption,
    options: SubmitOptions = {},
  ): Promise<WithTx<ComboOutcome>> {
    const tx = await this.execute([await this.messages.placeCombo(combo)], options);
    return { ...comboOutcome(tx, 0), tx };
  }

  /** Sets, moves or (undefined) switches off the time at which all orders of a sub-account are cancelled. */
  async setDeadMan(
    deadlineMs: bigint | number | undefined,
    options: TradingOption & SubmitOptions = {},
  ): Promise<TxOutcome> {
    return await this.execute([this.messages.setDeadMan(deadlineMs, options)], options);
  }

  /** Cancels, then amends, then places, in one message. A refused item does not stop the others: look at each result. */
  async batch(request: BatchRequest, options: SubmitOptions = {}): Promise<WithTx<BatchOutcome>> {
    const tx = await this.execute([await this.messages.batch(request)], options);
    return { ...batchOutcome(tx, 0), tx };
  }

  // Trades agreed elsewhere, transfers, trading keys

  /** This account's consent to trade, for a matching engine or a counterparty. Unsigned: see documents.ts and trading-key.ts. */
  async document(request: DocumentRequest & { readonly owner?: string }): Promise<OrderDocument> {
    const steps = await this.chain.steps(request.market);
    return orderDocument(this.chain.chainId, request.owner ?? this.address, request, steps);
  }

  /** Clears trades between signed documents, all or none; answers what is left of each document. */
  async clearTrades(
    trades: readonly AgreedTrade[],
    options: SubmitOptions = {},
  ): Promise<WithTx<{ readonly documents: readonly DocumentFill[] }>> {
    const tx = await this.execute([this.messages.clearTrades(trades)], options);
    return { documents: responseOf(tx, 0, MsgClearTradesResponse).documents, tx };
  }

  async cancelDocuments(
    request: CancelDocumentsRequest,
    options: SubmitOptions = {},
  ): Promise<TxOutcome> {
    return await this.execute([this.messages.cancelDocuments(request)], options);
  }

  /** Moves a position between two own sub-accounts, or with `other` (the other owner, who signs too) between two owners. */
  async transferPosition(
    transfer: PositionTransfer,
    other?: KeelSigningClient,
  ): Promise<WithTx<{ readonly size: string; readonly price: string }>> {
    const tx = await this.#transfer(transferPositionMessage(transfer), transfer, other);
    const { size, price } = responseOf(tx, 0, MsgTransferPositionResponse);
    return { size, price, tx };
  }

  /** Gives a whole sub-account to an unused one; as `transferPosition`. */
  async transferSubaccount(port: SubaccountPort, other?: KeelSigningClient): Promise<TxOutcome> {
    return await this.#transfer(transferSubaccountMessage(port), port, other);
  }

  async #transfer(
    message: EncodeObject,
    { from }: SubaccountPort,
    other: KeelSigningClient | undefined,
  ): Promise<TxOutcome> {
    if (other === undefined) return await this.execute([message]);
    const clients = from.owner === this.address ? [this, other] : [other, this];
    return await executeTogether(clients, [message]);
  }

  /** Lets a key trade for this account; answers the key's address. */
  async grantTradingKey(
    grant: GrantRequest,
    options: SubmitOptions = {},
  ): Promise<WithTx<{ readonly trader: string }>> {
    const tx = await this.execute([this.messages.grantTradingKey(grant)], options);
    return { trader: responseOf(tx, 0, MsgGrantTradingKeyResponse).trader, tx };
  }

  async revokeTradingKey(trader: string, options: SubmitOptions = {}): Promise<TxOutcome> {
    return await this.execute([this.messages.revokeTradingKey(trader)], options);
  }

  // What one holds

  account(subaccount: number = 0): Promise<AccountHealth> {
    return this.chain.account(this.address, subaccount);
  }

  positions(subaccount: number = 0): Promise<readonly Position[]> {
    return this.chain.positions(this.address, subaccount);
  }

  openOrders(
    filter: SubaccountOption & { readonly market?: string } = {},
  ): Promise<readonly OpenOrder[]> {
    return this.chain.openOrders(this.address, filter);
  }

  /** Conditional orders and TWAPs. */
  waitingOrders(
    filter: SubaccountOption & { readonly market?: string } = {},
  ): Promise<readonly WaitingOrder[]> {
    return this.chain.waitingOrders(this.address, filter);
  }

  /** Wallet coins, in base units; default: the settlement asset. */
  async balance(denom?: string): Promise<bigint> {
    return await this.chain.balance(this.address, denom ?? (await this.chain.settlementDenom()));
  }
}
