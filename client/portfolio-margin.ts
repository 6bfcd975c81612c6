/** Portfolio margin: how a sub-account is judged, and what it must hold. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { QueryRequirementResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { MsgSetMarginMode } from "@keel/proto/gen/keel/margin/v1/tx";
import type { KeelClient } from "./keel-client.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import type { TxOutcome } from "./tx-result.ts";

export interface MarginMode {
  /** As one portfolio by the chain's model; without: market by market. */
  readonly portfolio?: boolean;
  /** In one market only, and nothing leaves it but by the owner's own message. */
  readonly isolated?: boolean;
  readonly subaccount?: number;
}

export function marginModeMessage(sender: string, mode: MarginMode): EncodeObject {
  const { portfolio = false, isolated = false, subaccount = 0 } = mode;
  const value = MsgSetMarginMode.fromPartial({ sender, subaccount, portfolio, isolated });
  return { typeUrl: "/keel.margin.v1.MsgSetMarginMode", value };
}

/** Refused when the sub-account would be below its new initial requirement; the reason names what is missing and the scenario. */
export async function setMarginMode(
  client: KeelSigningClient,
  mode: MarginMode,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await client.execute([marginModeMessage(client.address, mode)], options);
}

/** What a sub-account must hold as one portfolio, scenario by scenario, whichever way it is judged. Money is quanta in text. */
export async function requirement(
  client: KeelClient,
  owner: string,
  subaccount = 0,
): Promise<QueryRequirementResponse> {
  return await client.ask(methods.requirement, { owner, subaccount });
}

/** undefined: the chain has none. */
export async function portfolioModel(client: KeelClient): Promise<PortfolioModel | undefined> {
  return (await client.ask(methods.portfolioModel, {})).model;
}
