/** Events of insurance. Types and attribute names are documented in keel/insurance/v1/events.proto. */
import type { WriteContext } from "../kit/context.ts";

export function emitFunded(
  ctx: WriteContext,
  report: {
    readonly sender: string;
    readonly denom: string;
    readonly riskClass: string;
    readonly amount: bigint;
    readonly balance: bigint;
  },
): void {
  ctx.emit("insurance_funded", {
    sender: report.sender,
    denom: report.denom,
    amount: report.amount.toString(),
    balance: report.balance.toString(),
    risk_class: report.riskClass,
  });
}

export interface ClaimReport {
  readonly denom: string;
  readonly riskClass: string;
  readonly amount: bigint;
  readonly reason: string;
  readonly balance: bigint;
}

export function emitReceived(ctx: WriteContext, report: ClaimReport): void {
  ctx.emit("insurance_received", {
    denom: report.denom,
    amount: report.amount.toString(),
    reason: report.reason,
    balance: report.balance.toString(),
    risk_class: report.riskClass,
  });
}

export function emitPaid(
  ctx: WriteContext,
  report: ClaimReport & { readonly wanted: bigint; readonly firstLoss: bigint },
): void {
  ctx.emit("insurance_paid", {
    denom: report.denom,
    amount: report.amount.toString(),
    reason: report.reason,
    balance: report.balance.toString(),
    wanted: report.wanted.toString(),
    first_loss: report.firstLoss.toString(),
    risk_class: report.riskClass,
  });
}

export function emitBought(
  ctx: WriteContext,
  report: {
    readonly denom: string;
    readonly amount: bigint;
    readonly balance: bigint;
    readonly inventory: bigint;
  },
): void {
  ctx.emit("insurance_bought", {
    denom: report.denom,
    amount: report.amount.toString(),
    balance: report.balance.toString(),
    inventory: report.inventory.toString(),
  });
}

export function emitSold(
  ctx: WriteContext,
  report: {
    readonly denom: string;
    readonly amount: bigint;
    readonly cost: bigint;
    readonly firstLoss: bigint;
    readonly balance: bigint;
    readonly inventory: bigint;
  },
): void {
  ctx.emit("insurance_sold", {
    denom: report.denom,
    amount: report.amount.toString(),
    cost: report.cost.toString(),
    first_loss: report.firstLoss.toString(),
    balance: report.balance.toString(),
    inventory: report.inventory.toString(),
  });
}

export interface SharesReport {
  readonly owner: string;
  readonly denom: string;
  readonly riskClass: string;
  readonly amount: bigint;
  readonly shares: bigint;
  readonly balance: bigint;
}

function sharesAttributes(report: SharesReport): Record<string, string> {
  return {
    owner: report.owner,
    denom: report.denom,
    amount: report.amount.toString(),
    shares: report.shares.toString(),
    balance: report.balance.toString(),
    risk_class: report.riskClass,
  };
}

export function emitUnderwritten(ctx: WriteContext, report: SharesReport): void {
  ctx.emit("insurance_underwritten", sharesAttributes(report));
}

export function emitRedeemed(ctx: WriteContext, report: SharesReport): void {
  ctx.emit("insurance_redeemed", sharesAttributes(report));
}

export function emitNotice(
  ctx: WriteContext,
  report: {
    readonly owner: string;
    readonly denom: string;
    readonly riskClass: string;
    readonly shares: bigint;
    readonly leavesAtNs: bigint;
  },
): void {
  ctx.emit("insurance_notice", {
    owner: report.owner,
    denom: report.denom,
    shares: report.shares.toString(),
    leaves_at_ns: report.leavesAtNs.toString(),
    risk_class: report.riskClass,
  });
}

export function emitFundSet(
  ctx: WriteContext,
  report: {
    readonly denom: string;
    readonly riskClass: string;
    readonly assessablePpm: number;
    readonly atNs: bigint;
  },
): void {
  ctx.emit("insurance_fund_set", {
    denom: report.denom,
    risk_class: report.riskClass,
    assessable_ppm: report.assessablePpm.toString(),
    at_ns: report.atNs.toString(),
  });
}
