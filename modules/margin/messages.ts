/** Message routes of margin: shape checks without state, then one call into the keeper. */

import { compareBytes } from "@keel/proto/bytes/compare";
import {
  MsgCollectFees,
  MsgCollectFeesResponse,
  MsgDeposit,
  MsgDepositResponse,
  MsgSetMarginMode,
  MsgSetMarginModeResponse,
  MsgSetPortfolioModel,
  MsgSetPortfolioModelResponse,
  MsgTransfer,
  MsgTransferResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
  MsgWithdraw,
  MsgWithdrawResponse,
} from "@keel/proto/gen/keel/margin/v1/tx";
import { accountId } from "../kit/account-id.ts";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { ReadContext } from "../kit/context.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { positiveMoney } from "../kit/money.ts";
import { assetMessages } from "./collateral-assets/messages.ts";
import { refuse } from "./errors.ts";
import {
  accountText,
  emitDeposit,
  emitFeesCollected,
  emitMarginMode,
  emitPortfolioModel,
  emitTransfer,
  emitWithdraw,
} from "./events.ts";
import type { MarginKeeper, MarginParts } from "./keeper.ts";
import { validateParams } from "./params.ts";
import { validateModel } from "./portfolio/model.ts";
import type { MarginState } from "./state.ts";
import { volatilityMessage } from "./volatility/messages.ts";
import type { Volatility } from "./volatility/volatility.ts";
import { waterfallMessage } from "./waterfall/messages.ts";

const amountOf = (text: string): bigint => positiveMoney(text, refuse);

export function marginMessages(
  state: MarginState,
  keeper: MarginKeeper,
  volatility: Volatility,
  ports: Pick<MarginParts, "insurance" | "addresses">,
): readonly MessageRoute[] {
  const { addresses } = ports;
  const isSettlement = (ctx: ReadContext, denom: string): boolean =>
    denom === keeper.params(ctx).settlementDenom;

  function requireDenom(ctx: ReadContext, denom: string): void {
    const expected = keeper.params(ctx).settlementDenom;
    if (denom !== expected) {
      throw refuse("wrongDenom", `expected ${expected}, got "${denom.slice(0, 130)}"`);
    }
  }

  const requireAuthority = authorityOf(keeper.params, refuse);

  const deposit = onMessage({
    typeUrl: "/keel.margin.v1.MsgDeposit",
    request: MsgDeposit,
    response: MsgDepositResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      if (message.owner !== "") addresses.parse(message.owner);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      const sender = addresses.parse(message.sender);
      const owner = message.owner === "" ? sender : addresses.parse(message.owner);
      const id = accountId(owner, message.subaccount);
      const amount = amountOf(message.amount);
      const { denom } = message;
      let collateral: bigint;
      if (isSettlement(ctx, denom)) collateral = keeper.deposit(ctx, sender, id, amount);
      else {
        // An account with assets is looked at in every block: nobody else may make it one.
        if (compareBytes(owner, sender) !== 0) {
          throw refuse("unauthorized", `only the owner deposits ${denom.slice(0, 130)}`);
        }
        collateral = keeper.assets.deposit(ctx, id, denom, amount);
      }
      emitDeposit(ctx, {
        account: accountText(addresses, id),
        sender: message.sender,
        denom: message.denom,
        amount,
      });
      return { collateral: collateral.toString() };
    },
  });

  const withdraw = onMessage({
    typeUrl: "/keel.margin.v1.MsgWithdraw",
    request: MsgWithdraw,
    response: MsgWithdrawResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      const id = accountId(addresses.parse(message.sender), message.subaccount);
      const amount = amountOf(message.amount);
      const { denom } = message;
      const collateral = isSettlement(ctx, denom)
        ? keeper.withdraw(ctx, id, amount)
        : keeper.assets.withdraw(ctx, id, denom, amount);
      emitWithdraw(ctx, { account: accountText(addresses, id), denom: message.denom, amount });
      return { collateral: collateral.toString() };
    },
  });

  const transfer = onMessage({
    typeUrl: "/keel.margin.v1.MsgTransfer",
    request: MsgTransfer,
    response: MsgTransferResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      amountOf(message.amount);
      if (message.fromSubaccount === message.toSubaccount) {
        throw refuse("sameAccount", "expected two different sub-accounts");
      }
    },
    handle(ctx, message) {
      const owner = addresses.parse(message.sender);
      const from = accountId(owner, message.fromSubaccount);
      const to = accountId(owner, message.toSubaccount);
      const amount = amountOf(message.amount);
      const { denom } = message;
      if (isSettlement(ctx, denom)) keeper.transfer(ctx, from, to, amount);
      else keeper.assets.transfer(ctx, from, to, { denom, units: amount });
      emitTransfer(ctx, {
        from: accountText(addresses, from),
        to: accountText(addresses, to),
        denom: message.denom,
        amount,
      });
      return {};
    },
  });

  const collectFees = onMessage({
    typeUrl: "/keel.margin.v1.MsgCollectFees",
    request: MsgCollectFees,
    response: MsgCollectFeesResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      addresses.parse(message.recipient);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      const amount = amountOf(message.amount);
      keeper.collectFees(ctx, addresses.parse(message.recipient), amount);
      const denom = keeper.params(ctx).settlementDenom;
      emitFeesCollected(ctx, { recipient: message.recipient, denom, amount });
      return {};
    },
  });

  const updateParams = onParamsUpdate({
    typeUrl: "/keel.margin.v1.MsgUpdateParams",
    request: MsgUpdateParams,
    response: MsgUpdateParamsResponse,
    ...{ addresses, requireAuthority, refuse },
    validate: (params) => validateParams(params, addresses),
    set: (ctx, params) => {
      // Every claim is in the settlement asset: changing it would leave them without coins.
      requireDenom(ctx, params.settlementDenom);
      state.params.set(ctx, params);
    },
  });

  const setDynamicMargin = volatilityMessage(volatility, keeper, addresses, requireAuthority);
  const setMarginMode = onMessage({
    typeUrl: "/keel.margin.v1.MsgSetMarginMode",
    request: MsgSetMarginMode,
    response: MsgSetMarginModeResponse,
    signers: (message) => [message.sender],
    validate({ sender, portfolio, isolated }) {
      addresses.parse(sender);
      if (portfolio && isolated) throw refuse("invalidRequest", "expected one mode");
    },
    handle(ctx, { sender, subaccount, portfolio, isolated }) {
      const id = accountId(addresses.parse(sender), subaccount);
      const mode = portfolio ? "portfolio" : isolated ? "isolated" : "cross";
      keeper.setMode(ctx, id, mode);
      emitMarginMode(ctx, accountText(addresses, id), mode);
      return {};
    },
  });

  const setPortfolioModel = onMessage({
    typeUrl: "/keel.margin.v1.MsgSetPortfolioModel",
    request: MsgSetPortfolioModel,
    response: MsgSetPortfolioModelResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      if (message.model !== undefined) validateModel(message.model);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      keeper.setModel(ctx, message.model);
      emitPortfolioModel(ctx, message.model?.name ?? "");
      return {};
    },
  });

  return [
    deposit,
    withdraw,
    transfer,
    collectFees,
    updateParams,
    setMarginMode,
    setPortfolioModel,
    setDynamicMargin,
    waterfallMessage(state, ports, requireAuthority),
    ...assetMessages(keeper.assets, addresses, requireAuthority),
  ];
}
