/** Accounts: creation, lookup, sequences. */
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import { addressOfKey } from "../kit/key-address.ts";
import type { KeyKind } from "../kit/signature.ts";
import type { Account } from "./account.ts";
import { encodeKey } from "./public-keys.ts";
import type { AuthState } from "./state.ts";
import type { Params } from "./types.ts";

export interface AuthKeeper {
  params(ctx: ReadContext): Params;
  account(ctx: ReadContext, address: Uint8Array): Account | undefined;
  /** Stores a changed account. Its number never changes. */
  update(ctx: WriteContext, account: Account): void;
  /** Creates the account under the next number unless it exists. */
  ensure(ctx: WriteContext, address: Uint8Array): void;
  ensureModule(
    ctx: WriteContext,
    address: Uint8Array,
    module: NonNullable<Account["module"]>,
  ): void;
  /** An account that this key can sign for. An ed25519 key is stored with it, which is the one way such a key may sign at all. */
  ensureKey(ctx: WriteContext, kind: KeyKind, key: Uint8Array): void;
}

export function createAuthKeeper(state: AuthState): AuthKeeper {
  const create = (ctx: WriteContext, address: Uint8Array, module: Account["module"]): void => {
    const number = state.nextNumber.get(ctx) ?? 0n;
    state.nextNumber.set(ctx, number + 1n);
    state.byNumber.set(ctx, number, address);
    state.accounts.set(ctx, address, { address, publicKey: null, number, sequence: 0n, module });
  };
  const ensure = (ctx: WriteContext, address: Uint8Array): void => {
    if (!state.accounts.has(ctx, address)) create(ctx, address, null);
  };
  return {
    params: (ctx) => state.params.require(ctx),
    account: (ctx, address) => state.accounts.get(ctx, address),
    update(ctx, account) {
      assert(account.address.length === 20, "expected a 20-byte account address");
      state.accounts.set(ctx, account.address, account);
    },
    ensure,
    ensureModule(ctx, address, module) {
      const existing = state.accounts.get(ctx, address);
      if (existing === undefined) create(ctx, address, module);
      else assert(existing.module !== null, `${module.name}: its address is a user's account`);
    },
    ensureKey(ctx, kind, key) {
      const address = addressOfKey(kind, key);
      ensure(ctx, address);
      const account = state.accounts.get(ctx, address);
      assert(account !== undefined && account.module === null, "a key's account is a user's");
      if (kind !== "ed25519" || account.publicKey !== null) return;
      state.accounts.set(ctx, address, { ...account, publicKey: encodeKey({ kind, bytes: key }) });
    },
  };
}
