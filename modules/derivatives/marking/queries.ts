/** What the mark of a market is made of. */
import { QueryMarkRequest, QueryMarkResponse } from "@keel/proto/gen/keel/derivatives/v1/marks";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { formatPrice } from "../instruments.ts";
import { indexMarkOf, markOf, markPartsOf } from "../marks.ts";
import { requireInstrument, type Venue } from "../venue.ts";

export function markQueries(venue: Venue): readonly QueryRoute[] {
  return [
    onQuery({
      path: "/keel.derivatives.v1.Query/Mark",
      request: QueryMarkRequest,
      response: QueryMarkResponse,
      handle(ctx, { market }) {
        const instrument = requireInstrument(ctx, venue, market);
        const mark = markOf(ctx, venue, instrument);
        if (mark === undefined) throw refuse("stalePrice", `${instrument.symbol} has no price yet`);
        const text = (ticks: bigint | undefined): string =>
          ticks === undefined ? "" : formatPrice(instrument, ticks);
        const found = markPartsOf(ctx, venue, instrument);
        return {
          index: text(indexMarkOf(ctx, venue, instrument)?.ticks),
          mark: formatPrice(instrument, mark.ticks),
          fresh: mark.fresh,
          withSlowMean: text(found?.parts.withSlowMean),
          book: text(found?.parts.book),
          third: text(found?.parts.third),
          external: found?.external ?? false,
          bandPpm: found?.parts.bandPpm ?? 0n,
          clamped: found?.parts.clamped ?? false,
        };
      },
    }),
  ];
}
