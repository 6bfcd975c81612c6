/** Query routes of insurance. */
import {
  QueryFundRequest,
  QueryFundResponse,
  QueryFundsRequest,
  QueryFundsResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryUnderwriterRequest,
  QueryUnderwriterResponse,
} from "@keel/proto/gen/keel/insurance/v1/query";
import type { QueryRoute } from "../kit/module.ts";
import { onQuery } from "../kit/module.ts";
import { refuse, unknownFund } from "./errors.ts";
import { saleOf } from "./inventory.ts";
import type { InsuranceKeeper } from "./keeper.ts";
import { isDenom, isRiskClass } from "./params.ts";
import type { InsurancePorts } from "./ports.ts";
import { leavingWorth, ownValue, worth, worthOf } from "./shares.ts";
import type { InsuranceState } from "./state.ts";
import { fundId, fundToMessage, underwriterToMessage } from "./state.ts";

export function insuranceQueries(
  state: InsuranceState,
  keeper: InsuranceKeeper,
  ports: Pick<InsurancePorts, "addresses" | "assets" | "shortfalls">,
): readonly QueryRoute[] {
  const { addresses, shortfalls } = ports;
  return [
    onQuery({
      path: "/keel.insurance.v1.Query/Fund",
      request: QueryFundRequest,
      response: QueryFundResponse,
      handle(ctx, { denom, riskClass }) {
        const named = isDenom(denom) && (riskClass === "" || isRiskClass(riskClass));
        const fund = named ? state.funds.get(ctx, fundId(denom, riskClass)) : undefined;
        if (fund === undefined) throw unknownFund(denom, riskClass);
        const own = ownValue(fund);
        const { gain, loss, unpriced } = saleOf(ctx, ports, fund);
        return {
          fund: fundToMessage(fund),
          available: keeper.fundAvailable(ctx, denom, riskClass).toString(),
          underwritten: (worth(fund) - own).toString(),
          own: own.toString(),
          assessable: keeper.assessable(ctx, denom, riskClass).toString(),
          purse: (riskClass === "" ? keeper.purse(ctx, denom) : 0n).toString(),
          inventoryGain: gain.toString(),
          inventoryLoss: loss.toString(),
          inventoryUnpriced: unpriced.toString(),
        };
      },
    }),
    onQuery({
      path: "/keel.insurance.v1.Query/Funds",
      request: QueryFundsRequest,
      response: QueryFundsResponse,
      handle(ctx) {
        const funds: QueryFundsResponse["funds"] = [];
        state.funds.each(ctx, (_denom, fund) => {
          funds.push(fundToMessage(fund));
        });
        return { funds };
      },
    }),
    onQuery({
      path: "/keel.insurance.v1.Query/Params",
      request: QueryParamsRequest,
      response: QueryParamsResponse,
      handle: (ctx) => ({ params: state.params.require(ctx) }),
    }),
    onQuery({
      path: "/keel.insurance.v1.Query/Underwriter",
      request: QueryUnderwriterRequest,
      response: QueryUnderwriterResponse,
      handle(ctx, { owner, denom, riskClass }) {
        const named = isDenom(denom) && (riskClass === "" || isRiskClass(riskClass));
        const id = fundId(denom, riskClass);
        const known = named ? state.underwriters.get(ctx, [addresses.parse(owner), id]) : undefined;
        const fund = named ? state.funds.get(ctx, id) : undefined;
        if (known === undefined || fund === undefined) {
          throw refuse("insufficientShares", `${owner.slice(0, 100)} has no shares of this fund`);
        }
        const { loss, unpriced } = saleOf(ctx, ports, fund);
        const kept = shortfalls.pendingShortfall(ctx, denom) + loss + unpriced;
        return {
          underwriter: underwriterToMessage(known, owner, id),
          value: worthOf(fund, known.shares).toString(),
          leavingValue: leavingWorth(fund, known.shares, kept).toString(),
        };
      },
    }),
  ];
}
