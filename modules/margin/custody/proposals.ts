/**
 * Withdrawals by m of n: proposed, approved each by a transaction of its own, executed after the policy's delay. What was approved is what is executed:
 * a proposal never changes, an id is never given twice, and another policy makes all that lie void.
 */
import type {
  CustodyAction,
  Proposal,
  TransferAction,
  WithdrawAction,
  WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { type AccountId, accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import { bytesToKey, heightKey } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Collateral } from "../collateral.ts";
import type { AssetCustody } from "../collateral-assets/custody.ts";
import { refuse } from "../errors.ts";
import { accountText, emitTransfer, emitWithdraw } from "../events.ts";
import type { BankPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { nowMs } from "./clock.ts";
import {
  type DropReason,
  emitDecided,
  emitDropped,
  emitExecuted,
  emitPolicySet,
  emitProposed,
} from "./events.ts";
import { requireUngated } from "./gates.ts";
import { requireOwesNothing } from "./guard.ts";
import {
  PROPOSAL_AHEAD_MAX_MS,
  PROPOSALS_PER_PROPOSER_MAX,
  PRUNED_PER_BLOCK_MAX,
} from "./limits.ts";
import { actionName } from "./policy.ts";
import type { CustodyState } from "./state.ts";

export interface Proposals {
  /** All throw ModuleError to refuse. The first policy of a sub-account, by its owner. */
  setPolicy(ctx: WriteContext, id: AccountId, policy: WithdrawalPolicy): void;
  propose(
    ctx: WriteContext,
    id: AccountId,
    proposed: {
      readonly sender: string;
      readonly action: CustodyAction;
      readonly expiryMs: bigint;
    },
  ): bigint;
  /** Returns when it may be executed, Unix milliseconds; 0: not yet known, or it is gone. */
  decide(
    ctx: WriteContext,
    id: AccountId,
    decision: { readonly sender: string; readonly proposal: bigint; readonly reject: boolean },
  ): number;
  execute(ctx: WriteContext, id: AccountId, sender: string, proposal: bigint): void;
  /** At the end of a block: expired ones, oldest first, within the block's bound. */
  prune(ctx: WriteContext): void;
}

/** When it may be executed; 0: approvals are missing. */
export function readyMs(proposal: Proposal, policy: WithdrawalPolicy): number {
  const { action, approvedMs, createdMs, owner, proposer } = proposal;
  const approved = approvedMs === 0n ? 0 : Number(approvedMs + policy.delayMs);
  const alone =
    action?.policy !== undefined && proposer === owner && policy.recoveryDelayMs > 0n
      ? Number(createdMs + policy.recoveryDelayMs)
      : 0;
  if (approved === 0 || alone === 0) return approved + alone;
  return approved < alone ? approved : alone;
}

function remove(ctx: WriteContext, custody: CustodyState, id: AccountId, proposal: Proposal): void {
  custody.proposals.delete(ctx, [id, proposal.id]);
  custody.expiries.delete(ctx, [Number(proposal.expiryMs), id, proposal.id]);
}

export function proposalsOf(ctx: ReadContext, custody: CustodyState, id: AccountId): Proposal[] {
  const found: Proposal[] = [];
  custody.proposals.eachWithPrefix(ctx, id, (_key, proposal) => void found.push(proposal));
  return found;
}

function drop(
  ctx: WriteContext,
  custody: CustodyState,
  id: AccountId,
  proposal: Proposal,
  reason: DropReason,
): void {
  remove(ctx, custody, id, proposal);
  emitDropped(ctx, proposal, reason);
}

/**
 * Takes the approval to move the whole sub-account to `to`, if there is one that may be executed now. Without a policy none is needed.
 */
export function spendPort(
  ctx: WriteContext,
  custody: CustodyState,
  from: AccountId,
  to: AccountId,
  addresses: Addresses,
): void {
  const policy = custody.policies.size(ctx) === 0 ? undefined : custody.policies.get(ctx, from);
  if (policy === undefined) return;
  const now = nowMs(ctx);
  const found = proposalsOf(ctx, custody, from).find((proposal) => {
    const port = proposal.action?.port;
    if (port === undefined || now >= Number(proposal.expiryMs)) return false;
    const ready = readyMs(proposal, policy);
    if (ready === 0 || now < ready) return false;
    return accountId(addresses.parse(port.toOwner), port.toSubaccount) === to;
  });
  if (found === undefined) {
    throw refuse("policyRequired", "the sub-account moves only as approved under its policy");
  }
  remove(ctx, custody, from, found);
  emitExecuted(ctx, found, "port");
}

export function createProposals(parts: {
  readonly state: MarginState;
  /** Past the guard: what is approved may leave. */
  readonly collateral: Collateral;
  readonly assets: AssetCustody;
  readonly bank: BankPort;
  readonly addresses: Addresses;
}): Proposals {
  const { state, collateral, assets, bank, addresses } = parts;
  const { custody } = state;

  function requirePolicy(ctx: ReadContext, id: AccountId): WithdrawalPolicy {
    const policy = custody.policies.get(ctx, id);
    if (policy === undefined) {
      throw refuse("invalidRequest", "the sub-account has no withdrawal policy");
    }
    return policy;
  }

  function requireMember(policy: WithdrawalPolicy, id: AccountId, sender: string): void {
    const owner = addresses.format(ownerOf(id));
    if (sender !== owner && !policy.keys.includes(sender)) {
      throw refuse("unauthorized", "expected the owner or a key of the policy");
    }
  }

  function requireLive(ctx: ReadContext, id: AccountId, number: bigint): Proposal {
    const proposal = custody.proposals.get(ctx, [id, number]);
    if (proposal === undefined) throw refuse("unknownProposal", `no proposal ${number}`);
    if (nowMs(ctx) >= Number(proposal.expiryMs)) {
      throw refuse("unknownProposal", `proposal ${number} expired at ${proposal.expiryMs} ms`);
    }
    return proposal;
  }

  /** Who would receive, by the policy's list. A transfer is a way to the owner. */
  function requireRecipient(policy: WithdrawalPolicy, id: AccountId, action: CustodyAction): void {
    const { withdraw, port } = action;
    if (action.policy !== undefined) return;
    const to = withdraw?.recipient ?? port?.toOwner ?? addresses.format(ownerOf(id));
    if (policy.recipients.length > 0 && !policy.recipients.includes(to)) {
      throw refuse("unauthorized", `${to} is not among the policy's recipients`);
    }
    if (withdraw !== undefined && bank.isBlocked(addresses.parse(to))) {
      throw refuse("unauthorized", `${to} belongs to the chain and receives nothing`);
    }
  }

  const isSettlement = (ctx: ReadContext, denom: string): boolean =>
    denom === state.params.require(ctx).settlementDenom;

  /** The settlement asset, or one that is collateral; what its issuer restricts reaches only those on its list. */
  function requireDenom(ctx: ReadContext, { withdraw, transfer }: Partial<CustodyAction>): void {
    const denom = (withdraw ?? transfer)?.denom;
    if (denom === undefined || isSettlement(ctx, denom)) return;
    const asset = assets.require(ctx, denom);
    if (withdraw !== undefined)
      assets.requireHolder(ctx, asset, addresses.parse(withdraw.recipient));
  }

  function withdraw(ctx: WriteContext, id: AccountId, action: WithdrawAction): void {
    const { denom, recipient } = action;
    const amount = BigInt(action.amount);
    if (isSettlement(ctx, denom)) collateral.withdraw(ctx, id, amount);
    else {
      // The list may have changed since it was proposed.
      requireDenom(ctx, { withdraw: action });
      assets.withdraw(ctx, id, denom, amount);
    }
    const to = addresses.parse(recipient);
    const owner = ownerOf(id);
    if (bytesToKey(to) !== bytesToKey(owner)) bank.transfer(ctx, owner, to, denom, amount);
    emitWithdraw(ctx, { account: accountText(addresses, id), denom, amount });
  }

  function transfer(ctx: WriteContext, from: AccountId, action: TransferAction): void {
    const { denom } = action;
    const amount = BigInt(action.amount);
    const to = accountId(ownerOf(from), action.toSubaccount);
    requireOwesNothing(ctx, state, to);
    if (isSettlement(ctx, denom)) collateral.transfer(ctx, from, to, amount);
    else assets.transfer(ctx, from, to, { denom, units: amount });
    const [source, target] = [accountText(addresses, from), accountText(addresses, to)];
    emitTransfer(ctx, { from: source, to: target, denom, amount });
  }

  function changePolicy(
    ctx: WriteContext,
    id: AccountId,
    { approvedMs, action }: Proposal,
    before: WithdrawalPolicy,
  ): void {
    for (const other of proposalsOf(ctx, custody, id)) drop(ctx, custody, id, other, "policy");
    const policy = action?.policy?.policy;
    if (policy === undefined) {
      custody.policies.delete(ctx, id);
      if (custody.spent.has(ctx, id)) custody.spent.delete(ctx, id);
    } else custody.policies.set(ctx, id, policy);
    const approved = approvedMs !== 0n && nowMs(ctx) >= Number(approvedMs + before.delayMs);
    emitPolicySet(ctx, accountText(addresses, id), policy, approved ? "approved" : "recovery");
  }

  return {
    setPolicy(ctx, id, policy) {
      if (custody.policies.has(ctx, id)) {
        throw refuse("policyRequired", "a policy is changed by a proposal under it");
      }
      custody.policies.set(ctx, id, policy);
      emitPolicySet(ctx, accountText(addresses, id), policy, "owner");
    },

    propose(ctx, id, { sender, action, expiryMs }) {
      const policy = requirePolicy(ctx, id);
      requireMember(policy, id, sender);
      requireDenom(ctx, action);
      requireRecipient(policy, id, action);
      if (action.transfer?.toSubaccount === numberOf(id)) {
        throw refuse("sameAccount", "expected two different sub-accounts");
      }
      const now = nowMs(ctx);
      if (expiryMs <= BigInt(now) || expiryMs > BigInt(now + PROPOSAL_AHEAD_MAX_MS)) {
        throw refuse(
          "invalidRequest",
          `expected an expiry after ${now} and up to ${now + PROPOSAL_AHEAD_MAX_MS} ms`,
        );
      }
      const lying = proposalsOf(ctx, custody, id).filter(({ proposer }) => proposer === sender);
      if (lying.length >= PROPOSALS_PER_PROPOSER_MAX) {
        throw refuse(
          "invalidRequest",
          `expected at most ${PROPOSALS_PER_PROPOSER_MAX} proposals of one proposer at a time`,
        );
      }
      const number = (custody.lastProposal.get(ctx) ?? 0n) + 1n;
      const approvals = policy.keys.includes(sender) ? [sender] : [];
      const proposal: Proposal = {
        id: number,
        owner: addresses.format(ownerOf(id)),
        subaccount: numberOf(id),
        proposer: sender,
        action,
        approvals,
        rejections: [],
        createdMs: BigInt(now),
        expiryMs,
        approvedMs: approvals.length >= policy.threshold ? BigInt(now) : 0n,
      };
      custody.lastProposal.set(ctx, number);
      custody.proposals.set(ctx, [id, number], proposal);
      custody.expiries.set(ctx, [Number(expiryMs), id, number], true);
      emitProposed(ctx, proposal, actionName(action));
      return number;
    },

    decide(ctx, id, { sender, proposal: number, reject }) {
      const policy = requirePolicy(ctx, id);
      const known = requireLive(ctx, id, number);
      if (reject && sender === known.proposer) {
        drop(ctx, custody, id, known, "taken_back");
        return 0;
      }
      if (!policy.keys.includes(sender)) {
        throw refuse("unauthorized", "expected a key of the policy");
      }
      if ((reject ? known.rejections : known.approvals).includes(sender)) {
        throw refuse("invalidRequest", "this key has decided so already");
      }
      const others = (keys: readonly string[]): string[] => keys.filter((key) => key !== sender);
      const approvals = [...others(known.approvals), ...(reject ? [] : [sender])];
      const rejections = [...others(known.rejections), ...(reject ? [sender] : [])];
      const enough = approvals.length >= policy.threshold;
      const since = known.approvedMs === 0n ? BigInt(nowMs(ctx)) : known.approvedMs;
      const proposal = { ...known, approvals, rejections, approvedMs: enough ? since : 0n };
      const ready = readyMs(proposal, policy);
      emitDecided(ctx, proposal, sender, { reject, readyMs: ready });
      // So many reject it that the others cannot approve it any more.
      if (rejections.length > policy.keys.length - policy.threshold) {
        drop(ctx, custody, id, known, "rejected");
        return 0;
      }
      custody.proposals.set(ctx, [id, number], proposal);
      return ready;
    },

    execute(ctx, id, sender, number) {
      const policy = requirePolicy(ctx, id);
      requireMember(policy, id, sender);
      const proposal = requireLive(ctx, id, number);
      const { action, approvals } = proposal;
      const ready = readyMs(proposal, policy);
      if (ready === 0) {
        const { threshold } = policy;
        throw refuse("notApproved", `${approvals.length} of ${threshold} approvals are given`);
      }
      if (nowMs(ctx) < ready) throw refuse("notApproved", `it may be executed from ${ready} ms on`);
      if (action === undefined || action.port !== undefined) {
        throw refuse("invalidRequest", "the move itself is the message that executes this");
      }
      remove(ctx, custody, id, proposal);
      emitExecuted(ctx, proposal, actionName(action));
      if (action.policy !== undefined) return changePolicy(ctx, id, proposal, policy);
      requireUngated(ctx, state, id);
      if (action.withdraw !== undefined) {
        withdraw(ctx, id, action.withdraw);
      } else if (action.transfer !== undefined) {
        transfer(ctx, id, action.transfer);
      }
    },

    prune(ctx) {
      if (custody.expiries.size(ctx) === 0) return;
      const due: (readonly [number, AccountId, bigint])[] = [];
      const to = heightKey.encode(nowMs(ctx) + 1);
      custody.expiries.eachBetween(ctx, "", to, (key) => due.push(key) >= PRUNED_PER_BLOCK_MAX);
      for (const [, id, number] of due) {
        const proposal = custody.proposals.get(ctx, [id, number]);
        if (proposal !== undefined) drop(ctx, custody, id, proposal, "expired");
      }
    },
  };
}
