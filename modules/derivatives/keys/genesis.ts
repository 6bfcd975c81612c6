/** Grants in genesis. Accounts of their keys are in auth's. */
import type { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import { parseKey } from "../external/signed.ts";
import type { Venue } from "../venue.ts";
import { grantProblem } from "./invariants.ts";
import type { GrantKey } from "./state.ts";

type KeysGenesis = Pick<GenesisState, "tradingGrants">;

/** Returns the first problem, or null. */
export function loadGrants(
  ctx: WriteContext,
  venue: Venue,
  { tradingGrants }: KeysGenesis,
): string | null {
  const { grants, expiries, spent } = venue.state.keys;
  for (const entry of tradingGrants) {
    const { grant } = entry;
    if (grant === undefined) return "a trading grant without content";
    const { kind, key } = parseKey(grant.key);
    const at: GrantKey = [venue.addresses.parse(entry.owner), addressOfKey(kind, key)];
    const problem = grantProblem(ctx, venue, at, grant);
    if (problem !== null) return problem;
    grants.set(ctx, at, grant);
    expiries.set(ctx, [Number(grant.expiryMs), ...at], true);
    if (entry.spent !== undefined) spent.set(ctx, at, entry.spent);
    venue.keyAccounts.ensureKey(ctx, kind, key);
  }
  return null;
}

export function exportGrants(ctx: ReadContext, venue: Venue): KeysGenesis {
  const { grants, spent } = venue.state.keys;
  const tradingGrants: KeysGenesis["tradingGrants"] = [];
  grants.each(ctx, (at, grant) => {
    const owner = venue.addresses.format(at[0]);
    tradingGrants.push({ owner, grant, spent: spent.get(ctx, at) });
  });
  return { tradingGrants };
}
