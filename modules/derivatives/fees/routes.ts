/** Message routes of fees: referral, builders, parameters. */
import {
  MsgApproveBuilder,
  MsgApproveBuilderResponse,
  MsgRegisterReferralCode,
  MsgRegisterReferralCodeResponse,
  MsgSetReferrer,
  MsgSetReferrerResponse,
  MsgUpdateFeeParams,
  MsgUpdateFeeParamsResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { MessageRoute } from "../../kit/module.ts";
import { onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { BUILDER_FEE_CEILING_PPM } from "../limits.ts";
import type { Venue } from "../venue.ts";
import { approveBuilder } from "./builders.ts";
import { feeParamsUpdated } from "./events.ts";
import { validateFeeParams } from "./params.ts";
import { checkReferralCode, registerCode, setReferrer } from "./referral.ts";

export function feeMessages(venue: Venue): readonly MessageRoute[] {
  const { addresses, state } = venue;
  return [
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgUpdateFeeParams",
      request: MsgUpdateFeeParams,
      response: MsgUpdateFeeParamsResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.params !== undefined) validateFeeParams(message.params);
      },
      handle(ctx, { authority, params }) {
        const expected = state.params.require(ctx).authority;
        if (authority !== expected) {
          throw refuse("unauthorized", `expected authority ${expected}, got ${authority}`);
        }
        if (params === undefined) state.fees.params.delete(ctx);
        else {
          validateFeeParams(params);
          state.fees.params.set(ctx, params);
        }
        feeParamsUpdated(ctx);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgRegisterReferralCode",
      request: MsgRegisterReferralCode,
      response: MsgRegisterReferralCodeResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        checkReferralCode(message.code);
      },
      handle(ctx, message) {
        registerCode(ctx, venue, message);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgSetReferrer",
      request: MsgSetReferrer,
      response: MsgSetReferrerResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        checkReferralCode(message.code);
      },
      handle: (ctx, message) => ({ referrer: setReferrer(ctx, venue, message) }),
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgApproveBuilder",
      request: MsgApproveBuilder,
      response: MsgApproveBuilderResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        addresses.parse(message.builder);
        if (message.feeMaxPpm > BUILDER_FEE_CEILING_PPM) {
          throw refuse(
            "builderFeeTooHigh",
            `expected at most ${BUILDER_FEE_CEILING_PPM} ppm, got ${message.feeMaxPpm}`,
          );
        }
      },
      handle(ctx, message) {
        approveBuilder(ctx, venue, message);
        return {};
      },
    }),
  ];
}
