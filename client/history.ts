/** Candles, trades, fills and funding rates that a node's reader keeps. Nodes whose market data is switched off refuse with `rpc`. */
import { KeelConnectionError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import type { CandleResolution, StreamCandle, StreamFill, StreamTrade } from "./stream-topics.ts";

export interface HistoryPage<T> {
  /** Newest first. */
  readonly items: readonly T[];
  /** Give it as `before` for the next page; null: there is none. */
  readonly next: string | null;
  /** Block up to which this node's history goes, and since which nothing is missing. */
  readonly height: number;
  readonly completeSince: number;
}

export interface FundingPoint {
  readonly time_ms: number;
  readonly rate_8h_ppm: string;
  /** Quanta per lot since listing. */
  readonly index: string;
}

export interface CandleRange {
  readonly fromMs?: number;
  readonly toMs?: number;
  /** At most 1000, the newest of the range; default 100. */
  readonly limit?: number;
}

/** Oldest first; a period without a trade has none. */
export async function candles(
  chain: KeelClient,
  market: string,
  resolution: CandleResolution,
  { fromMs, limit, toMs }: CandleRange = {},
): Promise<readonly StreamCandle[]> {
  const result = await call(chain, "candles", {
    market,
    resolution,
    ...(fromMs === undefined ? {} : { from_ms: fromMs }),
    ...(toMs === undefined ? {} : { to_ms: toMs }),
    ...(limit === undefined ? {} : { limit }),
  });
  return list<StreamCandle>(result, "candles");
}

export interface PageRequest {
  readonly before?: string;
  readonly limit?: number;
}

export async function trades(
  chain: KeelClient,
  market: string,
  page: PageRequest = {},
): Promise<HistoryPage<StreamTrade>> {
  return pageOf(await call(chain, "trades", { market, ...page }), "trades");
}

/** Of a sub-account ("keel1…/0"), in every market or in one. */
export async function fills(
  chain: KeelClient,
  account: string,
  page: PageRequest & { readonly market?: string } = {},
): Promise<HistoryPage<StreamFill>> {
  return pageOf(await call(chain, "fills", { account, ...page }), "fills");
}

/** One rate an hour. */
export async function fundingHistory(
  chain: KeelClient,
  market: string,
  page: PageRequest = {},
): Promise<HistoryPage<FundingPoint>> {
  const { before, ...rest } = page;
  const asked = { market, ...rest, ...(before === undefined ? {} : { before: Number(before) }) };
  return pageOf(await call(chain, "funding_history", asked), "rates");
}

type Result = Readonly<Record<string, unknown>>;

async function call(
  chain: KeelClient,
  method: string,
  params: Readonly<Record<string, string | number>>,
): Promise<Result> {
  const { result } = await chain.endpoints.execute({ jsonrpc: "2.0", id: 1, method, params });
  if (typeof result !== "object" || result === null) throw badAnswer(method);
  return result as Result;
}

function pageOf<T>(result: Result, name: string): HistoryPage<T> {
  const { next } = result;
  return {
    items: list<T>(result, name),
    next: next === null || next === undefined ? null : String(next),
    height: Number(result["height"]),
    completeSince: Number(result["complete_since"]),
  };
}

function list<T>(result: Result, name: string): readonly T[] {
  const items = result[name];
  if (!Array.isArray(items)) throw badAnswer(name);
  return items as readonly T[];
}

function badAnswer(what: string): KeelConnectionError {
  return new KeelConnectionError("bad-answer", `${what}: not of the expected form`);
}
