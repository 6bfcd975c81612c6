/** Who bears losses: how near positions are to being deleveraged, what funds should hold, and the smallest move that would exhaust them. */
import type { QueryMarketEndingsResponse } from "@keel/proto/gen/keel/margin/v1/settlement";
import type {
  DeleverageRank,
  FundTarget,
  StressPoint,
  WaterfallParams,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import { KeelConnectionError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import { methods } from "./queries.ts";

/** Of each open position of a sub-account. With `lots`: what would be closed of it if so many had to be deleveraged on the other side. */
export async function deleverageRanks(
  client: KeelClient,
  owner: string,
  options: { readonly subaccount?: number; readonly lots?: bigint } = {},
): Promise<readonly DeleverageRank[]> {
  const { subaccount = 0, lots } = options;
  const asked = { owner, subaccount, lots: lots?.toString() ?? "" };
  return (await client.ask(methods.deleverageRank, asked)).positions;
}

export interface Resilience {
  /** Empty: markets of the feed belong to none. */
  readonly riskClass: string;
  /** What may be paid now, quanta. */
  readonly resources: bigint;
  /** The smallest moves at which more would be missing; undefined: none to the price's end, or to six times as much. */
  readonly down: StressPoint | undefined;
  readonly up: StressPoint | undefined;
  readonly curve: readonly StressPoint[];
}

/** When the price of one feed alone moves. */
export async function resilience(client: KeelClient, feedId: number): Promise<Resilience> {
  const answer = await client.ask(methods.resilience, { feedId });
  return { ...answer, down: answer.down, up: answer.up, resources: BigInt(answer.resources) };
}

/** What each fund should hold beside what it holds; amounts are quanta in text. The shared fund's class is empty. */
export async function fundTargets(
  client: KeelClient,
): Promise<{ readonly funds: readonly FundTarget[]; readonly all: FundTarget }> {
  const { funds, all } = await client.ask(methods.fundTargets, {});
  if (all === undefined) throw new KeelConnectionError("bad-answer", "expected a target of all");
  return { funds, all };
}

/** Markets that a loss has stopped or ended, and who bears what of the one that is being settled. */
export async function marketEndings(client: KeelClient): Promise<QueryMarketEndingsResponse> {
  return client.ask(methods.marketEndings, {});
}

/** undefined: one fund for all markets. */
export async function waterfallParams(client: KeelClient): Promise<WaterfallParams | undefined> {
  return (await client.ask(methods.waterfall, {})).params;
}
