/** What the Requirement query answers: an account under the model, scenario by scenario. */
import type { QueryRequirementResponse } from "@keel/proto/gen/keel/margin/v1/query";
import type { Account } from "../account-codec.ts";
import { evaluate } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import { portfolioInitial } from "./account.ts";
import { scenarioText } from "./shocks.ts";
import { bindingText } from "./verdict.ts";

/** `judged` as a portfolio; `portfolio`: it is one. */
export function requirementView(
  judged: Account,
  portfolio: boolean,
  views: MarketViews,
): QueryRequirementResponse {
  const health = evaluate(judged, views);
  const missing = health.initial + judged.feeReserve - health.equity;
  const { requirement } = portfolioInitial(judged, views);
  const found = requirement?.scan;
  const model = found?.underlyings[0]?.underlying.model;
  const named = requirement === null ? [] : requirement.addOns;
  const scenarios = requirement?.scenarios ?? { initial: 0n, maintenance: 0n };
  return {
    model: model?.name ?? "",
    portfolio,
    equity: health.equity.toString(),
    initial: health.initial.toString(),
    maintenance: health.maintenance.toString(),
    shortfall: (missing > 0n ? missing : 0n).toString(),
    bindingScenario: model === undefined || found === undefined ? "" : bindingText(model, found),
    scenarioLoss: (found?.loss ?? 0n).toString(),
    offset: (found?.offset ?? 0n).toString(),
    charges: [{ name: "worst scenario", ...scenarios }, ...named].map((charge) => ({
      name: charge.name,
      initial: charge.initial.toString(),
      maintenance: charge.maintenance.toString(),
    })),
    scenarios: (model?.scenarios ?? []).map((scenario, i) => ({
      profit: (-(found?.losses[i] ?? 0n)).toString(),
      underlyings: (found?.underlyings ?? []).map(({ underlying, losses }) => ({
        underlying: underlying.state.name,
        scenario: scenarioText(scenario, underlying.movesPpm[i] ?? 0n),
        weightPpm: underlying.weightsPpm[i] ?? 0n,
        profit: (-(losses[i] ?? 0n)).toString(),
      })),
    })),
    elsewhere: judged.elsewhere.map(({ market, lots, worstLots }) => ({
      market: views(market)?.terms.symbol ?? "",
      lots: lots.toString(),
      worstLots: worstLots.toString(),
    })),
  };
}
