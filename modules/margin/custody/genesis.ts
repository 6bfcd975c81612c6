/** Custody in genesis. Expiries are made from the proposals. */
import type { CustodyGenesis } from "@keel/proto/gen/keel/margin/v1/custody";
import type { SubaccountId } from "@keel/proto/gen/keel/margin/v1/types";
import { type AccountId, accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import type { MarginState } from "../state.ts";
import { custodyFault, marketShortfallFault, solvencyMatchesFault } from "./invariants.ts";

export function initCustody(
  ctx: WriteContext,
  state: MarginState,
  addresses: Addresses,
  genesis: CustodyGenesis | undefined,
): void {
  if (genesis === undefined) return;
  const { custody } = state;
  const of = (id: SubaccountId | undefined): AccountId => {
    if (id === undefined) throw refuse("invalidRequest", "margin genesis: custody without account");
    return accountId(addresses.parse(id.owner), id.number);
  };
  const content = <T>(value: T | undefined): T => {
    if (value === undefined) throw refuse("invalidRequest", "margin genesis: custody is empty");
    return value;
  };
  for (const { id, policy, spent } of genesis.policies) {
    custody.policies.set(ctx, of(id), content(policy));
    if (spent !== undefined) custody.spent.set(ctx, of(id), spent);
  }
  for (const proposal of genesis.proposals) {
    const id = accountId(addresses.parse(proposal.owner), proposal.subaccount);
    custody.proposals.set(ctx, [id, proposal.id], proposal);
    custody.expiries.set(ctx, [Number(proposal.expiryMs), id, proposal.id], true);
  }
  if (genesis.lastProposal > 0n) custody.lastProposal.set(ctx, genesis.lastProposal);
  for (const { id, rule, spent } of genesis.topUps) {
    if (rule !== undefined) custody.topUps.set(ctx, of(id), rule);
    if (spent !== undefined) custody.toppedUp.set(ctx, of(id), spent);
  }
  for (const solvency of genesis.solvency) custody.solvency.set(ctx, solvency.market, solvency);
  for (const { id, shares } of genesis.losses) custody.losses.set(ctx, of(id), content(shares));
  for (const { id, market } of genesis.exits) custody.exits.set(ctx, [of(id), market], true);
  const fault =
    custodyFault(ctx, state, addresses) ??
    marketShortfallFault(ctx, state) ??
    solvencyMatchesFault(ctx, state);
  if (fault !== null) throw refuse("invalidRequest", `margin genesis: ${fault}`);
}

/** undefined: nobody has turned anything of it on. */
export function exportCustody(
  ctx: ReadContext,
  { custody }: MarginState,
  addresses: Addresses,
): CustodyGenesis | undefined {
  const of = (id: AccountId): SubaccountId => ({
    owner: addresses.format(ownerOf(id)),
    number: numberOf(id),
  });
  const genesis: CustodyGenesis = {
    policies: [],
    proposals: [],
    lastProposal: custody.lastProposal.get(ctx) ?? 0n,
    topUps: [],
    solvency: [],
    losses: [],
    exits: [],
  };
  custody.policies.each(ctx, (id, policy) => {
    genesis.policies.push({ id: of(id), policy, spent: custody.spent.get(ctx, id) });
  });
  custody.proposals.each(ctx, (_key, proposal) => void genesis.proposals.push(proposal));
  custody.topUps.each(ctx, (id, rule) => {
    genesis.topUps.push({ id: of(id), rule, spent: custody.toppedUp.get(ctx, id) });
  });
  // What a rule that is gone has moved today still counts when there is one again.
  custody.toppedUp.each(ctx, (id, spent) => {
    if (custody.topUps.has(ctx, id)) return;
    genesis.topUps.push({ id: of(id), rule: undefined, spent });
  });
  custody.solvency.each(ctx, (_market, solvency) => void genesis.solvency.push(solvency));
  custody.losses.each(ctx, (id, shares) => void genesis.losses.push({ id: of(id), shares }));
  custody.exits.each(ctx, ([id, market]) => void genesis.exits.push({ id: of(id), market }));
  const { lastProposal, ...lists } = genesis;
  const empty = lastProposal === 0n && Object.values(lists).every((list) => list.length === 0);
  return empty ? undefined : genesis;
}
