/** Query routes of Greeks: of a market and its open interest, of the positions of an account. */
import {
  type PositionGreeks,
  QueryAccountGreeksRequest,
  QueryAccountGreeksResponse,
  QueryGreeksRequest,
  QueryGreeksResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { formatDecimal } from "../../kit/math/decimal.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { formatSize } from "../instruments.ts";
import { instrumentById, requireInstrument, type Venue } from "../venue.ts";
import { PRICE_PLACES } from "./contract.ts";
import {
  type ExposureQuanta,
  exposureOf,
  exposureText,
  NO_EXPOSURE,
  plus,
  sensitivityOf,
} from "./greeks.ts";

const PATH = "/keel.derivatives.v1.Query";

const decimal = (value: bigint): string => formatDecimal(value, PRICE_PLACES);

export function greeksQueries(venue: Venue): readonly QueryRoute[] {
  const { clearing, accounts } = venue;
  return [
    onQuery({
      path: `${PATH}/Greeks`,
      request: QueryGreeksRequest,
      response: QueryGreeksResponse,
      handle(ctx, { market }) {
        const instrument = requireInstrument(ctx, venue, market);
        const found = sensitivityOf(ctx, venue, instrument);
        if (found === undefined) {
          throw refuse("invalidRequest", `${market} has no price or no volatility yet`);
        }
        const { greeks, forward, volatility, fresh } = found;
        const open = clearing.openInterestLots(ctx, instrument.id);
        return {
          price: decimal(greeks.price),
          delta: decimal(greeks.delta),
          gamma: decimal(greeks.gamma),
          vega: decimal(greeks.vega),
          theta: decimal(greeks.theta),
          rho: decimal(greeks.rho),
          volatility: volatility === null ? "" : decimal(volatility),
          forward: decimal(forward),
          fresh,
          lot: exposureText(exposureOf(instrument, found, 1n)),
          openInterest: exposureText(exposureOf(instrument, found, open)),
        };
      },
    }),
    onQuery({
      path: `${PATH}/AccountGreeks`,
      request: QueryAccountGreeksRequest,
      response: QueryAccountGreeksResponse,
      handle(ctx, { owner, subaccount }) {
        const account = accounts.of(owner, subaccount);
        const positions: PositionGreeks[] = [];
        const sums = new Map<number, { baseAsset: string; sum: ExposureQuanta }>();
        let fresh = true;
        let complete = true;
        for (const { market } of clearing.account(ctx, account)?.positions ?? []) {
          const lots = clearing.positionLots(ctx, account, market);
          const instrument = instrumentById(ctx, venue, market);
          if (lots === 0n || instrument === undefined) continue;
          const found = sensitivityOf(ctx, venue, instrument);
          fresh &&= found?.fresh === true;
          if (found === undefined) {
            complete = false;
            continue;
          }
          const exposure = exposureOf(instrument, found, lots);
          const size = formatSize(instrument, lots);
          positions.push({ market: instrument.symbol, size, exposure: exposureText(exposure) });
          const { feedId, baseAsset } = instrument.market;
          const before = sums.get(feedId)?.sum ?? NO_EXPOSURE;
          sums.set(feedId, { baseAsset, sum: plus(before, exposure) });
        }
        const underlyings = [...sums]
          .sort(([a], [b]) => a - b)
          .map(([feedId, { baseAsset, sum }]) => ({
            feedId,
            baseAsset,
            exposure: exposureText(sum),
          }));
        return { underlyings, positions, fresh, complete };
      },
    }),
  ];
}
