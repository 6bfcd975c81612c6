/** Query routes of surfaces: the parameters, and the volatility of any strike and expiry. */
import {
  QuerySmileRequest,
  QuerySmileResponse,
  QuerySurfaceRequest,
  QuerySurfaceResponse,
  QuerySurfacesRequest,
  QuerySurfacesResponse,
  SurfaceAge as WireAge,
} from "@keel/proto/gen/keel/oracle/v1/query";
import type { Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { formatDecimal, parseDecimal } from "../../kit/math/decimal.ts";
import { divHalfEven, PPM } from "../../kit/math/mul-div.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import type { OracleKeeper } from "../keeper.ts";
import { STRIKES_PAGE_MAX } from "../limits.ts";
import { type Smile, type SurfaceAge, smileVolatility } from "./smile.ts";

const PLACES = 18;
/** A thousand million, as of the strikes of markets. */
const STRIKE_MAX = 10n ** 27n;
const PATH = "/keel.oracle.v1.Query";

const decimal = (value: bigint): string => formatDecimal(value, PLACES);

const AGES: Readonly<Record<SurfaceAge, WireAge>> = {
  fresh: WireAge.SURFACE_AGE_FRESH,
  held: WireAge.SURFACE_AGE_HELD,
  stale: WireAge.SURFACE_AGE_STALE,
};

/** 1e-18; undefined without an index. */
function forwardOf(
  ctx: ReadContext,
  keeper: OracleKeeper,
  surface: Surface,
  { basisPpm }: Smile,
): bigint | undefined {
  const price = keeper.price(ctx, surface.feedId);
  if (price === undefined) return undefined;
  const power = PLACES + price.exponent;
  return divHalfEven(price.mantissa * 10n ** BigInt(power) * (PPM + basisPpm), PPM);
}

export function surfaceQueries(keeper: OracleKeeper): readonly QueryRoute[] {
  function find(ctx: ReadContext, id: number, symbol: string): Surface {
    const found = keeper
      .surfaces(ctx)
      .find((one) => (symbol === "" ? one.id === id : one.symbol === symbol));
    if (found !== undefined) return found;
    const wanted = symbol === "" ? String(id) : symbol.slice(0, 50);
    throw refuse("unknownSurface", `there is no surface ${wanted}`);
  }

  function requireSmile(ctx: ReadContext, surface: Surface, expiryMs: bigint): Smile {
    const ms = Number(expiryMs);
    const smile = Number.isSafeInteger(ms) ? keeper.smile(ctx, surface.id, ms) : undefined;
    if (smile !== undefined) return smile;
    throw refuse("noSmile", `surface ${surface.symbol} has nothing for ${expiryMs}`);
  }

  return [
    onQuery({
      path: `${PATH}/Surfaces`,
      request: QuerySurfacesRequest,
      response: QuerySurfacesResponse,
      handle: (ctx) => ({ surfaces: [...keeper.surfaces(ctx)] }),
    }),
    onQuery({
      path: `${PATH}/Surface`,
      request: QuerySurfaceRequest,
      response: QuerySurfaceResponse,
      handle(ctx, { surfaceId, symbol }) {
        const surface = find(ctx, surfaceId, symbol);
        const parameters = keeper.surfaceParameters(ctx, surface.id);
        const expiries = (parameters?.expiries ?? []).flatMap(({ expiryMs }) => {
          const smile = keeper.smile(ctx, surface.id, Number(expiryMs));
          if (smile === undefined) return [];
          const forward = forwardOf(ctx, keeper, surface, smile);
          return {
            expiryMs,
            volatility: decimal(smileVolatility(smile, 1n, 1n)),
            theta: decimal(smile.theta),
            forward: forward === undefined ? "" : decimal(forward),
            age: AGES[smile.age],
          };
        });
        return { surface, parameters, expiries };
      },
    }),
    onQuery({
      path: `${PATH}/Smile`,
      request: QuerySmileRequest,
      response: QuerySmileResponse,
      handle(ctx, { surfaceId, symbol, expiryMs, strikes }) {
        if (strikes.length > STRIKES_PAGE_MAX) {
          throw refuse("invalidRequest", `expected at most ${STRIKES_PAGE_MAX} strikes`);
        }
        const surface = find(ctx, surfaceId, symbol);
        const smile = requireSmile(ctx, surface, expiryMs);
        const forward = forwardOf(ctx, keeper, surface, smile);
        if (forward === undefined || forward <= 0n) {
          throw refuse("noSmile", `the index of surface ${surface.symbol} has no price`);
        }
        const points = strikes.map((text) => {
          const strike = parseDecimal(text, PLACES);
          if (strike === null || strike <= 0n || strike > STRIKE_MAX) {
            throw refuse("invalidRequest", `expected a strike, got "${text.slice(0, 50)}"`);
          }
          const volatility = smileVolatility(smile, forward, strike);
          return { strike: text, volatility: decimal(volatility) };
        });
        return { forward: decimal(forward), age: AGES[smile.age], points };
      },
    }),
  ];
}
