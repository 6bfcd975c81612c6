/** Message routes of the guard: shape checks without state, then one call into the keeper. */
import {
  MsgLoosen,
  MsgLoosenResponse,
  MsgSetMarketRules,
  MsgSetMarketRulesResponse,
  MsgSetWithdrawalLimits,
  MsgSetWithdrawalLimitsResponse,
  MsgTighten,
  MsgTightenResponse,
  MsgUpdateGuardParams,
  MsgUpdateGuardParamsResponse,
} from "@keel/proto/gen/keel/guard/v1/tx";
import { RestrictionLevel as Level } from "@keel/proto/gen/keel/guard/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import type { GuardKeeper } from "./keeper.ts";
import { LEVEL_NAMES } from "./keys.ts";
import { REASON_BYTES_MAX } from "./limits.ts";
import { validateParams } from "./params.ts";
import { SOURCE_NAMES } from "./restrictions.ts";
import { validateLimits, validateRules } from "./rules.ts";
import type { GuardState } from "./state.ts";

function checkTightening(message: MsgTighten): void {
  const { closeWithdrawals, initialRaisePpm, level, market, openInterestMaxLots } = message;
  if (LEVEL_NAMES[level] === undefined) throw refuse("invalidRequest", `unknown level ${level}`);
  const something =
    level !== Level.RESTRICTION_LEVEL_UNSPECIFIED ||
    initialRaisePpm > 0n ||
    openInterestMaxLots > 0n ||
    closeWithdrawals;
  if (!something) throw refuse("invalidRequest", "expected something to tighten");
  if (openInterestMaxLots > 0n && market === "") {
    throw refuse("invalidRequest", "expected a cap on open interest of one market");
  }
  if (closeWithdrawals && market !== "") {
    throw refuse("invalidRequest", "expected withdrawals to be closed for all markets");
  }
  // Printable ASCII: as many bytes as characters.
  if (!/^[\x20-\x7e]+$/.test(message.reason) || message.reason.length > REASON_BYTES_MAX) {
    throw refuse(
      "invalidRequest",
      `expected a reason of 1 to ${REASON_BYTES_MAX} plain characters`,
    );
  }
}

export function guardMessages(
  state: GuardState,
  keeper: GuardKeeper,
  addresses: Addresses,
): readonly MessageRoute[] {
  const requireAuthority = authorityOf(keeper.params, refuse);

  return [
    onParamsUpdate({
      typeUrl: "/keel.guard.v1.MsgUpdateGuardParams",
      request: MsgUpdateGuardParams,
      response: MsgUpdateGuardParamsResponse,
      ...{ addresses, requireAuthority, refuse },
      validate: (params) => validateParams(params, addresses),
      set: (ctx, params) => {
        const before = state.params.require(ctx).emergencyKey;
        state.params.set(ctx, params);
        const used = state.emergencyUse.get(ctx);
        // Another key has all of its time before it.
        if (used !== undefined && params.emergencyKey !== before)
          state.emergencyUse.set(ctx, { ...used, usedMs: 0n });
      },
    }),
    onMessage({
      typeUrl: "/keel.guard.v1.MsgSetMarketRules",
      request: MsgSetMarketRules,
      response: MsgSetMarketRulesResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.rules !== undefined) validateRules(message.rules);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        keeper.setRules(ctx, message.market, message.rules);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.guard.v1.MsgSetWithdrawalLimits",
      request: MsgSetWithdrawalLimits,
      response: MsgSetWithdrawalLimitsResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        validateLimits(message.denom, message.limits);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        keeper.setLimits(ctx, message.denom, message.limits);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.guard.v1.MsgTighten",
      request: MsgTighten,
      response: MsgTightenResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        checkTightening(message);
      },
      handle: (ctx, message) => ({ untilMs: keeper.tighten(ctx, message) }),
    }),
    onMessage({
      typeUrl: "/keel.guard.v1.MsgLoosen",
      request: MsgLoosen,
      response: MsgLoosenResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.source !== 0 && SOURCE_NAMES[message.source] === undefined) {
          throw refuse("invalidRequest", `unknown source ${message.source}`);
        }
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        return { ended: keeper.loosen(ctx, message) };
      },
    }),
  ];
}
