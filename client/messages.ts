/** Keel's messages from one account, checked before they are signed. Put several into one transaction with `submit`. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type { Coin } from "@cosmjs/stargate";
import {
  MsgAmendOrder,
  MsgBatchOrders,
  MsgCancelAll,
  MsgPlaceOco,
  MsgSetDeadMan,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgFund } from "@keel/proto/gen/keel/insurance/v1/tx";
import { MsgDeposit, MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { type Amount, toQuanta } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import {
  type AgreedTrade,
  type CancelDocumentsRequest,
  cancelDocumentsMessage,
  clearTradesMessage,
  type GrantRequest,
  grantTradingKeyMessage,
  revokeTradingKeyMessage,
} from "./external-messages.ts";
import { type ListingRequest, listMarketMessage } from "./instruments.ts";
import type { KeelClient } from "./keel-client.ts";
import { BATCH_ITEMS_MAX } from "./limits.ts";
import {
  type AmendRequest,
  amendmentOf,
  type CancelRequest,
  type ComboRequest,
  cancelOrderMessage,
  checkedSubaccount,
  comboMessage,
  newOrder,
  type OrderRequest,
  orderRef,
  placeOrderMessage,
} from "./orders.ts";

export interface SubaccountOption {
  /** Number of the sub-account; default 0. */
  readonly subaccount?: number;
}

/** For whom one trades. */
export interface TradingOption extends SubaccountOption {
  /** Owner of the sub-account, who has granted this key trading; default: the sender. */
  readonly owner?: string;
}

export interface DepositOptions extends SubaccountOption {
  /** Whose sub-account; default: the sender's. */
  readonly owner?: string;
  /** Default: the settlement asset. */
  readonly denom?: string;
}

export interface WithdrawOptions extends SubaccountOption {
  readonly denom?: string;
}

export interface SubaccountTransfer {
  readonly from: number;
  readonly to: number;
  readonly amount: Amount;
  readonly denom?: string;
}

/** Cancels, then amends, then places; each item stands for itself. */
export interface BatchRequest extends TradingOption {
  readonly cancels?: readonly CancelRequest[];
  readonly amendments?: readonly AmendRequest[];
  readonly orders?: readonly OrderRequest[];
}

export class KeelMessages {
  readonly #chain: KeelClient;
  readonly #sender: string;

  constructor(chain: KeelClient, sender: string) {
    this.#chain = chain;
    this.#sender = sender;
  }

  #trader({ owner, subaccount }: TradingOption): {
    readonly sender: string;
    readonly owner: string;
    readonly subaccount: number;
  } {
    return { sender: this.#sender, owner: owner ?? "", subaccount: checkedSubaccount(subaccount) };
  }

  async deposit(amount: Amount, options: DepositOptions = {}): Promise<EncodeObject> {
    const value = MsgDeposit.fromPartial({
      sender: this.#sender,
      owner: options.owner ?? "",
      subaccount: checkedSubaccount(options.subaccount),
      denom: options.denom ?? (await this.#chain.settlementDenom()),
      amount: toQuanta("amount", amount).toString(),
    });
    return { typeUrl: "/keel.margin.v1.MsgDeposit", value };
  }

  async withdraw(amount: Amount, options: WithdrawOptions = {}): Promise<EncodeObject> {
    const value = MsgWithdraw.fromPartial({
      sender: this.#sender,
      subaccount: checkedSubaccount(options.subaccount),
      denom: options.denom ?? (await this.#chain.settlementDenom()),
      amount: toQuanta("amount", amount).toString(),
    });
    return { typeUrl: "/keel.margin.v1.MsgWithdraw", value };
  }

  async transfer({ from, to, amount, denom }: SubaccountTransfer): Promise<EncodeObject> {
    const value = MsgTransfer.fromPartial({
      sender: this.#sender,
      fromSubaccount: checkedSubaccount(from),
      toSubaccount: checkedSubaccount(to),
      denom: denom ?? (await this.#chain.settlementDenom()),
      amount: toQuanta("amount", amount).toString(),
    });
    return { typeUrl: "/keel.margin.v1.MsgTransfer", value };
  }

  async place(order: OrderRequest & TradingOption): Promise<EncodeObject> {
    const wire = newOrder(order, await this.#chain.steps(order.market));
    const from = this.#trader(order);
    return { typeUrl: "/keel.derivatives.v1.MsgPlaceOrder", value: placeOrderMessage(from, wire) };
  }

  cancel(order: CancelRequest & TradingOption): EncodeObject {
    const from = this.#trader(order);
    const value = cancelOrderMessage(from, orderRef(order));
    return { typeUrl: "/keel.derivatives.v1.MsgCancelOrder", value };
  }

  cancelAll({ market = "", ...trader }: TradingOption & { market?: string } = {}): EncodeObject {
    const value = MsgCancelAll.fromPartial({ ...this.#trader(trader), market });
    return { typeUrl: "/keel.derivatives.v1.MsgCancelAll", value };
  }

  async amend(order: AmendRequest & TradingOption): Promise<EncodeObject> {
    const value = MsgAmendOrder.fromPartial({
      ...amendmentOf(order, await this.#chain.steps(order.market)),
      ...this.#trader(order),
    });
    return { typeUrl: "/keel.derivatives.v1.MsgAmendOrder", value };
  }

  /** Two orders of one market and size: a fill of one takes as much off the other. */
  async placeOco(
    legs: readonly [OrderRequest, OrderRequest],
    trader: TradingOption = {},
  ): Promise<EncodeObject> {
    const wire = [];
    for (const leg of legs) wire.push(newOrder(leg, await this.#chain.steps(leg.market)));
    const value = MsgPlaceOco.fromPartial({ ...this.#trader(trader), legs: wire });
    return { typeUrl: "/keel.derivatives.v1.MsgPlaceOco", value };
  }

  async placeCombo(combo: ComboRequest & TradingOption): Promise<EncodeObject> {
    const steps = [];
    for (const { market } of combo.legs) steps.push(await this.#chain.steps(market));
    const value = comboMessage(this.#trader(combo), combo, steps);
    return { typeUrl: "/keel.derivatives.v1.MsgPlaceCombo", value };
  }

  /** Cancels all orders of the sub-account at this chain time (Unix milliseconds) unless it is moved before; undefined: off. */
  setDeadMan(deadlineMs: bigint | number | undefined, trader: TradingOption = {}): EncodeObject {
    if (deadlineMs !== undefined && (deadlineMs <= 0 || !Number.isSafeInteger(Number(deadlineMs))))
      throw new KeelInputError(
        "invalid-option",
        "deadlineMs",
        `expected Unix milliseconds, got ${deadlineMs}`,
      );
    const value = MsgSetDeadMan.fromPartial({
      ...this.#trader(trader),
      deadlineMs: BigInt(deadlineMs ?? 0),
    });
    return { typeUrl: "/keel.derivatives.v1.MsgSetDeadMan", value };
  }

  async batch({
    cancels = [],
    amendments = [],
    orders = [],
    ...trader
  }: BatchRequest): Promise<EncodeObject> {
    const counts = [cancels.length, amendments.length, orders.length];
    if (counts.every((count) => count === 0) || counts.some((count) => count > BATCH_ITEMS_MAX))
      throw new KeelInputError(
        "invalid-order",
        "orders",
        `expected something, and at most ${BATCH_ITEMS_MAX} cancels, amendments and orders each, got ${counts.join(", ")}`,
      );
    const wire = [];
    for (const order of orders) wire.push(newOrder(order, await this.#chain.steps(order.market)));
    const amended = [];
    for (const amendment of amendments)
      amended.push(amendmentOf(amendment, await this.#chain.steps(amendment.market)));
    const value = MsgBatchOrders.fromPartial({
      ...this.#trader(trader),
      cancels: cancels.map(orderRef),
      amendments: amended,
      orders: wire,
    });
    return { typeUrl: "/keel.derivatives.v1.MsgBatchOrders", value };
  }

  /** A contract against the bond that the chain's parameters ask for. */
  listMarket(request: ListingRequest): EncodeObject {
    const value = listMarketMessage(this.#sender, request);
    return { typeUrl: "/keel.derivatives.v1.MsgListMarket", value };
  }

  /** A gift to the insurance fund of an asset. */
  async fundInsurance(amount: Amount, denom?: string): Promise<EncodeObject> {
    const value = MsgFund.fromPartial({
      sender: this.#sender,
      denom: denom ?? (await this.#chain.settlementDenom()),
      amount: toQuanta("amount", amount).toString(),
    });
    return { typeUrl: "/keel.insurance.v1.MsgFund", value };
  }

  clearTrades(trades: readonly AgreedTrade[]): EncodeObject {
    return clearTradesMessage(this.#sender, trades);
  }

  cancelDocuments(request: CancelDocumentsRequest): EncodeObject {
    return cancelDocumentsMessage(this.#sender, request);
  }

  grantTradingKey(grant: GrantRequest): EncodeObject {
    return grantTradingKeyMessage(this.#sender, grant);
  }

  revokeTradingKey(trader: string): EncodeObject {
    return revokeTradingKeyMessage(this.#sender, trader);
  }

  /** Coins (base units) to another address. */
  send(toAddress: string, coins: readonly Coin[]): EncodeObject {
    return {
      typeUrl: "/cosmos.bank.v1beta1.MsgSend",
      value: { fromAddress: this.#sender, toAddress, amount: [...coins] },
    };
  }
}
