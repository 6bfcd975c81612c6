import { equalBytes } from "@keel/proto/bytes/compare";
import type { Invariant } from "../kit/module.ts";
import type { AuthState } from "./state.ts";

/** Every account is found by its number, and no number was given beyond the next one. */
export function numbersMatchAccounts(state: AuthState): Invariant {
  return (ctx) => {
    let violation: string | null = null;
    let accounts = 0;
    const next = state.nextNumber.get(ctx) ?? 0n;
    state.accounts.each(ctx, (address, account) => {
      accounts++;
      if (account.number >= next)
        violation ??= `account number ${account.number} was never given, next is ${next}`;
      const indexed = state.byNumber.get(ctx, account.number);
      if (indexed === undefined) violation ??= `account number ${account.number} is not indexed`;
      else if (!equalBytes(indexed, address))
        violation ??= `account number ${account.number} is indexed for another address`;
    });
    const indexed = state.byNumber.size(ctx);
    if (indexed !== accounts) violation ??= `${accounts} accounts but ${indexed} index entries`;
    return violation;
  };
}
