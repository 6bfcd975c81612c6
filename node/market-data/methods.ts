/** History by JSON-RPC: pages of what the reader has written. */

import type { Application } from "@keel/consensus/host/ports";
import type { Instrument } from "@keel/modules/derivatives/instruments";
import { instrumentOf } from "@keel/modules/derivatives/instruments";
import type { Addresses } from "@keel/modules/kit/addresses";
import { QueryMarketRequest, QueryMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import type { RpcMethods } from "../rpc/call.ts";
import { internalError, invalidParams } from "../rpc/json-rpc.ts";
import type { Params } from "../rpc/params.ts";
import { candleView } from "./candles.ts";
import { type HistoryReader, NEWEST, type Page, type PrintPlace } from "./history-reader.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "./limits.ts";
import { printId } from "./prints.ts";
import { accountText, resolutionOf, StreamRefusal, symbolOf } from "./topics.ts";
import { fillView, fundingView, tradeView } from "./views.ts";

export interface HistorySources {
  readonly history: HistoryReader;
  readonly app: Pick<Application, "query">;
  readonly addresses: Addresses;
}

/** Null: market data is switched off, and the methods say so. */
export function historyMethods(sources: HistorySources | null): RpcMethods {
  const on = (): HistorySources => {
    if (sources === null) throw internalError("market data is switched off on this node");
    return sources;
  };
  return {
    candles: {
      params: ["market", "resolution", "from_ms", "to_ms", "limit"],
      async handle(params) {
        const { app, history } = on();
        const symbol = checked(() => symbolOf(params.text("market")));
        const resolution = checked(() => resolutionOf(params.text("resolution")));
        const instrument = await marketOf(app, symbol);
        const candles = await history.candles(instrument.id, resolution, {
          fromMs: params.integer("from_ms") ?? 0,
          toMs: params.integer("to_ms") ?? Number.MAX_SAFE_INTEGER,
          limit: limitOf(params),
        });
        const views = candles.map((candle) => candleView(instrument, candle));
        return { market: symbol, resolution, ...(await heightOf(history)), candles: views };
      },
    },
    trades: {
      params: ["market", "before", "limit"],
      async handle(params) {
        const { history } = on();
        const symbol = checked(() => symbolOf(params.text("market")));
        const [before, limit] = [beforeOf(params), limitOf(params)];
        const page = await history.trades(await idOf(on(), symbol), before, limit);
        const trades = page.items.map(tradeView);
        return { market: symbol, ...(await heightOf(history)), trades, next: nextOf(page) };
      },
    },
    fills: {
      params: ["account", "market", "before", "limit"],
      async handle(params) {
        const { addresses, history } = on();
        const account = checked(() => accountText(params.text("account"), addresses));
        const named = params.text("market");
        const symbol = named === undefined ? null : checked(() => symbolOf(named));
        const [before, limit] = [beforeOf(params), limitOf(params)];
        const market = symbol === null ? null : await idOf(on(), symbol);
        const page = await history.fills(account, market, before, limit);
        const fills = page.items.map(fillView);
        return { account, ...(await heightOf(history)), fills, next: nextOf(page) };
      },
    },
    funding_history: {
      params: ["market", "before", "limit"],
      async handle(params) {
        const { app, history } = on();
        const symbol = checked(() => symbolOf(params.text("market")));
        const { id } = await marketOf(app, symbol);
        const before = params.integer("before") ?? Number.MAX_SAFE_INTEGER;
        const limit = limitOf(params);
        const points = await history.funding(id, before, limit);
        const oldest = points.length < limit ? undefined : points[points.length - 1];
        const rates = points.map(fundingView);
        return {
          market: symbol,
          ...(await heightOf(history)),
          rates,
          next: oldest?.timeMs ?? null,
        };
      },
    },
    market_data_status: {
      params: [],
      handle: async () => await heightOf(on().history),
    },
  };
}

/** Of the market listed now, though an earlier one of its name has traded and it has not; one that is gone may still have history. */
async function idOf({ app, history }: HistorySources, symbol: string): Promise<number> {
  const id = (await findMarket(app, symbol))?.id ?? (await history.marketOf(symbol));
  if (id === null) throw unknownMarket(symbol);
  return id;
}

function unknownMarket(symbol: string): Error {
  return invalidParams(`market: no market "${symbol}"`);
}

async function marketOf(app: Pick<Application, "query">, symbol: string): Promise<Instrument> {
  const instrument = await findMarket(app, symbol);
  if (instrument === null) throw unknownMarket(symbol);
  return instrument;
}

/** Scales of a market as the newest state has it. */
async function findMarket(
  app: Pick<Application, "query">,
  symbol: string,
): Promise<Instrument | null> {
  const answer = await app.query({
    path: "/keel.derivatives.v1.Query/Market",
    data: QueryMarketRequest.encode({ market: symbol }).finish(),
    height: 0,
    prove: false,
  });
  const view = answer.code === 0 ? QueryMarketResponse.decode(answer.value).market : undefined;
  return view?.market === undefined ? null : instrumentOf(view.market);
}

async function heightOf(
  history: HistoryReader,
): Promise<{ readonly height: number; readonly complete_since: number }> {
  const { height, since } = await history.at();
  return { height, complete_since: since };
}

function limitOf(params: Params): number {
  const limit = params.integer("limit") ?? PAGE_DEFAULT;
  if (limit < 1 || limit > PAGE_MAX) throw invalidParams(`limit: expected 1 to ${PAGE_MAX}`);
  return limit;
}

function beforeOf(params: Params): PrintPlace {
  const text = params.text("before");
  if (text === undefined || text === "") return NEWEST;
  const match = /^([0-9]{1,15})-([0-9]{1,9})$/.exec(text);
  if (match === null) throw invalidParams("before: expected the next of a page");
  return { height: Number(match[1]), number: Number(match[2]) };
}

function nextOf({ next }: Page<unknown>): string | null {
  return next === null ? null : printId(next);
}

function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof StreamRefusal ? invalidParams(error.message) : error;
  }
}
