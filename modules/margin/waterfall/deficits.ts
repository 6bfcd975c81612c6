/**
 * The deficit queue: accounts below zero equity at the end of a block, with what is missing. While it grows, or while a member still
 * holds positions, withdrawals are gated for a time; so they are while anyone holds what has no price, since nobody knows what that hides.
 * Later income of the insurance fund pays the oldest first.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { accountIdKey, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { compareBigints } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import { segregated } from "../custody/gates.ts";
import { accountText, emitDeficit, emitWithdrawalsGated } from "../events.ts";
import { maintenanceHealth } from "../health/health.ts";
import { type MarketViews, type ModelledMarkets, marketViews } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { shortfallFloor } from "./attribution.ts";
import { type Losses, LossLedger } from "./losses.ts";

const NS_PER_MS = 1_000_000n;

export interface Deficits {
  /** Pays flat members from the fund, oldest first. */
  recover(ctx: WriteContext): void;
  /** Brings the queue in line with the equity of its members and of `candidates`. */
  refresh(ctx: WriteContext, candidates: readonly AccountId[], views: MarketViews): void;
  gateWithdrawals(ctx: WriteContext, untilNs: bigint, reason: string): void;
  /** Somebody holds lots in a market without a price, which must not happen: what is missing cannot be known. */
  gateUnjudged(ctx: WriteContext): void;
  openGate(ctx: WriteContext): void;
}

export function createDeficits(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly losses: Losses;
  readonly addresses: Addresses;
}): Deficits {
  const { state, markets, losses, addresses } = parts;

  function members(ctx: ReadContext): AccountId[] {
    const out: { readonly id: AccountId; readonly sinceNs: bigint }[] = [];
    state.deficits.each(ctx, (id, deficit) => {
      out.push({ id, sinceNs: deficit.sinceNs });
    });
    out.sort((a, b) => compareBigints(a.sinceNs, b.sinceNs) || (a.id < b.id ? -1 : 1));
    return out.map(({ id }) => id);
  }

  function gateWithdrawals(ctx: WriteContext, untilNs: bigint, reason: string): void {
    const gate = state.gate.get(ctx);
    if (gate !== undefined && gate.untilNs >= untilNs) return;
    state.gate.set(ctx, { untilNs, reason });
    if (gate === undefined || gate.untilNs <= ctx.header.timeNs) {
      emitWithdrawalsGated(ctx, untilNs, reason);
    }
  }

  /** From now, for the time that the parameters say. */
  function gateForAWhile(ctx: WriteContext, reason: string): void {
    const { withdrawalGateMs } = state.params.require(ctx);
    gateWithdrawals(ctx, ctx.header.timeNs + withdrawalGateMs * NS_PER_MS, reason);
  }

  /** Rewrites one entry; returns its shortfall. Null health (a market without price) keeps what is known. */
  function refreshOne(ctx: WriteContext, id: AccountId, views: MarketViews, pending: bigint) {
    const known = state.deficits.get(ctx, id);
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? undefined : maintenanceHealth(account, views);
    const unknown = health === null;
    const equity = health?.equity ?? 0n;
    const shortfall = unknown ? (known?.shortfall ?? 0n) : equity < 0n ? -equity : 0n;
    if (shortfall !== (known?.shortfall ?? 0n)) {
      if (shortfall === 0n) state.deficits.delete(ctx, id);
      else {
        state.deficits.set(ctx, id, {
          owner: addresses.format(ownerOf(id)),
          subaccount: numberOf(id),
          shortfall,
          sinceNs: known?.sinceNs ?? ctx.header.timeNs,
        });
      }
      emitDeficit(ctx, {
        account: accountText(addresses, id),
        shortfall,
        pendingShortfall: pending + shortfall,
      });
    }
    const open = shortfall > 0n && (account?.positions.some((p) => p.lots !== 0n) ?? false);
    return { shortfall, open };
  }

  /** Of a flat account, beyond what its assets count. 0 while it has any that can be sold: these go first (collateral-assets/conversion.ts). */
  function missingOf(account: Account, views: MarketViews): bigint {
    const sellable = account.assets.some(({ denom }) => {
      const view = views.asset?.(denom) ?? null;
      return view?.usable === true && view.maintenancePpm > 0n;
    });
    const equity = maintenanceHealth(account, views)?.equity ?? 0n;
    return sellable || equity > 0n ? 0n : -equity;
  }

  return {
    gateWithdrawals,

    gateUnjudged: (ctx) => gateForAWhile(ctx, "a market without a price is held"),

    openGate(ctx) {
      const gate = state.gate.get(ctx);
      if (gate === undefined || gate.untilNs <= ctx.header.timeNs) return;
      state.gate.set(ctx, { ...gate, untilNs: ctx.header.timeNs });
      emitWithdrawalsGated(ctx, ctx.header.timeNs, "opened by the authority");
    },

    recover(ctx) {
      if (state.deficits.size(ctx) === 0) return;
      const views = marketViews(ctx, markets);
      for (const id of members(ctx)) {
        const account = state.accounts.get(ctx, id);
        if (account === undefined || account.collateral >= 0n) continue;
        if (account.positions.some((position) => position.lots !== 0n)) continue;
        const missing = missingOf(account, views);
        if (missing === 0n) continue;
        const ledger = new LossLedger("queue", missing, losses.known(ctx, id));
        // Others may have lost in a class whose fund has something.
        if (losses.pay(ctx, id, ledger) === 0n) continue;
        ledger.add("queue", -ledger.sum);
        losses.close(ctx, id, ledger, "queue");
      }
    },

    refresh(ctx, candidates, views) {
      const all = new Set<AccountId>([...members(ctx), ...candidates]);
      if (all.size === 0) return;
      let pending = 0n;
      let open = false;
      for (const id of [...all].sort((a, b) =>
        accountIdKey.encode(a) < accountIdKey.encode(b) ? -1 : 1,
      )) {
        const entry = refreshOne(ctx, id, views, pending);
        pending += entry.shortfall;
        open ||= entry.open;
      }
      const totals = state.totals.require(ctx);
      const grew = pending > totals.pendingShortfall;
      if (pending !== totals.pendingShortfall) {
        state.totals.set(ctx, { ...totals, pendingShortfall: pending });
      }
      // Market by market it is custody that gates.
      const counts = pending >= shortfallFloor(ctx, state);
      if (counts && (grew || open) && !segregated(ctx, state)) gateForAWhile(ctx, "deficit");
    },
  };
}
