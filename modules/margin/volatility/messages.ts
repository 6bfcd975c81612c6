/** Message route of dynamic margin. */
import {
  MsgSetDynamicMargin,
  MsgSetDynamicMarginResponse,
} from "@keel/proto/gen/keel/margin/v1/tx";
import type { Addresses } from "../../kit/addresses.ts";
import type { RequireAuthority } from "../../kit/authority.ts";
import { type MessageRoute, onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { PortfolioModes } from "../portfolio/mode.ts";
import { validateDynamicMargin } from "./terms.ts";
import type { Volatility } from "./volatility.ts";

export function volatilityMessage(
  volatility: Volatility,
  portfolios: Pick<PortfolioModes, "keepPortfolios">,
  addresses: Addresses,
  requireAuthority: RequireAuthority,
): MessageRoute {
  return onMessage({
    typeUrl: "/keel.margin.v1.MsgSetDynamicMargin",
    request: MsgSetDynamicMargin,
    response: MsgSetDynamicMarginResponse,
    signers: (message) => [message.authority],
    validate({ authority, feedId, terms }) {
      addresses.parse(authority);
      if (feedId === 0) throw refuse("invalidRequest", "expected a feed");
      if (terms === undefined) return;
      if (terms.feedId !== feedId) {
        throw refuse("invalidRequest", `expected terms of feed ${feedId}, got ${terms.feedId}`);
      }
      validateDynamicMargin(terms);
    },
    handle(ctx, { authority, feedId, terms }) {
      requireAuthority(ctx, authority);
      // Rates are ramped; ranges and offsets that a model takes from what is measured are what they are at once.
      portfolios.keepPortfolios(ctx, "wouldSink", () => volatility.set(ctx, feedId, terms));
      return {};
    },
  });
}
