/** What is kept of owners, recomputed from the accounts. */
import { type AccountId, numberOf, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { changed, changesOf } from "./changes.ts";
import { NOTHING_THERE, type OwnerMarket } from "./state.ts";

interface Found {
  accounts: number;
  readonly markets: Map<MarketId, OwnerMarket>;
}

function add(found: Found, id: AccountId, { positions }: Account): void {
  found.accounts += 1;
  for (const change of changesOf([], positions)) {
    const record = found.markets.get(change.market) ?? NOTHING_THERE;
    found.markets.set(change.market, changed(record, numberOf(id), change));
  }
}

function isSame(a: OwnerMarket | undefined, b: OwnerMarket): boolean {
  return (
    a !== undefined &&
    a.lots === b.lots &&
    a.worstLots === b.worstLots &&
    a.subaccounts.join() === b.subaccounts.join()
  );
}

/** Null: exactly the owners of several accounts are written down, with what these have in each market. A full scan. */
export function ownersFault(ctx: ReadContext, state: MarginState): string | null {
  const owners = new Map<OwnerKey, Found>();
  state.accounts.each(ctx, (id, account) => {
    const owner = ownerKeyOf(id);
    let found = owners.get(owner);
    if (found === undefined) owners.set(owner, (found = { accounts: 0, markets: new Map() }));
    add(found, id, account);
  });
  let fault: string | null = null;
  let several = 0;
  let records = 0;
  for (const [owner, { accounts, markets }] of owners) {
    if (accounts < 2) continue;
    several += 1;
    records += markets.size;
    if (!state.owners.several.has(ctx, owner))
      fault ??= "an owner of several accounts is not known as one";
    for (const [market, record] of markets) {
      if (isSame(state.owners.markets.get(ctx, [owner, market]), record)) continue;
      fault ??= `market ${market}: ${record.lots} lots of an owner are not what is kept`;
    }
  }
  if (state.owners.several.size(ctx) !== several)
    fault ??= "owners of one account are kept as of several";
  if (state.owners.markets.size(ctx) !== records)
    fault ??= "markets are kept that no owner of several holds";
  return fault;
}
