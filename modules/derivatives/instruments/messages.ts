/** Message routes of listings and series. */
import {
  MsgCreateSeries,
  MsgCreateSeriesResponse,
  MsgForfeitBond,
  MsgForfeitBondResponse,
  MsgListMarket,
  MsgListMarketResponse,
  MsgUpdateSeries,
  MsgUpdateSeriesResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Addresses } from "../../kit/addresses.ts";
import type { RequireAuthority } from "../../kit/authority.ts";
import type { MessageRoute } from "../../kit/module.ts";
import { onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { DerivativesKeeper } from "../keeper.ts";
import { validateSeries, validateSeriesRules } from "../listing/series-terms.ts";
import { contractOf } from "./contract.ts";

export function instrumentMessages(
  keeper: DerivativesKeeper,
  addresses: Addresses,
  requireAuthority: RequireAuthority,
): readonly MessageRoute[] {
  return [
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgListMarket",
      request: MsgListMarket,
      response: MsgListMarketResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        if (message.market === undefined || contractOf(message.market) === null) {
          throw refuse("invalidTerms", "expected a market with an instrument");
        }
      },
      handle(ctx, message) {
        if (message.market === undefined) throw refuse("invalidTerms", "expected a market");
        const { id, symbol, activatesMs } = keeper.listMarket(ctx, message.sender, message.market);
        return { id, symbol, activatesMs };
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgForfeitBond",
      request: MsgForfeitBond,
      response: MsgForfeitBondResponse,
      signers: (message) => [message.authority],
      validate: (message) => void addresses.parse(message.authority),
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        keeper.forfeitBond(ctx, message.market, message.authority);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgCreateSeries",
      request: MsgCreateSeries,
      response: MsgCreateSeriesResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.series === undefined) throw refuse("invalidTerms", "expected a series");
        validateSeries(message.series);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        if (message.series === undefined) throw refuse("invalidTerms", "expected a series");
        return { id: keeper.createSeries(ctx, message.series) };
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgUpdateSeries",
      request: MsgUpdateSeries,
      response: MsgUpdateSeriesResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.series === undefined) throw refuse("invalidTerms", "expected a series");
        validateSeriesRules(message.series);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        if (message.series === undefined) throw refuse("invalidTerms", "expected a series");
        keeper.updateSeries(ctx, message.series);
        return {};
      },
    }),
  ];
}
