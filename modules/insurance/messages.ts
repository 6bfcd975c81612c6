/** Message routes of insurance. */
import {
  MsgFund,
  MsgFundResponse,
  MsgGiveNotice,
  MsgGiveNoticeResponse,
  MsgUnderwrite,
  MsgUnderwriteResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext } from "../kit/context.ts";
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

const SHARES = /^(0|[1-9][0-9]{0,48})$/;

function sharesOf(text: string): bigint {
  if (!SHARES.test(text)) {
    throw refuse("invalidAmount", `expected a number of shares, got "${text.slice(0, 50)}"`);
  }
  return BigInt(text);
}

function requireDenom(denom: string): void {
  if (!isDenom(denom)) throw refuse("unknownDenom", "expected a denom");
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

  const fund = onMessage({
    typeUrl: "/keel.insurance.v1.MsgFund",
    request: MsgFund,
    response: MsgFundResponse,
    signers: (message) => [message.sender],
    validate(message) {
      addresses.parse(message.sender);
      requireDenom(message.denom);
      amountOf(message.amount);
    },
    handle(ctx, message) {
      requireDenom(message.denom);
      const amount = amountOf(message.amount);
      requireLeast(ctx, amount);
      const sender = addresses.parse(message.sender);
      const balance = keeper.fund(ctx, sender, message.denom, amount);
      emitFunded(ctx, { sender: message.sender, denom: message.denom, amount, balance });
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
      requireDenom(message.denom);
      amountOf(message.amount);
    },
    handle(ctx, { sender, denom, amount: text }) {
      requireDenom(denom);
      const amount = amountOf(text);
      requireLeast(ctx, amount);
      const shares = keeper.underwrite(ctx, addresses.parse(sender), denom, amount);
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
      requireDenom(message.denom);
      sharesOf(message.shares);
    },
    handle(ctx, { sender, denom, shares }) {
      requireDenom(denom);
      const owner = addresses.parse(sender);
      return { leavesAtNs: keeper.giveNotice(ctx, owner, denom, sharesOf(shares)) };
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

  return [fund, underwrite, giveNotice, updateParams];
}
