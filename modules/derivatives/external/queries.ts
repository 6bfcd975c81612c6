/** Queries of documents and trading keys. */
import {
  QueryDocumentRequest,
  QueryDocumentResponse,
  QuerySaltFloorRequest,
  QuerySaltFloorResponse,
  QueryTradingKeysRequest,
  QueryTradingKeysResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { formatSize } from "../instruments.ts";
import { spentToday } from "../keys/grants.ts";
import { instrumentById, type Venue } from "../venue.ts";

const PATH = "/keel.derivatives.v1.Query";

export function externalQueries(venue: Venue): readonly QueryRoute[] {
  const { external, keys, markets } = venue.state;
  return [
    onQuery({
      path: `${PATH}/Document`,
      request: QueryDocumentRequest,
      response: QueryDocumentResponse,
      handle(ctx, { document }) {
        if (document.length !== 32) throw refuse("invalidRequest", "expected a hash of 32 bytes");
        const record = external.documents.get(ctx, document);
        const instrument = record && instrumentById(ctx, venue, record.market);
        // A record may outlive its market, and can then be traded no more.
        if (record === undefined || instrument === undefined)
          return QueryDocumentResponse.fromPartial({});
        return {
          known: true,
          market: instrument.symbol,
          size: formatSize(instrument, record.sizeLots),
          filledSize: formatSize(instrument, record.filledLots),
          cancelled: record.cancelled,
          expiryMs: record.expiryMs,
        };
      },
    }),
    onQuery({
      path: `${PATH}/SaltFloor`,
      request: QuerySaltFloorRequest,
      response: QuerySaltFloorResponse,
      handle(ctx, { owner, subaccount }) {
        const account = venue.accounts.of(owner, subaccount);
        return { saltBelow: external.saltFloors.get(ctx, account) ?? 0n };
      },
    }),
    onQuery({
      path: `${PATH}/TradingKeys`,
      request: QueryTradingKeysRequest,
      response: QueryTradingKeysResponse,
      handle(ctx, request) {
        const owner = venue.addresses.parse(request.owner);
        const grants: QueryTradingKeysResponse["grants"] = [];
        keys.grants.eachWithPrefix(ctx, bytesToKey(owner), (at, grant) => {
          grants.push({
            trader: venue.addresses.format(at[1]),
            grant,
            markets: grant.markets.map((id) => markets.get(ctx, id)?.symbol ?? ""),
            spentToday: spentToday(ctx, venue, at).toString(),
          });
        });
        return { grants };
      },
    }),
  ];
}
