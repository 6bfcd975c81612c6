/** Balances and supply. Every coin that moves goes through here, with the SDK's events. */
import type { Addresses } from "../kit/addresses.ts";
import { bytesToKey, prefixedBytesKey } from "../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { Amount } from "./coins.ts";
import { formatCoins } from "./coins.ts";
import type { BankState } from "./state.ts";

export interface BankKeeper {
  balance(ctx: ReadContext, owner: Uint8Array, denom: string): bigint;
  /** All non-zero balances, by ascending denom. */
  balances(ctx: ReadContext, owner: Uint8Array): Amount[];
  supply(ctx: ReadContext, denom: string): bigint;
  /** Throws sdk 5 when `from` has too little; nothing is changed then. */
  send(ctx: WriteContext, from: Uint8Array, to: Uint8Array, coins: readonly Amount[]): void;
  transfer(
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    denom: string,
    amount: bigint,
  ): void;
  /** Out of nothing, into `to`; supply grows. Only for genesis and modules. */
  mint(ctx: WriteContext, to: Uint8Array, coin: Amount): void;
  burn(ctx: WriteContext, from: Uint8Array, coin: Amount): void;
  /** Addresses that users may not send to (module accounts). */
  isBlocked(address: Uint8Array): boolean;
}

/** What bank needs of auth: whoever receives coins has an account from then on. */
export interface AccountsPort {
  ensure(ctx: WriteContext, address: Uint8Array): void;
}

export interface BankOptions {
  readonly addresses: Addresses;
  /** Module accounts that users may not send to. */
  readonly blocked: readonly Uint8Array[];
  readonly accounts: AccountsPort;
}

export function createBankKeeper(state: BankState, options: BankOptions): BankKeeper {
  const blocked = new Set(options.blocked.map(bytesToKey));
  const { addresses } = options;

  const setBalance = (
    ctx: WriteContext,
    owner: Uint8Array,
    denom: string,
    before: bigint,
    after: bigint,
  ): void => {
    if (after === 0n) {
      state.balances.delete(ctx, [owner, denom]);
      state.holders.delete(ctx, [denom, owner]);
      return;
    }
    state.balances.set(ctx, [owner, denom], after);
    if (before === 0n) state.holders.set(ctx, [denom, owner], true);
  };

  const balance = (ctx: ReadContext, owner: Uint8Array, denom: string): bigint =>
    state.balances.get(ctx, [owner, denom]) ?? 0n;

  const subtract = (ctx: WriteContext, owner: Uint8Array, coins: readonly Amount[]): void => {
    for (const { denom, amount } of coins) {
      const before = balance(ctx, owner, denom);
      if (before < amount) {
        throw sdkError(
          "insufficientFunds",
          `spendable balance ${before}${denom} is smaller than ${amount}${denom}`,
        );
      }
      setBalance(ctx, owner, denom, before, before - amount);
    }
    ctx.emit("coin_spent", { spender: addresses.format(owner), amount: formatCoins(coins) });
  };

  const add = (ctx: WriteContext, owner: Uint8Array, coins: readonly Amount[]): void => {
    for (const { denom, amount } of coins) {
      const before = balance(ctx, owner, denom);
      setBalance(ctx, owner, denom, before, before + amount);
    }
    ctx.emit("coin_received", { receiver: addresses.format(owner), amount: formatCoins(coins) });
  };

  const send = (
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    coins: readonly Amount[],
  ): void => {
    assert(
      coins.every((coin) => coin.amount > 0n),
      "a transfer needs positive amounts",
    );
    for (const { denom, amount } of coins) {
      const held = balance(ctx, from, denom);
      if (held < amount) {
        throw sdkError(
          "insufficientFunds",
          `spendable balance ${held}${denom} is smaller than ${amount}${denom}`,
        );
      }
    }
    subtract(ctx, from, coins);
    add(ctx, to, coins);
    options.accounts.ensure(ctx, to);
    const sender = addresses.format(from);
    ctx.emit("transfer", { recipient: addresses.format(to), sender, amount: formatCoins(coins) });
    ctx.emit("message", { sender });
  };

  return {
    balance,
    balances(ctx, owner) {
      const out: Amount[] = [];
      state.balances.eachWithPrefix(ctx, prefixedBytesKey.encode(owner), ([, denom], amount) => {
        out.push({ denom, amount });
      });
      return out;
    },
    supply: (ctx, denom) => state.supply.get(ctx, denom) ?? 0n,
    send,
    transfer(ctx, from, to, denom, amount) {
      if (amount > 0n) send(ctx, from, to, [{ denom, amount }]);
      else assert(amount === 0n, `a transfer needs an amount ≥ 0, got ${amount}`);
    },
    mint(ctx, to, coin) {
      assert(coin.amount > 0n, `mint needs a positive amount, got ${coin.amount}`);
      state.supply.set(ctx, coin.denom, (state.supply.get(ctx, coin.denom) ?? 0n) + coin.amount);
      ctx.emit("coinbase", { minter: addresses.format(to), amount: formatCoins([coin]) });
      add(ctx, to, [coin]);
      options.accounts.ensure(ctx, to);
    },
    burn(ctx, from, coin) {
      assert(coin.amount > 0n, `burn needs a positive amount, got ${coin.amount}`);
      subtract(ctx, from, [coin]);
      const left = (state.supply.get(ctx, coin.denom) ?? 0n) - coin.amount;
      assert(left >= 0n, `supply of ${coin.denom} below zero`);
      if (left === 0n) state.supply.delete(ctx, coin.denom);
      else state.supply.set(ctx, coin.denom, left);
      ctx.emit("burn", { burner: addresses.format(from), amount: formatCoins([coin]) });
    },
    isBlocked: (address) => blocked.has(bytesToKey(address)),
  };
}
