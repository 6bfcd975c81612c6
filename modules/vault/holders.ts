/** What an address holds: shares, those of them that are locked, and those in the queue. */
import { maximum } from "../kit/math/mul-div.ts";
import { LOCKS_PER_OWNER_MAX } from "./limits.ts";
import type { Holder, ShareLock } from "./records.ts";

export function openLocks(holder: Holder, nowMs: bigint): readonly ShareLock[] {
  return holder.locks.filter(({ untilMs }) => untilMs > nowMs);
}

export function unlockedShares(holder: Holder, nowMs: bigint): bigint {
  return openLocks(holder, nowMs).reduce((left, { shares }) => left - shares, holder.shares);
}

/** With new shares, locked until then. Beyond the most locks the newest two become one, at the later time. */
export function withNewShares(holder: Holder, added: ShareLock, nowMs: bigint): Holder {
  const shares = holder.shares + added.shares;
  if (added.untilMs <= nowMs) return { ...holder, shares };
  const locks = [...openLocks(holder, nowMs)];
  const last = locks.at(-1);
  // A shorter lockup than before: ascending all the same.
  const untilMs = maximum(added.untilMs, last?.untilMs ?? 0n);
  if (last !== undefined && (locks.length >= LOCKS_PER_OWNER_MAX || last.untilMs === untilMs)) {
    locks[locks.length - 1] = { untilMs, shares: last.shares + added.shares };
  } else locks.push({ untilMs, shares: added.shares });
  return { ...holder, shares, locks };
}

export function isEmptyHolder({ shares, withdrawals }: Holder): boolean {
  return shares === 0n && withdrawals === 0;
}
