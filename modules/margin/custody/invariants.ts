/** What must always hold of custody. */
import type { Proposal } from "@keel/proto/gen/keel/margin/v1/custody";
import { type AccountId, numberOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext } from "../../kit/context.ts";
import { parseMoney } from "../../kit/money.ts";
import type { MarginState } from "../state.ts";
import { shortMarkets } from "../waterfall/attribution.ts";
import { segregated } from "./gates.ts";
import { validateAction, validatePolicy, validateTopUp } from "./policy.ts";

/** Running: what is missing by market sums to what is missing in all. */
export function marketShortfallFault(ctx: ReadContext, state: MarginState): string | null {
  if (!segregated(ctx, state)) return null;
  const { pendingShortfall } = state.totals.require(ctx);
  let sum = 0n;
  state.custody.solvency.each(ctx, (_market, { shortfall }) => {
    sum += BigInt(shortfall);
  });
  return sum === pendingShortfall
    ? null
    : `markets are short of ${sum}, the deficit queue of ${pendingShortfall}`;
}

/** Full: each market's part is what the queue says, and only members of the queue are remembered. */
export function solvencyMatchesFault(ctx: ReadContext, state: MarginState): string | null {
  const { custody, deficits } = state;
  let fault: string | null = null;
  custody.losses.each(ctx, (id) => {
    if (!deficits.has(ctx, id)) fault ??= "losses of an account that is not below zero are kept";
  });
  if (!segregated(ctx, state)) return fault;
  const { missing } = shortMarkets(ctx, state);
  for (const [market, amount] of missing) {
    const kept = custody.solvency.get(ctx, market)?.shortfall ?? "0";
    if (kept !== `${amount}`) fault ??= `market ${market} is short of ${amount}, kept is ${kept}`;
  }
  return fault;
}

function refusalOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return error instanceof Error ? error.message : "unknown fault";
  }
}

function isAmount(text: string): boolean {
  return (parseMoney(text) ?? -1n) >= 0n;
}

/** Full: policies and rules are such as a message could have made; proposals stand under a policy, will be forgotten, and only its keys have decided. */
export function custodyFault(
  ctx: ReadContext,
  state: MarginState,
  addresses: Addresses,
): string | null {
  const { custody } = state;
  let fault: string | null = null;
  custody.policies.each(ctx, (_id, policy) => {
    fault ??= refusalOf(() => validatePolicy(addresses, policy));
  });
  custody.topUps.each(ctx, (id, rule) => {
    fault ??= refusalOf(() => validateTopUp(rule, numberOf(id)));
  });
  custody.spent.each(ctx, (id, { tradingLoss, topUps }) => {
    if (!custody.policies.has(ctx, id)) fault ??= "something was spent without a policy";
    if (!isAmount(tradingLoss) || !isAmount(topUps)) fault ??= "what was spent is no amount";
  });
  custody.toppedUp.each(ctx, (_id, { amount }) => {
    if (!isAmount(amount)) fault ??= "what was topped up is no amount";
  });
  custody.solvency.each(ctx, (market, { backing, covered }) => {
    if (!isAmount(covered)) fault ??= `market ${market} is covered by no amount`;
    if (!isAmount(backing)) fault ??= `market ${market} is backed by no amount`;
  });
  const last = custody.lastProposal.get(ctx) ?? 0n;
  let proposals = 0;
  custody.proposals.each(ctx, ([id, number], proposal) => {
    proposals += 1;
    fault ??= proposalFault(ctx, state, id, proposal, addresses);
    if (number !== proposal.id || number > last) fault ??= `proposal ${number} has a wrong number`;
    if (!custody.expiries.has(ctx, [Number(proposal.expiryMs), id, number])) {
      fault ??= `proposal ${number} is not going to be forgotten`;
    }
  });
  if (custody.expiries.size(ctx) !== proposals) fault ??= "an expiry without a proposal";
  return fault;
}

function proposalFault(
  ctx: ReadContext,
  state: MarginState,
  id: AccountId,
  proposal: Proposal,
  addresses: Addresses,
): string | null {
  const policy = state.custody.policies.get(ctx, id);
  if (policy === undefined) return `proposal ${proposal.id} stands under no policy`;
  const { action, approvals, rejections } = proposal;
  if (action === undefined) return `proposal ${proposal.id} has no action`;
  const decided = [...approvals, ...rejections];
  if (new Set(decided).size !== decided.length) return `a key decided twice on ${proposal.id}`;
  if (!decided.every((key) => policy.keys.includes(key))) {
    return `somebody without a key decided on ${proposal.id}`;
  }
  if (approvals.length >= policy.threshold !== proposal.approvedMs > 0n) {
    return `proposal ${proposal.id} has ${approvals.length} approvals since ${proposal.approvedMs}`;
  }
  return refusalOf(() => validateAction(addresses, action));
}
