import type { Invariant } from "../kit/module.ts";
import type { AuthState } from "./state.ts";

/** Every account is found by its number, and no number was given beyond the next one. */
export function numbersMatchAccounts(state: AuthState): Invariant {
  return (ctx) => {
    let violation: string | null = null;
    let accounts = 0;
    const next = state.nextNumber.get(ctx) ?? 0n;
    state.accounts.each(ctx, (_address, account) => {
      accounts++;
      if (account.number >= next)
        violation ??= `account number ${account.number} was never given, next is ${next}`;
      if (state.byNumber.get(ctx, account.number) === undefined)
        violation ??= `account number ${account.number} is not indexed`;
    });
    const indexed = state.byNumber.size(ctx);
    if (indexed !== accounts) violation ??= `${accounts} accounts but ${indexed} index entries`;
    return violation;
  };
}
