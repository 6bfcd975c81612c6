/** Volatility surfaces and Greeks of the chain, one call each. */
import type {
  QueryAccountGreeksResponse,
  QueryGreeksResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type {
  QuerySmileResponse,
  QuerySurfaceResponse,
} from "@keel/proto/gen/keel/oracle/v1/query";
import type { Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import type { KeelClient } from "./keel-client.ts";
import { methods } from "./queries.ts";

export async function surfaces(chain: KeelClient): Promise<readonly Surface[]> {
  return (await chain.ask(methods.surfaces, {})).surfaces;
}

/** Terms, last accepted parameters, and volatility, forward and age of each voted expiry. By symbol: "BTC-VOL". */
export async function surface(chain: KeelClient, symbol: string): Promise<QuerySurfaceResponse> {
  return await chain.ask(methods.surface, { surfaceId: 0, symbol });
}

/** Annual volatility of each strike (decimals, at most 100) at any expiry ahead, Unix milliseconds; with the forward and the age behind them. */
export async function smile(
  chain: KeelClient,
  symbol: string,
  expiryMs: number,
  strikes: readonly string[],
): Promise<QuerySmileResponse> {
  const request = { surfaceId: 0, symbol, expiryMs: BigInt(expiryMs), strikes: [...strikes] };
  return await chain.ask(methods.smile, request);
}

/** Per unit as decimals; of a lot and of the open interest in quanta. */
export async function greeks(chain: KeelClient, market: string): Promise<QueryGreeksResponse> {
  return await chain.ask(methods.greeks, { market });
}

/** What the positions of a sub-account are exposed to, each and summed per underlying, in quanta. */
export async function accountGreeks(
  chain: KeelClient,
  owner: string,
  subaccount: number = 0,
): Promise<QueryAccountGreeksResponse> {
  return await chain.ask(methods.accountGreeks, { owner, subaccount });
}
