/** How a change of an account's positions changes what its owner has in each market. Pure. */
import { absolute } from "../../kit/math/mul-div.ts";
import type { Position } from "../account-codec.ts";
import { worstCaseLots } from "../health/requirement.ts";
import type { MarketId } from "../ports.ts";
import type { OwnerMarket } from "./state.ts";

/** Signed. */
export interface MarketChange {
  readonly market: MarketId;
  readonly lots: bigint;
  readonly worstLots: bigint;
  /** The sub-account has a position or orders there: before and after. */
  readonly held: boolean;
  readonly holds: boolean;
}

function changeOf(
  market: MarketId,
  before: Position | undefined,
  after: Position | undefined,
): MarketChange {
  const size = (one: Position | undefined): bigint => (one === undefined ? 0n : absolute(one.lots));
  const worst = (one: Position | undefined): bigint =>
    one === undefined ? 0n : worstCaseLots(one);
  return {
    market,
    lots: size(after) - size(before),
    worstLots: worst(after) - worst(before),
    held: before !== undefined,
    holds: after !== undefined,
  };
}

/** Ascending by market, as the lists are; markets in which nothing changes are left out. */
export function changesOf(
  before: readonly Position[],
  after: readonly Position[],
): readonly MarketChange[] {
  const changes: MarketChange[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const was = before[i];
    const is = after[j];
    const market = was === undefined || (is !== undefined && is.market < was.market) ? is : was;
    if (market === undefined) break;
    const old = was?.market === market.market ? was : undefined;
    const now = is?.market === market.market ? is : undefined;
    if (old !== undefined) i += 1;
    if (now !== undefined) j += 1;
    // Most positions of a written account are the very ones it had.
    if (old === now) continue;
    const change = changeOf(market.market, old, now);
    const same = change.lots === 0n && change.worstLots === 0n && change.held === change.holds;
    if (!same) changes.push(change);
  }
  return changes;
}

/** What the owner has there after the change in sub-account `number`. */
export function changed(record: OwnerMarket, number: number, change: MarketChange): OwnerMarket {
  let { subaccounts } = record;
  if (change.held !== change.holds) {
    const others = subaccounts.filter((one) => one !== number);
    subaccounts = change.holds ? [...others, number].sort((a, b) => a - b) : others;
  }
  return {
    subaccounts,
    lots: record.lots + change.lots,
    worstLots: record.worstLots + change.worstLots,
  };
}
