/** One side of trades agreed elsewhere: an admitted document, with what is left of it. */

import { equalBytes } from "@keel/proto/bytes/compare";
import type { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import { refuse } from "../errors.ts";
import { type Instrument, parsePrice, parseSize } from "../instruments.ts";
import { requireGrant, requireGrantedMarket, spend } from "../keys/grants.ts";
import type { GrantKey } from "../keys/state.ts";
import { requireInstrument, type Venue } from "../venue.ts";
import { checkDocument, documentHash } from "./document.ts";
import { requireLive } from "./records.ts";
import { requireSignature, type SigningKey } from "./signed.ts";

export interface Party {
  readonly document: OrderDocument;
  readonly hash: Uint8Array;
  readonly account: AccountId;
  readonly instrument: Instrument;
  readonly limitTicks: number;
  readonly sizeLots: number;
  /** Over all messages, this one's trades so far included. */
  filledLots: number;
  /** What this message's trades commit, in quanta; reduce-only trades commit nothing. */
  committed: bigint;
  /** Counts what was committed against the grant of the key that signed; nothing for the owner's own key. */
  settleGrant(ctx: WriteContext): void;
}

/** Throws ModuleError unless the document may trade now, submitted by `matcher`. */
export function admit(
  ctx: WriteContext,
  venue: Venue,
  signed: SignedDocument,
  matcher: string,
): Party {
  const { document } = signed;
  checkDocument(document, venue.addresses);
  const { chainId } = ctx.header;
  if (document.chainId !== chainId) {
    throw refuse("wrongChain", `expected chain ${chainId}, got "${document.chainId}"`);
  }
  requireLive(ctx, venue, document.expiryMs);
  if (document.matcher !== "" && document.matcher !== matcher) {
    throw refuse("wrongMatcher", `expected matcher ${document.matcher}, got ${matcher}`);
  }
  const account = venue.accounts.of(document.owner, document.subaccount);
  const instrument = requireInstrument(ctx, venue, document.market);
  const hash = documentHash(document);
  const key = requireSignature(ctx, venue, signed);
  const settle = authorise(ctx, venue, { document, key, instrument });
  const record = venue.state.external.documents.get(ctx, hash);
  const floor = venue.state.external.saltFloors.get(ctx, account) ?? 0n;
  if (record?.cancelled === true || document.salt < floor) {
    throw refuse("documentCancelled", "the document was cancelled by its owner");
  }
  // Lots of another market, listed under the same symbol before, say nothing of what is left in this one.
  if (record !== undefined && record.market !== instrument.id) {
    throw refuse(
      "marketExpired",
      `the document was traded in an earlier market ${document.market}`,
    );
  }
  const party: Party = {
    document,
    hash,
    account,
    instrument,
    limitTicks: parsePrice(instrument, document.price),
    sizeLots: parseSize(instrument, document.size),
    filledLots: Number(record?.filledLots ?? 0n),
    committed: 0n,
    settleGrant: (inner) => settle(inner, party.committed),
  };
  return party;
}

type Settle = (ctx: WriteContext, committed: bigint) => void;

/** The key is the owner's, or the owner has granted it this sub-account and market. */
function authorise(
  ctx: WriteContext,
  venue: Venue,
  signed: {
    readonly document: OrderDocument;
    readonly key: SigningKey;
    readonly instrument: Instrument;
  },
): Settle {
  const { document, key, instrument } = signed;
  const owner = venue.addresses.parse(document.owner);
  const signer = addressOfKey(key.kind, key.key);
  // An owner's own key is secp256k1, or the ed25519 key that its account was made for.
  if (equalBytes(owner, signer)) return () => undefined;
  const at: GrantKey = [owner, signer];
  const grant = requireGrant(ctx, venue, at, document.subaccount);
  requireGrantedMarket(grant, instrument.id, instrument.symbol);
  return (inner, committed) => spend(inner, venue, at, grant, committed);
}
