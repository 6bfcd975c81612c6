/** Events of the vault. Types and attribute names are documented in keel/vault/v1/events.proto. */
import type { WriteContext } from "../kit/context.ts";

type Attributes = Readonly<Record<string, string | bigint | boolean>>;

function emit(ctx: WriteContext, type: string, attributes: Attributes): void {
  const text: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) text[key] = value.toString();
  ctx.emit(type, text);
}

export function emitDeposit(
  ctx: WriteContext,
  report: {
    readonly owner: string;
    readonly amount: bigint;
    readonly shares: bigint;
    readonly equity: bigint;
    readonly lockedUntilMs: bigint;
  },
): void {
  const { amount, equity, lockedUntilMs: locked_until_ms, owner, shares } = report;
  emit(ctx, "vault_deposit", { owner, amount, shares, equity, locked_until_ms });
}

export function emitRequested(
  ctx: WriteContext,
  report: {
    readonly owner: string;
    readonly id: bigint;
    readonly shares: bigint;
    readonly dueMs: bigint;
  },
): void {
  const { dueMs: due_ms, id, owner, shares } = report;
  emit(ctx, "vault_withdrawal_requested", { owner, id, shares, due_ms });
}

export function emitCancelled(
  ctx: WriteContext,
  report: { readonly owner: string; readonly id: bigint; readonly shares: bigint },
): void {
  emit(ctx, "vault_withdrawal_cancelled", { ...report });
}

export function emitWithdrawn(
  ctx: WriteContext,
  report: {
    readonly owner: string;
    readonly id: bigint;
    readonly shares: bigint;
    readonly amount: bigint;
    readonly value: bigint;
    readonly remaining: bigint;
  },
): void {
  emit(ctx, "vault_withdrawn", { ...report });
}

export function emitShort(ctx: WriteContext, short: boolean): void {
  emit(ctx, "vault_short", { short });
}

export function emitCapital(ctx: WriteContext, market: string, amount: bigint): void {
  emit(ctx, "vault_capital", { market, amount });
}

export function emitMarketSet(ctx: WriteContext, market: string, status: string): void {
  emit(ctx, "vault_market_set", { market, status });
}

export function emitMarketStopped(
  ctx: WriteContext,
  report: { readonly market: string; readonly status: string; readonly reason: string },
): void {
  emit(ctx, "vault_market_stopped", { ...report });
}

export function emitFault(ctx: WriteContext, reason: string): void {
  emit(ctx, "vault_fault", { reason });
}
