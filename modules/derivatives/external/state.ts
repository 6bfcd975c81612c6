/** What is kept of order documents, under their hash. A record lives until the document's expiry, after which the document is void anyway. */
import { DocumentRecord } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey } from "../../kit/account-id.ts";
import {
  fixedBytesKey,
  heightKey,
  markerValue,
  pairKey,
  protoValue,
  u64Value,
} from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";

export interface ExternalState {
  readonly documents: MapCollection<Uint8Array, DocumentRecord>;
  /** (expiry ms, document hash), of every record. */
  readonly expiries: MapCollection<readonly [number, Uint8Array], true>;
  /** Documents of the sub-account with a smaller salt are void. */
  readonly saltFloors: MapCollection<AccountId, bigint>;
}

const hashKey = fixedBytesKey(32);

export function externalState(schema: Schema): ExternalState {
  return {
    documents: schema.map(0x20, "documents", hashKey, protoValue(DocumentRecord)),
    expiries: schema.map(0x21, "document_expiries", pairKey(heightKey, hashKey), markerValue),
    saltFloors: schema.map(0x22, "salt_floors", accountIdKey, u64Value),
  };
}
