/** What is left of documents: fills, cancellations, and forgetting what has expired. */
import type { DocumentRecord } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { heightKey } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { nowMs, type Venue } from "../venue.ts";

/** Refuses what has expired, and what a record would have to be kept for longer than the bound. */
export function requireLive(ctx: ReadContext, venue: Venue, expiryMs: bigint): void {
  const now = BigInt(nowMs(ctx));
  if (expiryMs <= now) {
    throw refuse("documentExpired", `the document expired at ${expiryMs} ms, it is ${now}`);
  }
  const latest = now + venue.state.params.require(ctx).goodTilMaxMs;
  if (expiryMs > latest) {
    throw refuse(
      "documentTooFarAhead",
      `expected an expiry of at most ${latest} ms, got ${expiryMs}`,
    );
  }
}

export function writeRecord(
  ctx: WriteContext,
  venue: Venue,
  hash: Uint8Array,
  record: DocumentRecord,
): void {
  const { documents, expiries } = venue.state.external;
  if (!documents.has(ctx, hash)) expiries.set(ctx, [Number(record.expiryMs), hash], true);
  documents.set(ctx, hash, record);
}

/** At the start of a block: records of documents that are void by now, oldest first, up to the block's bound. */
export function pruneDocuments(ctx: WriteContext, venue: Venue): void {
  const { documents, expiries } = venue.state.external;
  const most = venue.state.params.require(ctx).expiriesPerBlockMax;
  const due: (readonly [number, Uint8Array])[] = [];
  const to = heightKey.encode(nowMs(ctx) + 1);
  expiries.eachBetween(ctx, "", to, (key) => due.push(key) >= most);
  for (const key of due) {
    expiries.delete(ctx, key);
    documents.delete(ctx, key[1]);
  }
}
