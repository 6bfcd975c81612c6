/** What holds of grants: each is one that a message could have made, stands under its key's address, and is going to be forgotten. */

import { equalBytes } from "@keel/proto/bytes/compare";
import type { TradingGrant } from "@keel/proto/gen/keel/derivatives/v1/trading_keys";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import type { Invariant } from "../../kit/module.ts";
import { parseKey } from "../external/signed.ts";
import { GRANTS_PER_OWNER_MAX } from "../limits.ts";
import { wasListed } from "../listing/life-cycle.ts";
import type { Venue } from "../venue.ts";
import { wellCounted } from "./counting.ts";
import { checkGrant } from "./grants.ts";
import type { GrantKey } from "./state.ts";

export function grantProblem(
  ctx: ReadContext,
  venue: Venue,
  [owner, trader]: GrantKey,
  grant: TradingGrant,
): string | null {
  const name = `the grant of ${venue.addresses.format(owner)}`;
  try {
    checkGrant({ ...grant, sender: "", markets: [] });
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return `${name}: ${error.message}`;
  }
  const { kind, key } = parseKey(grant.key);
  if (!equalBytes(addressOfKey(kind, key), trader)) return `${name} stands under another key`;
  const unknown = grant.markets.find((market) => !wasListed(ctx, venue, market));
  return unknown === undefined ? null : `${name} names the unknown market ${unknown}`;
}

export function grantInvariants(venue: Venue): Readonly<Record<string, Invariant>> {
  const { grants, expiries, spent } = venue.state.keys;

  function wellFormed(ctx: ReadContext): string | null {
    let fault: string | null = null;
    const counts = new Map<string, number>();
    grants.each(ctx, (at, grant) => {
      const owner = bytesToKey(at[0]);
      const count = (counts.get(owner) ?? 0) + 1;
      counts.set(owner, count);
      fault = grantProblem(ctx, venue, at, grant);
      if (count > GRANTS_PER_OWNER_MAX) fault ??= `an owner has more than ${count - 1} grants`;
      return fault !== null;
    });
    venue.state.waiting.each(ctx, (_key, order) => {
      if (!wellCounted(order)) fault ??= `waiting order ${order.id} counts for no trading key`;
    });
    return fault;
  }

  function expiriesMatch(ctx: ReadContext): string | null {
    let fault: string | null = null;
    expiries.each(ctx, ([expiryMs, owner, trader]) => {
      if (grants.get(ctx, [owner, trader])?.expiryMs === BigInt(expiryMs)) return false;
      fault = `no grant expires at ${expiryMs}`;
      return true;
    });
    spent.each(ctx, (at) => {
      if (!grants.has(ctx, at)) fault ??= "something is spent under a grant that is gone";
    });
    const [stored, queued] = [grants.size(ctx), expiries.size(ctx)];
    return fault ?? (stored === queued ? null : `${stored} grants are stored, ${queued} expire`);
  }

  return { "grants-well-formed": wellFormed, "grant-expiries-match": expiriesMatch };
}
