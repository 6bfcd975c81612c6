/** Message route of the waterfall. */
import { MsgSetWaterfall, MsgSetWaterfallResponse } from "@keel/proto/gen/keel/margin/v1/waterfall";
import type { RequireAuthority } from "../../kit/authority.ts";
import { type MessageRoute, onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { MarginParts } from "../keeper.ts";
import type { MarginState } from "../state.ts";
import { emitWaterfallSet } from "./events.ts";
import { validateWaterfall } from "./params.ts";

export function waterfallMessage(
  state: MarginState,
  { insurance, addresses }: Pick<MarginParts, "insurance" | "addresses">,
  requireAuthority: RequireAuthority,
): MessageRoute {
  return onMessage({
    typeUrl: "/keel.margin.v1.MsgSetWaterfall",
    request: MsgSetWaterfall,
    response: MsgSetWaterfallResponse,
    signers: (message) => [message.authority],
    validate({ authority, params }) {
      addresses.parse(authority);
      if (params !== undefined) validateWaterfall(params);
    },
    handle(ctx, { authority, params }) {
      requireAuthority(ctx, authority);
      const { settlementDenom } = state.params.require(ctx);
      if (params === undefined) state.waterfall.params.delete(ctx);
      else {
        validateWaterfall(params);
        for (const { riskClass } of params.feeds) {
          if (insurance.hasFund(ctx, settlementDenom, riskClass)) continue;
          throw refuse("unknownClass", `there is no fund of class "${riskClass}"`);
        }
        state.waterfall.params.set(ctx, params);
      }
      emitWaterfallSet(ctx, params?.feeds ?? []);
      return {};
    },
  });
}
