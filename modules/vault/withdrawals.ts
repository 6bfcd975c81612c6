/** The queue of withdrawals: paid in order of the requests, at the price of their turn, never beyond what is free. */
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { maximum, minimum, mulDivDown } from "../kit/math/mul-div.ts";
import { attempt } from "./attempt.ts";
import { nowMs, setHolder } from "./deposits.ts";
import { emitShort, emitWithdrawn } from "./events.ts";
import type { VaultPorts } from "./ports.ts";
import type { Withdrawal } from "./records.ts";
import { payoutOf, slippageWad } from "./shares.ts";
import { IDLE_ACCOUNT, VAULT_ADDRESS, type VaultState } from "./state.ts";
import type { Valuation, Valuer } from "./valuation.ts";

export interface WithdrawalQueue {
  /** Pays what is due and can be paid, inside the block's bound. */
  process(ctx: WriteContext): void;
}

export function createWithdrawalQueue(
  state: VaultState,
  valuer: Valuer,
  ports: VaultPorts,
  cancelQuotes: (ctx: WriteContext) => void,
): WithdrawalQueue {
  const { addresses, bank, ledger } = ports;

  function first(ctx: ReadContext): Withdrawal | undefined {
    let found: Withdrawal | undefined;
    state.withdrawals.each(ctx, (_id, withdrawal) => {
      found = withdrawal;
      return true;
    });
    return found;
  }

  /** Quanta for `given` shares, each sub-account with its own slippage. */
  function payout(ctx: ReadContext, valuation: Valuation, total: bigint) {
    const terms = valuation.markets
      .filter(({ equity }) => equity > 0n)
      .map((market) => ({
        equity: market.equity,
        slippage: valuer.slippageTerms(ctx, market),
      }));
    return (given: bigint): bigint =>
      terms.reduce(
        (sum, { equity, slippage }) =>
          sum + payoutOf(equity, given, total, slippageWad(slippage, given, total)),
        payoutOf(valuation.idle, given, total, 0n),
      );
  }

  function free(ctx: ReadContext, valuation: Valuation): bigint {
    return valuation.markets.reduce(
      (sum, { account }) => sum + ledger.freeCollateral(ctx, account),
      maximum(valuation.idle, 0n),
    );
  }

  /** Collateral from where it is free, idle first, then by market, into the owner's coins. */
  function pay(ctx: WriteContext, valuation: Valuation, owner: Uint8Array, amount: bigint): void {
    let missing = amount - maximum(valuation.idle, 0n);
    for (const { account, record } of valuation.markets) {
      if (missing <= 0n) break;
      const taken = minimum(missing, ledger.freeCollateral(ctx, account));
      if (taken <= 0n) continue;
      ledger.transfer(ctx, account, IDLE_ACCOUNT, taken);
      const contributed = record.contributed - taken;
      state.markets.set(ctx, record.market, { ...record, contributed });
      missing -= taken;
    }
    if (amount === 0n) return;
    ledger.withdraw(ctx, IDLE_ACCOUNT, amount);
    const { settlementDenom } = ledger.params(ctx);
    bank.transfer(ctx, VAULT_ADDRESS, owner, settlementDenom, amount);
  }

  function record(ctx: WriteContext, withdrawal: Withdrawal, given: bigint): void {
    const { id, owner, shares } = withdrawal;
    const done = given === shares;
    if (done) state.withdrawals.delete(ctx, id);
    else state.withdrawals.set(ctx, id, { ...withdrawal, shares: shares - given });
    const holder = state.holders.get(ctx, owner);
    assert(holder !== undefined, "a withdrawal has no holder");
    setHolder(ctx, state, owner, {
      ...holder,
      queuedShares: holder.queuedShares - given,
      withdrawals: holder.withdrawals - (done ? 1 : 0),
    });
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, {
      ...totals,
      shares: totals.shares - given,
      queuedShares: totals.queuedShares - given,
    });
  }

  /** "short": collateral is missing for the rest. "limited": only time is; the limits on what leaves give it room again. */
  function payOne(ctx: WriteContext, withdrawal: Withdrawal): "full" | "short" | "limited" {
    const { shares: total } = state.totals.require(ctx);
    const valuation = valuer.all(ctx);
    const worth = payout(ctx, valuation, total);
    const { id, owner, shares } = withdrawal;
    let available = free(ctx, valuation);
    if (worth(shares) > available) {
      cancelQuotes(ctx);
      available = free(ctx, valuation);
    }
    const room = ledger.withdrawalRoom(ctx);
    const limited = room !== null && room < available;
    const rest = limited ? "limited" : "short";
    const given = mostWithin(worth, shares, limited ? room : available);
    const amount = worth(given);
    // Shares that round to nothing are not taken for nothing, unless they are all.
    if (given === 0n || (amount === 0n && given < shares)) return rest;
    pay(ctx, valuation, owner, amount);
    record(ctx, withdrawal, given);
    emitWithdrawn(ctx, {
      owner: addresses.format(owner),
      id,
      shares: given,
      amount,
      value: mulDivDown(valuation.equity, given, total),
      remaining: shares - given,
    });
    return given === shares ? "full" : rest;
  }

  function setShort(ctx: WriteContext, short: boolean): void {
    const totals = state.totals.require(ctx);
    if (totals.short === short) return;
    state.totals.set(ctx, { ...totals, short });
    emitShort(ctx, short);
  }

  return {
    process(ctx) {
      const now = nowMs(ctx);
      const head = first(ctx);
      if (head === undefined || head.dueMs > now) return setShort(ctx, false);
      if (!valuer.all(ctx).priced) return;
      const most = state.params.require(ctx).withdrawalsPerBlockMax;
      for (let turn = 0; turn < most; turn++) {
        const next = first(ctx);
        if (next === undefined || next.dueMs > now) break;
        let paid = "limited" as ReturnType<typeof payOne>;
        // Refused: margin's gate is closed, or a market of the vault is quarantined. It keeps its place.
        const refused = attempt(ctx, (inner) => {
          paid = payOne(inner, next);
        });
        if (refused !== null || paid === "limited") return;
        if (paid === "short") return setShort(ctx, true);
      }
      setShort(ctx, false);
    },
  };
}

/** The most shares, at most `shares`, that are worth no more than `available`: by halving. */
export function mostWithin(
  worth: (given: bigint) => bigint,
  shares: bigint,
  available: bigint,
): bigint {
  if (worth(shares) <= available) return shares;
  let enough = 0n;
  let tooMany = shares;
  while (tooMany - enough > 1n) {
    const middle = (enough + tooMany) >> 1n;
    if (worth(middle) <= available) enough = middle;
    else tooMany = middle;
  }
  return enough;
}
