/** Events of custody. Types and attribute names are documented in keel/margin/v1/custody.proto. */
import type { Proposal, TopUpRule, WithdrawalPolicy } from "@keel/proto/gen/keel/margin/v1/custody";
import type { WriteContext } from "../../kit/context.ts";
import type { ActionName } from "./policy.ts";

export type PolicyReason = "owner" | "approved" | "recovery";
export type DropReason = "rejected" | "taken_back" | "expired" | "policy";

export function emitPolicySet(
  ctx: WriteContext,
  account: string,
  policy: WithdrawalPolicy | undefined,
  reason: PolicyReason,
): void {
  ctx.emit("withdrawal_policy_set", {
    account,
    threshold: `${policy?.threshold ?? 0}`,
    keys: `${policy?.keys.length ?? 0}`,
    reason,
  });
}

/** Where it goes and how much: an address, a sub-account, or nothing of a change of policy. */
function whither({ owner, action }: Proposal): { readonly to: string; readonly amount: string } {
  const { withdraw, transfer, port } = action ?? {};
  if (withdraw !== undefined) return { to: withdraw.recipient, amount: withdraw.amount };
  if (transfer !== undefined) {
    return { to: `${owner}/${transfer.toSubaccount}`, amount: transfer.amount };
  }
  return { to: port === undefined ? "" : `${port.toOwner}/${port.toSubaccount}`, amount: "" };
}

const accountOf = ({ owner, subaccount }: Proposal): string => `${owner}/${subaccount}`;

export function emitProposed(ctx: WriteContext, proposal: Proposal, action: ActionName): void {
  ctx.emit("withdrawal_proposed", {
    account: accountOf(proposal),
    id: `${proposal.id}`,
    proposer: proposal.proposer,
    action,
    ...whither(proposal),
    expiry_ms: `${proposal.expiryMs}`,
  });
}

export function emitDecided(
  ctx: WriteContext,
  proposal: Proposal,
  key: string,
  decision: { readonly reject: boolean; readonly readyMs: number },
): void {
  ctx.emit("withdrawal_decided", {
    account: accountOf(proposal),
    id: `${proposal.id}`,
    key,
    decision: decision.reject ? "reject" : "approve",
    approvals: `${proposal.approvals.length}`,
    rejections: `${proposal.rejections.length}`,
    ready_ms: `${decision.readyMs}`,
  });
}

export function emitDropped(ctx: WriteContext, proposal: Proposal, reason: DropReason): void {
  ctx.emit("withdrawal_dropped", { account: accountOf(proposal), id: `${proposal.id}`, reason });
}

export function emitExecuted(ctx: WriteContext, proposal: Proposal, action: ActionName): void {
  ctx.emit("withdrawal_executed", {
    account: accountOf(proposal),
    id: `${proposal.id}`,
    action,
    ...whither(proposal),
  });
}

export function emitTopUpRule(
  ctx: WriteContext,
  account: string,
  rule: TopUpRule | undefined,
): void {
  ctx.emit("top_up_rule_set", {
    account,
    from: rule?.from.join(",") ?? "",
    target_ppm: `${rule?.targetPpm ?? 0n}`,
    cap_per_day: rule?.capPerDay ?? "0",
  });
}

export interface TopUpReport {
  readonly account: string;
  readonly from: string;
  readonly amount: bigint;
  readonly equityBefore: bigint;
  readonly maintenance: bigint;
  readonly targetPpm: bigint;
  readonly capLeft: bigint;
}

export function emitTopUp(ctx: WriteContext, report: TopUpReport): void {
  ctx.emit("top_up", {
    account: report.account,
    from: report.from,
    amount: `${report.amount}`,
    equity_before: `${report.equityBefore}`,
    equity_after: `${report.equityBefore + report.amount}`,
    maintenance: `${report.maintenance}`,
    target_ppm: `${report.targetPpm}`,
    cap_left: `${report.capLeft}`,
  });
}

export function emitTopUpRefused(
  ctx: WriteContext,
  account: string,
  figures: {
    readonly needed: bigint;
    readonly available: bigint;
    readonly capLeft: bigint;
    readonly equity: bigint;
    readonly maintenance: bigint;
  },
): void {
  ctx.emit("top_up_refused", {
    account,
    needed: `${figures.needed}`,
    available: `${figures.available}`,
    cap_left: `${figures.capLeft}`,
    equity: `${figures.equity}`,
    maintenance: `${figures.maintenance}`,
  });
}

export function emitMarketShort(
  ctx: WriteContext,
  market: number,
  figures: {
    readonly shortfall: bigint;
    readonly backing: bigint;
    readonly gatedUntilNs: bigint;
    readonly gate: "none" | "market" | "all";
  },
): void {
  ctx.emit("market_short", {
    market: `${market}`,
    shortfall: `${figures.shortfall}`,
    backing: `${figures.backing}`,
    gated_until_ns: `${figures.gatedUntilNs}`,
    gate: figures.gate,
  });
}
