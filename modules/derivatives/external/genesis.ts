/** Documents and salts in genesis. Records that have expired are exported too: the next block forgets them here as it would there. */
import type { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { numberOf } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Venue } from "../venue.ts";
import { recordProblem } from "./invariants.ts";
import { writeRecord } from "./records.ts";

type ExternalGenesis = Pick<GenesisState, "documents" | "saltFloors">;

/** Returns the first problem, or null. */
export function loadExternal(
  ctx: WriteContext,
  venue: Venue,
  { documents, saltFloors }: ExternalGenesis,
): string | null {
  for (const { document, record } of documents) {
    if (document.length !== 32 || record === undefined) return "a document without hash or record";
    const problem = recordProblem(ctx, venue, record);
    if (problem !== null) return problem;
    writeRecord(ctx, venue, document, record);
  }
  for (const { owner, subaccount, saltBelow } of saltFloors) {
    venue.state.external.saltFloors.set(ctx, venue.accounts.of(owner, subaccount), saltBelow);
  }
  return null;
}

export function exportExternal(ctx: ReadContext, venue: Venue): ExternalGenesis {
  const { external } = venue.state;
  const genesis: ExternalGenesis = { documents: [], saltFloors: [] };
  external.documents.each(ctx, (document, record) => {
    genesis.documents.push({ document, record });
  });
  external.saltFloors.each(ctx, (account, saltBelow) => {
    const owner = venue.addresses.format(venue.accounts.owner(account));
    genesis.saltFloors.push({ owner, subaccount: numberOf(account), saltBelow });
  });
  return genesis;
}
