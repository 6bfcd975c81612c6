/** What must always hold. `running` reads totals only and runs every block; `full` scans holders and the queue. */
import { bytesToKey } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import type { ModuleInvariants } from "../kit/module.ts";
import { nowMs } from "./deposits.ts";
import { SHARES_LIMIT } from "./limits.ts";
import type { LedgerPort } from "./ports.ts";
import { IDLE_ACCOUNT, marketAccount, type VaultState } from "./state.ts";

function sharesInRange(ctx: ReadContext, state: VaultState): string | null {
  const { queuedShares, shares } = state.totals.require(ctx);
  if (queuedShares >= 0n && queuedShares <= shares && shares < SHARES_LIMIT) return null;
  return `there are ${shares} shares, of which ${queuedShares} are queued`;
}

export function sharesFault(ctx: ReadContext, state: VaultState): string | null {
  let sum = 0n;
  let fault: string | null = null;
  state.holders.each(ctx, (_address, { locks, queuedShares, shares }) => {
    sum += shares + queuedShares;
    const ascending = locks.every(
      (lock, i) => i === 0 || lock.untilMs > (locks[i - 1]?.untilMs ?? 0n),
    );
    const positive = locks.every((lock) => lock.shares > 0n);
    if (shares < 0n || queuedShares < 0n || !ascending || !positive) {
      fault = "a holder's record is not well formed";
    }
    // Locks that are over stay in the record until it changes: only those that still count are bound by what is held.
    const now = nowMs(ctx);
    const open = locks.reduce((total, lock) => total + (lock.untilMs > now ? lock.shares : 0n), 0n);
    if (open > shares) fault = `a holder has ${open} locked shares of ${shares}`;
  });
  const { shares } = state.totals.require(ctx);
  if (fault === null && sum !== shares)
    fault = `holders have ${sum} shares, the total is ${shares}`;
  return fault;
}

export function queueFault(ctx: ReadContext, state: VaultState): string | null {
  const owners = new Map<string, { shares: bigint; count: number }>();
  const totals = state.totals.require(ctx);
  let sum = 0n;
  let fault: string | null = null;
  state.withdrawals.each(ctx, (id, withdrawal) => {
    const { owner, shares } = withdrawal;
    if (withdrawal.id !== id || id >= totals.nextWithdrawal || shares <= 0n) {
      fault = `withdrawal ${id} is not well formed`;
    }
    sum += shares;
    const key = bytesToKey(owner);
    const known = owners.get(key) ?? { shares: 0n, count: 0 };
    owners.set(key, { shares: known.shares + shares, count: known.count + 1 });
  });
  if (fault === null && sum !== totals.queuedShares) {
    fault = `the queue holds ${sum} shares, the total says ${totals.queuedShares}`;
  }
  state.holders.each(ctx, (address, { queuedShares, withdrawals }) => {
    const key = bytesToKey(address);
    const found = owners.get(key) ?? { shares: 0n, count: 0 };
    owners.delete(key);
    if (found.shares !== queuedShares || found.count !== withdrawals) {
      fault ??= `a holder has ${queuedShares} shares in ${withdrawals} withdrawals, the queue ${found.shares} in ${found.count}`;
    }
  });
  return fault ?? (owners.size === 0 ? null : "a withdrawal is of nobody");
}

function equityOnceFault(ctx: ReadContext, state: VaultState, ledger: LedgerPort): string | null {
  if ((ledger.account(ctx, IDLE_ACCOUNT)?.positions.length ?? 0) > 0) {
    return "sub-account 0 of the vault holds positions or orders";
  }
  let fault: string | null = null;
  state.markets.each(ctx, (market) => {
    const positions = ledger.account(ctx, marketAccount(market))?.positions ?? [];
    const foreign = positions.find((position) => position.market !== market);
    if (foreign !== undefined) {
      fault = `sub-account ${market} of the vault holds something in market ${foreign.market}`;
    }
  });
  return fault;
}

export function vaultInvariants(state: VaultState, ledger: LedgerPort): ModuleInvariants {
  return {
    running: { "shares-in-range": (ctx) => sharesInRange(ctx, state) },
    full: {
      "shares-sum": (ctx) => sharesFault(ctx, state),
      "queue-consistent": (ctx) => queueFault(ctx, state),
      "equity-once": (ctx) => equityOnceFault(ctx, state, ledger),
    },
  };
}
