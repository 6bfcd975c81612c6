/** Events of custody. Types and attribute names are documented in keel/margin/v1/custody.proto. */
import type { Proposal, TopUpRule, WithdrawalPolicy } from "@keel/proto/gen/keel/margin/v1/custody";
import type { WriteContext } from "../../kit/context.ts";
import { type Explanation, quantities } from "../../kit/explanation.ts";
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

/** What decided a top-up, quanta. */
export interface TopUpTerms {
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly targetPpm: bigint;
  /** Left of the day's cap before it. */
  readonly capLeft: bigint;
  /** Of each giver in the order of the rule, as far as they were asked. */
  readonly available: readonly { readonly from: string; readonly quanta: bigint }[];
}

const TOP_UP_RULE =
  "wanted = smaller of maintenance x target, up, - equity, and what is left of the day's cap; each giver gives what is still wanted, at most what it has available: " +
  "free collateral, nothing if isolated, gated, stale or quarantined, and no more than its policy leaves of the day; nothing moves unless all together reach maintenance - equity";

function explainTopUp(terms: TopUpTerms, results: Readonly<Record<string, bigint>>): Explanation {
  return {
    rule: TOP_UP_RULE,
    inputs: [
      ...quantities("quanta", {
        equity: terms.equity,
        maintenance: terms.maintenance,
        "cap left": terms.capLeft,
      }),
      ...quantities("ppm", { target: terms.targetPpm }),
      ...terms.available.flatMap(({ from, quanta }) =>
        quantities("quanta", { [`available of ${from}`]: quanta }),
      ),
    ],
    results: quantities("quanta", results),
  };
}

export function emitTopUp(
  ctx: WriteContext,
  terms: TopUpTerms,
  move: {
    readonly account: string;
    readonly from: string;
    readonly amount: bigint;
    /** By the givers before it. */
    readonly moved: bigint;
  },
): void {
  const equityBefore = terms.equity + move.moved;
  const equityAfter = equityBefore + move.amount;
  ctx.emit(
    "top_up",
    {
      account: move.account,
      from: move.from,
      amount: `${move.amount}`,
      equity_before: `${equityBefore}`,
      equity_after: `${equityAfter}`,
      maintenance: `${terms.maintenance}`,
      target_ppm: `${terms.targetPpm}`,
      cap_left: `${terms.capLeft - move.moved - move.amount}`,
    },
    () => explainTopUp(terms, { amount: move.amount, "equity after": equityAfter }),
  );
}

export function emitTopUpRefused(ctx: WriteContext, account: string, terms: TopUpTerms): void {
  const { capLeft, equity, maintenance } = terms;
  const needed = maintenance - equity;
  const sum = terms.available.reduce((total, { quanta }) => total + quanta, 0n);
  const available = sum < capLeft ? sum : capLeft;
  ctx.emit(
    "top_up_refused",
    {
      account,
      needed: `${needed}`,
      available: `${available}`,
      cap_left: `${capLeft}`,
      equity: `${equity}`,
      maintenance: `${maintenance}`,
    },
    () => explainTopUp(terms, { needed, available }),
  );
}

export interface ShortReport {
  readonly shortfallBefore: bigint;
  readonly shortfall: bigint;
  readonly backing: bigint;
  readonly gatedUntilNs: bigint;
  readonly gate: "none" | "market" | "all";
  /** Of all short markets. */
  readonly missing: bigint;
  /** Equity of all whom their gates hold; 0 where no gate was raised. */
  readonly together: bigint;
}

export function emitMarketShort(ctx: WriteContext, market: number, report: ShortReport): void {
  const { backing, gate, gatedUntilNs, shortfall } = report;
  ctx.emit(
    "market_short",
    {
      market: `${market}`,
      shortfall: `${shortfall}`,
      backing: `${backing}`,
      gated_until_ns: `${gatedUntilNs}`,
      gate,
    },
    () => ({
      rule:
        "shortfall = the market's part of the deficit queue, each member's by what it had lost where; a gate is raised when it grew, and once a minute while a member " +
        "holds positions; it is for the market's accounts while all whom gates hold are worth at least what is missing, else for all",
      inputs: quantities("quanta", {
        "shortfall before": report.shortfallBefore,
        "missing in all markets": report.missing,
        "equity of all who are held": report.together,
      }),
      results: [
        ...quantities("quanta", { shortfall, backing }),
        ...quantities("ns", { "gated until": gatedUntilNs }),
        ...quantities("", { gate }),
      ],
    }),
  );
}
