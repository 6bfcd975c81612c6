/** Queries of dated contracts: what a mark is made of, series, option chains, settlement prices, bonds. */
import type {
  MarketView,
  OptionChainRow,
  SettlementPriceView,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  QueryBondsRequest,
  QueryBondsResponse,
  QueryOptionChainRequest,
  QueryOptionChainResponse,
  QuerySeriesRequest,
  QuerySeriesResponse,
  QuerySettlementPricesRequest,
  QuerySettlementPricesResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { ReadContext } from "../../kit/context.ts";
import { formatDecimal } from "../../kit/math/decimal.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { type Instrument, instrumentAt } from "../instruments.ts";
import { CHAIN_PAGE_MAX } from "../limits.ts";
import { keyOfSettlement, outlookOf } from "../settlement/prices.ts";
import { nowMs, type Venue } from "../venue.ts";
import { PRICE_PLACES } from "./contract.ts";
import { greeksQueries } from "./greeks-queries.ts";
import { settlementValueOf } from "./valuation.ts";
import { volatilityOf, withBasis } from "./volatility.ts";

const PATH = "/keel.derivatives.v1.Query";

const decimal = (price: bigint): string => formatDecimal(price, PRICE_PLACES);

/** The part of a market's view that only dated contracts have. */
export function datedView(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Pick<MarketView, "forwardPrice" | "volatility" | "settlementPrice" | "settlementValue"> {
  const key = instrument.settlementKey;
  const outlook = key === null ? undefined : outlookOf(ctx, venue, key);
  const quoted =
    outlook === undefined ? undefined : volatilityOf(ctx, venue, instrument, outlook.spot);
  const expected =
    outlook === undefined || outlook.final ? outlook : withBasis(outlook, quoted?.basisPpm ?? 0n);
  return {
    forwardPrice: expected === undefined ? "" : decimal(expected.forward),
    volatility: quoted === undefined ? "" : decimal(quoted.volatility),
    settlementPrice: outlook?.final === true ? decimal(outlook.forward) : "",
    settlementValue: settlementValueOf(ctx, venue, instrument)?.toString() ?? "",
  };
}

type View = (ctx: ReadContext, instrument: Instrument) => MarketView;

interface Strike {
  readonly expiryMs: number;
  readonly strike: bigint;
  readonly calls: Instrument[];
  readonly puts: Instrument[];
}

/** Options on the underlying by expiry and strike. */
function strikesOf(ctx: ReadContext, venue: Venue, underlying: string, expiryMs: number): Strike[] {
  const found = new Map<string, Strike>();
  const now = nowMs(ctx);
  venue.state.markets.each(ctx, (_id, market) => {
    if (market.baseAsset !== underlying) return;
    const instrument = instrumentAt(market, now);
    const { option } = instrument.contract;
    if (option === null || (expiryMs !== 0 && instrument.expiryMs !== expiryMs)) return;
    const name = `${instrument.expiryMs}/${option.strike}`;
    const { strike } = option;
    const known = found.get(name) ?? {
      expiryMs: instrument.expiryMs,
      strike,
      calls: [],
      puts: [],
    };
    found.set(name, known);
    (option.right === "call" ? known.calls : known.puts).push(instrument);
  });
  return [...found.values()].sort((a, b) => {
    if (a.expiryMs !== b.expiryMs) return a.expiryMs - b.expiryMs;
    return a.strike < b.strike ? -1 : a.strike > b.strike ? 1 : 0;
  });
}

export function instrumentQueries(venue: Venue, view: View): readonly QueryRoute[] {
  const { state } = venue;
  return [
    onQuery({
      path: `${PATH}/Series`,
      request: QuerySeriesRequest,
      response: QuerySeriesResponse,
      handle(ctx, { name }) {
        const series: QuerySeriesResponse["series"] = [];
        state.series.each(ctx, (_id, stored) => {
          if (name === "" || stored.series?.name === name) series.push(stored);
        });
        if (name !== "" && series.length === 0) {
          throw refuse("unknownSeries", `no series "${name.slice(0, 40)}"`);
        }
        return { series };
      },
    }),
    onQuery({
      path: `${PATH}/OptionChain`,
      request: QueryOptionChainRequest,
      response: QueryOptionChainResponse,
      handle(ctx, { underlying, expiryMs, offset, limit }) {
        if (limit > CHAIN_PAGE_MAX) {
          throw refuse("invalidRequest", `expected a limit of at most ${CHAIN_PAGE_MAX} strikes`);
        }
        const strikes = strikesOf(ctx, venue, underlying, Number(expiryMs));
        const most = limit === 0 ? CHAIN_PAGE_MAX : limit;
        const rows = strikes.slice(offset, offset + most).map(
          (row): OptionChainRow => ({
            expiryMs: BigInt(row.expiryMs),
            strike: decimal(row.strike),
            calls: row.calls.map((instrument) => view(ctx, instrument)),
            puts: row.puts.map((instrument) => view(ctx, instrument)),
          }),
        );
        return { rows, total: strikes.length };
      },
    }),
    onQuery({
      path: `${PATH}/SettlementPrices`,
      request: QuerySettlementPricesRequest,
      response: QuerySettlementPricesResponse,
      handle(ctx, { feedId }) {
        const prices: SettlementPriceView[] = [];
        state.settlements.each(ctx, (_key, settlement) => {
          if (feedId !== 0 && settlement.feedId !== feedId) return;
          const outlook = outlookOf(ctx, venue, keyOfSettlement(settlement));
          const averagedMs = outlook?.averagedMs ?? 0n;
          prices.push({
            feedId: settlement.feedId,
            expiryMs: settlement.expiryMs,
            windowMs: settlement.windowMs,
            price: outlook === undefined || averagedMs === 0n ? "" : decimal(outlook.mean),
            final: settlement.price !== "",
            coveredMs: averagedMs,
            markets: settlement.markets,
          });
        });
        return { prices };
      },
    }),
    onQuery({
      path: `${PATH}/Bonds`,
      request: QueryBondsRequest,
      response: QueryBondsResponse,
      handle(ctx) {
        const bonds: QueryBondsResponse["bonds"] = [];
        state.bonds.each(ctx, (_id, bond) => void bonds.push(bond));
        return { bonds };
      },
    }),
    ...greeksQueries(venue),
  ];
}
