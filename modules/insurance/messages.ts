/** Message routes of insurance. */

import {
  MsgFund,
  MsgFundResponse,
  MsgGiveNotice,
  MsgGiveNoticeResponse,
  MsgSetFund,
  MsgSetFundResponse,
  MsgUnderwrite,
  MsgUnderwriteResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import type { Addresses } from "../kit/addresses.ts";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { ReadContext } from "../kit/context.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { positiveMoney } from "../kit/money.ts";
import { refuse } from "./errors.ts";
import { emitFunded } from "./events.ts";
import type { InsuranceKeeper } from "./keeper.ts";
import { isDenom, isRiskClass, validateParams } from "./params.ts";
import { type FundId, fundId, type InsuranceState } from "./state.ts";

const amountOf = (text: string): bigint => positiveMoney(text, refuse);

const SHARES = /^(0|[1-9][0-9]{0,48})$/;

function sharesOf(text: string): bigint {
  if (!SHARES.test(text)) {
    throw refuse("invalidAmount", `expected a number of shares, got "${text.slice(0, 50)}"`);
  }
  return BigInt(text);
}

/** Of a fund that may be there: the shared one of a denom, or one of a class. */
function fundOf(message: { readonly denom: string; readonly riskClass: string }): FundId {
  const { denom, riskClass } = message;
  if (!isDenom(denom)) throw refuse("unknownDenom", "expected a denom");
  if (riskClass !== "" && !isRiskClass(riskClass)) {
    throw refuse("unknownClass", "expected a risk class of 1 to 32 of a-z, 0-9 and -");
  }
  return fundId(denom, riskClass);
}

export function insuranceMessages(
  state: InsuranceState,
  keeper: InsuranceKeeper,
  addresses: Addresses,
): readonly MessageRoute[] {
  /** As little would cost nothing to give, or to stand in the way of those who wait to be paid with. */
  function requireLeast(ctx: ReadContext, amount: bigint): void {
    const least = amountOf(keeper.params(ctx).fundMin);
    if (amount < least) {
      throw refuse("invalidAmount", `expected at least ${least}, got ${amount}`);
    }
  }

  const requireAuthority = authorityOf(keeper.params, refuse);

  const fund = onMessage({
    typeUrl: "/keel.insurance.v1.MsgFund",
    request: MsgFund,
    response: MsgFundResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      fundOf(message);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      fundOf(message);
      const { denom, riskClass } = message;
      const amount = amountOf(message.amount);
      requireLeast(ctx, amount);
      const sender = addresses.parse(message.sender);
      const balance = keeper.fund(ctx, sender, denom, amount, riskClass);
      emitFunded(ctx, { sender: message.sender, denom, riskClass, amount, balance });
      return { balance: balance.toString() };
    },
  });

  const underwrite = onMessage({
    typeUrl: "/keel.insurance.v1.MsgUnderwrite",
    request: MsgUnderwrite,
    response: MsgUnderwriteResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      fundOf(message);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      const fund = fundOf(message);
      const amount = amountOf(message.amount);
      requireLeast(ctx, amount);
      const shares = keeper.underwrite(ctx, addresses.parse(message.sender), fund, amount);
      return { shares: shares.toString() };
    },
  });

  const giveNotice = onMessage({
    typeUrl: "/keel.insurance.v1.MsgGiveNotice",
    request: MsgGiveNotice,
    response: MsgGiveNoticeResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      fundOf(message);
      sharesOf(message.shares);
    },
    handle(ctx, message) {
      const fund = fundOf(message);
      const owner = addresses.parse(message.sender);
      return { leavesAtNs: keeper.giveNotice(ctx, owner, fund, sharesOf(message.shares)) };
    },
  });

  function requireTerms({ riskClass, assessablePpm }: MsgSetFund): void {
    if (riskClass === "") throw refuse("unknownClass", "expected a risk class");
    if (assessablePpm > 1_000_000) {
      throw refuse(
        "invalidRequest",
        `expected assessable_ppm of at most 1000000, got ${assessablePpm}`,
      );
    }
  }

  const setFund = onMessage({
    typeUrl: "/keel.insurance.v1.MsgSetFund",
    request: MsgSetFund,
    response: MsgSetFundResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      fundOf(message);
      requireTerms(message);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      fundOf(message);
      requireTerms(message);
      const { denom, riskClass, assessablePpm } = message;
      return { atNs: keeper.setFund(ctx, denom, riskClass, assessablePpm) };
    },
  });

  const updateParams = onParamsUpdate({
    typeUrl: "/keel.insurance.v1.MsgUpdateParams",
    request: MsgUpdateParams,
    response: MsgUpdateParamsResponse,
    ...{ addresses, requireAuthority, refuse },
    validate: (params) => validateParams(params, addresses),
    set: (ctx, params) => {
      keeper.keepNotice(ctx, params.cooldownMs);
      state.params.set(ctx, params);
    },
  });

  return [fund, underwrite, giveNotice, setFund, updateParams];
}
