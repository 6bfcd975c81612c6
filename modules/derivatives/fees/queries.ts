/** Queries of fees: parameters, an owner's standing, codes and approvals. */
import {
  QueryBuilderApprovalsRequest,
  QueryBuilderApprovalsResponse,
  QueryFeeParamsRequest,
  QueryFeeParamsResponse,
  QueryReferralCodeRequest,
  QueryReferralCodeResponse,
  QueryTraderRequest,
  QueryTraderResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { accountId, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import { keyToBytes } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { requireInstrument, type Venue } from "../venue.ts";
import { limitsOf } from "./budget.ts";
import { payerRate, standingOf } from "./desk.ts";
import { feeParams, feeTerms } from "./params.ts";
import { checkReferralCode } from "./referral.ts";
import { makerRate, tierIndex } from "./tiers.ts";
import { traderOf } from "./volume.ts";

const PATH = "/keel.derivatives.v1.Query";

export function feeQueries(venue: Venue): readonly QueryRoute[] {
  const { addresses, state } = venue;

  function ownerOf(address: string): OwnerKey {
    return ownerKeyOf(accountId(addresses.parse(address), 0));
  }

  function ratesOf(ctx: ReadContext, owner: string, symbol: string): QueryTraderResponse["rates"] {
    if (symbol === "") return undefined;
    const instrument = requireInstrument(ctx, venue, symbol);
    const terms = feeTerms(ctx, venue);
    const standing = standingOf(ctx, venue, terms, venue.accounts.of(owner, 0));
    const auctionPpm = BigInt(instrument.terms.auction?.feePpm ?? 0);
    return {
      takerPpm: Number(payerRate(instrument.takerPpm, standing, terms)),
      makerPpm: Number(makerRate(instrument, standing.tier)),
      auctionPpm: Number(payerRate(auctionPpm, standing, terms)),
    };
  }

  function budgetOf(ctx: ReadContext, owner: OwnerKey): QueryTraderResponse["budget"] {
    const budget = feeTerms(ctx, venue)?.budget ?? null;
    if (budget === null) return undefined;
    const record = traderOf(ctx, venue, owner);
    const { limit, wide } = limitsOf(budget, record);
    return {
      taken: record.actions,
      limit,
      reduceOnlyLimit: wide,
      trickleAtMs: record.trickleMs + budget.trickleMs,
    };
  }

  return [
    onQuery({
      path: `${PATH}/FeeParams`,
      request: QueryFeeParamsRequest,
      response: QueryFeeParamsResponse,
      handle: (ctx) => ({ params: feeParams(ctx, venue) }),
    }),
    onQuery({
      path: `${PATH}/Trader`,
      request: QueryTraderRequest,
      response: QueryTraderResponse,
      handle(ctx, request) {
        const owner = ownerOf(request.owner);
        const record = traderOf(ctx, venue, owner);
        const { referralCode, referrer } = record;
        return {
          tier: tierIndex(feeTerms(ctx, venue)?.tiers ?? [], record.window),
          volume: record.window.toString(),
          volumeToday: record.today.toString(),
          volumeLifetime: record.lifetime.toString(),
          referrer: referrer.length === 0 ? "" : addresses.format(referrer),
          referralCode,
          budget: budgetOf(ctx, owner),
          rates: ratesOf(ctx, request.owner, request.market),
        };
      },
    }),
    onQuery({
      path: `${PATH}/ReferralCode`,
      request: QueryReferralCodeRequest,
      response: QueryReferralCodeResponse,
      handle(ctx, { code }) {
        checkReferralCode(code);
        const owner = state.fees.codes.get(ctx, code);
        return { owner: owner === undefined ? "" : addresses.format(owner) };
      },
    }),
    onQuery({
      path: `${PATH}/BuilderApprovals`,
      request: QueryBuilderApprovalsRequest,
      response: QueryBuilderApprovalsResponse,
      handle(ctx, { owner }) {
        const approvals: QueryBuilderApprovalsResponse["approvals"] = [];
        state.fees.approvals.eachWithPrefix(ctx, ownerOf(owner), ([, builder], { feeMaxPpm }) => {
          approvals.push({ builder: addresses.format(keyToBytes(builder)), feeMaxPpm });
        });
        return { approvals };
      },
    }),
  ];
}
