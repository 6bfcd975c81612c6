/** Events of insurance. Types and attribute names are documented in keel/insurance/v1/events.proto. */
import type { WriteContext } from "../kit/context.ts";

export function emitFunded(
  ctx: WriteContext,
  report: {
    readonly sender: string;
    readonly denom: string;
    readonly amount: bigint;
    readonly balance: bigint;
  },
): void {
  ctx.emit("insurance_funded", {
    sender: report.sender,
    denom: report.denom,
    amount: report.amount.toString(),
    balance: report.balance.toString(),
  });
}

export interface ClaimReport {
  readonly denom: string;
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
  });
}

export function emitPaid(
  ctx: WriteContext,
  report: ClaimReport & { readonly wanted: bigint },
): void {
  ctx.emit("insurance_paid", {
    denom: report.denom,
    amount: report.amount.toString(),
    reason: report.reason,
    balance: report.balance.toString(),
    wanted: report.wanted.toString(),
  });
}
