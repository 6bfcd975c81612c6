/** Making documents void before their expiry: one by one, or all of a sub-account below a salt. */
import type { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { MsgCancelDocuments } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { AccountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { parseSize } from "../instruments.ts";
import { requireGrantedMarket } from "../keys/grants.ts";
import { grantOf } from "../keys/trader.ts";
import { DOCUMENTS_MAX } from "../limits.ts";
import { requireInstrument, type Venue } from "../venue.ts";
import { checkDocument, documentHash } from "./document.ts";
import { documentCancelled, saltFloor } from "./events.ts";
import { requireLive, writeRecord } from "./records.ts";

/** Without state. */
export function checkCancelDocuments(message: MsgCancelDocuments, addresses: Addresses): void {
  const { documents, saltBelow, subaccount } = message;
  const owner = message.owner === "" ? message.sender : message.owner;
  if (documents.length > DOCUMENTS_MAX) {
    throw refuse("invalidRequest", `expected at most ${DOCUMENTS_MAX} documents`);
  }
  if (documents.length === 0 && saltBelow === 0n) {
    throw refuse("invalidRequest", "expected documents or a salt");
  }
  for (const document of documents) {
    checkDocument(document, addresses);
    if (document.owner !== owner || document.subaccount !== subaccount) {
      throw refuse("invalidRequest", "expected documents of the named sub-account");
    }
  }
}

export function cancelDocuments(
  ctx: WriteContext,
  venue: Venue,
  message: MsgCancelDocuments,
): void {
  const granted = grantOf(ctx, { venue, message });
  const owner = message.owner === "" ? message.sender : message.owner;
  const account = venue.accounts.of(owner, message.subaccount);
  if (!venue.clearing.exists(ctx, account)) {
    throw refuse("unknownAccount", "the sub-account holds no collateral");
  }
  for (const document of message.documents) {
    const instrument = requireInstrument(ctx, venue, document.market);
    if (granted !== null) requireGrantedMarket(granted.grant, instrument.id, instrument.symbol);
    cancelOne(ctx, venue, account, document);
  }
  if (message.saltBelow === 0n) return;
  if (granted !== null && granted.grant.markets.length > 0) {
    throw refuse("notGranted", "a salt voids documents of every market, the grant names some");
  }
  const { saltFloors } = venue.state.external;
  if (message.saltBelow <= (saltFloors.get(ctx, account) ?? 0n)) return;
  saltFloors.set(ctx, account, message.saltBelow);
  saltFloor(ctx, venue, account, message.saltBelow);
}

function cancelOne(
  ctx: WriteContext,
  venue: Venue,
  account: AccountId,
  document: OrderDocument,
): void {
  if (document.chainId !== ctx.header.chainId) {
    throw refuse("wrongChain", `expected a document for ${ctx.header.chainId}`);
  }
  requireLive(ctx, venue, document.expiryMs);
  const instrument = requireInstrument(ctx, venue, document.market);
  const hash = documentHash(document);
  const before = venue.state.external.documents.get(ctx, hash);
  if (before?.cancelled === true) return;
  const unused = {
    market: instrument.id,
    sizeLots: BigInt(parseSize(instrument, document.size)),
    filledLots: 0n,
    expiryMs: document.expiryMs,
    cancelled: false,
  };
  // What was traded stays in the lots of its market, which may be another by now.
  writeRecord(ctx, venue, hash, { ...(before ?? unused), cancelled: true });
  documentCancelled(ctx, venue, account, hash);
}
