/** How far prices may be relied on, what marks are made of, and how validators stand, one call each. */
import type { QueryMarkResponse } from "@keel/proto/gen/keel/derivatives/v1/marks";
import type {
  QueryTwapResponse,
  QueryWatchResponse,
  ValidatorStanding,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import type { KeelClient } from "./keel-client.ts";
import { methods } from "./queries.ts";

/** Level of a guarded feed, its long mean, and what the breaker last refused. By symbol: "BTC-USD". */
export async function priceWatch(chain: KeelClient, symbol: string): Promise<QueryWatchResponse> {
  return await chain.ask(methods.watch, { feedId: 0, symbol });
}

/** Time-weighted mean over the last `windowMs`, of a guarded feed that keeps one. */
export async function twap(
  chain: KeelClient,
  symbol: string,
  windowMs: number,
): Promise<QueryTwapResponse> {
  return await chain.ask(methods.twap, { feedId: 0, symbol, windowMs: BigInt(windowMs) });
}

/** What validators were charged with for missing and deviant votes. */
export async function validatorStandings(chain: KeelClient): Promise<readonly ValidatorStanding[]> {
  return (await chain.ask(methods.standings, {})).standings;
}

/** Index, mark and, where that is a median, its three prices and band. */
export async function markParts(chain: KeelClient, market: string): Promise<QueryMarkResponse> {
  return await chain.ask(methods.mark, { market });
}
