/** Ports of modules that are built later than who asks them. */
import type { ClearingPort, GuardPort as MarketGuard } from "../derivatives/ports.ts";
import type { GuardKeeper } from "../guard/keeper.ts";
import type { GuardPort as ClearingGuard, ClearingPort as Ledger } from "../margin/ports.ts";

export function lateClearing(get: () => Ledger & Pick<ClearingPort, "account">): ClearingPort {
  return {
    clear: (ctx, trade) => get().clear(ctx, trade),
    adjustOpenOrders: (...args) => get().adjustOpenOrders(...args),
    clearAuction: (ctx, trade) => get().clearAuction(ctx, trade),
    clearAll: (ctx, trades, moves) => get().clearAll(ctx, trades, moves),
    portAccount: (ctx, from, to) => get().portAccount(ctx, from, to),
    shareFees: (ctx, id, quanta) => get().shareFees(ctx, id, quanta),
    requireInitial: (ctx, id) => get().requireInitial(ctx, id),
    keepHealthy: (ctx, market, change) => get().keepHealthy(ctx, market, change),
    positionLots: (ctx, id, market) => get().positionLots(ctx, id, market),
    exists: (ctx, id) => get().exists(ctx, id),
    openInterestLots: (ctx, market) => get().openInterestLots(ctx, market),
    account: (ctx, id) => get().account(ctx, id),
  };
}

/** Nothing is restricted before it is there. */
export function lateGuard(get: () => GuardKeeper | undefined): ClearingGuard & MarketGuard {
  return {
    restriction: (ctx, market) => get()?.restriction(ctx, market) ?? null,
    initialRaisePpm: (ctx, market) => get()?.initialRaisePpm(ctx, market) ?? 0n,
    withdrawing: (ctx, denom, quanta) => get()?.withdrawing(ctx, denom, quanta),
    deposited: (ctx, denom, quanta) => get()?.deposited(ctx, denom, quanta),
    left: (ctx, denom, quanta) => get()?.left(ctx, denom, quanta),
    room: (ctx, denom) => get()?.room(ctx, denom) ?? null,
  };
}
