/** Message routes of insurance. */
import {
  MsgFund,
  MsgFundResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import type { Addresses } from "../kit/addresses.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { emitFunded } from "./events.ts";
import type { InsuranceKeeper } from "./keeper.ts";
import { isDenom, parseAmount, validateParams, withAuthority } from "./params.ts";
import type { InsuranceState } from "./state.ts";

function amountOf(text: string): bigint {
  const amount = parseAmount(text);
  if (amount === null) {
    throw refuse(
      "invalidAmount",
      `expected a positive integer below 2^127, got "${text.slice(0, 50)}"`,
    );
  }
  return amount;
}

export function insuranceMessages(
  state: InsuranceState,
  keeper: InsuranceKeeper,
  addresses: Addresses,
): readonly MessageRoute[] {
  const fund = onMessage({
    typeUrl: "/keel.insurance.v1.MsgFund",
    request: MsgFund,
    response: MsgFundResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      if (!isDenom(message.denom)) throw refuse("unknownDenom", "expected a denom");
      amountOf(message.amount);
    },
    handle(ctx, message) {
      if (!isDenom(message.denom)) throw refuse("unknownDenom", "expected a denom");
      const amount = amountOf(message.amount);
      const least = amountOf(keeper.params(ctx).fundMin);
      if (amount < least) {
        throw refuse("invalidAmount", `expected at least ${least}, got ${amount}`);
      }
      const sender = addresses.parse(message.sender);
      const balance = keeper.fund(ctx, sender, message.denom, amount);
      emitFunded(ctx, { sender: message.sender, denom: message.denom, amount, balance });
      return { balance: balance.toString() };
    },
  });

  const updateParams = onMessage({
    typeUrl: "/keel.insurance.v1.MsgUpdateParams",
    request: MsgUpdateParams,
    response: MsgUpdateParamsResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      if (message.params === undefined) throw refuse("invalidRequest", "expected params");
      validateParams(message.params, addresses);
    },
    handle(ctx, message) {
      const expected = keeper.params(ctx).authority;
      if (message.authority !== expected) {
        throw refuse("unauthorized", `expected authority ${expected}, got ${message.authority}`);
      }
      if (message.params === undefined) throw refuse("invalidRequest", "expected params");
      state.params.set(ctx, withAuthority(message.params, addresses));
      return {};
    },
  });

  return [fund, updateParams];
}
