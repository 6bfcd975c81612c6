/** What holds of documents: nothing is filled beyond its size, and every record is going to be forgotten. */

import { bytesToHex } from "@keel/proto/bytes/hex";
import type { DocumentRecord } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { ReadContext } from "../../kit/context.ts";
import type { Invariant } from "../../kit/module.ts";
import { wasListed } from "../listing/life-cycle.ts";
import type { Venue } from "../venue.ts";

export function recordProblem(
  ctx: ReadContext,
  venue: Venue,
  record: DocumentRecord,
): string | null {
  const { market, sizeLots, filledLots, expiryMs } = record;
  if (!wasListed(ctx, venue, market)) return `a document of the unknown market ${market}`;
  if (filledLots > sizeLots) return `a document of ${sizeLots} lots is filled to ${filledLots}`;
  return Number.isSafeInteger(Number(expiryMs)) ? null : `a document expires at ${expiryMs}`;
}

export function documentInvariants(venue: Venue): Readonly<Record<string, Invariant>> {
  const { documents, expiries } = venue.state.external;
  return {
    "documents-within-size": (ctx) => {
      let fault: string | null = null;
      documents.each(ctx, (_hash, record) => {
        fault = recordProblem(ctx, venue, record);
        return fault !== null;
      });
      return fault;
    },
    "document-expiries-match": (ctx) => {
      let fault: string | null = null;
      expiries.each(ctx, ([expiryMs, hash]) => {
        if (documents.get(ctx, hash)?.expiryMs === BigInt(expiryMs)) return false;
        fault = `no document ${bytesToHex(hash)} expires at ${expiryMs}`;
        return true;
      });
      if (fault !== null) return fault;
      const [stored, queued] = [documents.size(ctx), expiries.size(ctx)];
      return stored === queued ? null : `${stored} documents are stored, ${queued} expire`;
    },
  };
}
