/** An account as the state machine sees it, and its bytes in store `acc`: an Any of BaseAccount or ModuleAccount, as SDK 0.50 stores it. */
import type { Addresses } from "../kit/addresses.ts";
import type { ValueCodec } from "../kit/collections/codecs.ts";
import { assert } from "../kit/errors.ts";
import { Any, BaseAccount, ModuleAccount } from "./types.ts";

/** A public key as transactions and accounts carry it. */
export interface PublicKey {
  readonly typeUrl: string;
  /** The encoded key message. */
  readonly value: Uint8Array;
}

export interface Account {
  readonly address: Uint8Array;
  /** Null until the account first signs. */
  readonly publicKey: PublicKey | null;
  readonly number: bigint;
  readonly sequence: bigint;
  /** Set for accounts of modules, which nobody signs for. */
  readonly module: { readonly name: string; readonly permissions: readonly string[] } | null;
}

const BASE = "/cosmos.auth.v1beta1.BaseAccount";
const MODULE = "/cosmos.auth.v1beta1.ModuleAccount";

export function accountToAny(account: Account, addresses: Addresses): Any {
  const base = BaseAccount.fromPartial({
    address: addresses.format(account.address),
    accountNumber: account.number,
    sequence: account.sequence,
    ...(account.publicKey === null ? {} : { pubKey: account.publicKey }),
  });
  if (account.module === null) return { typeUrl: BASE, value: BaseAccount.encode(base).finish() };
  const module = ModuleAccount.fromPartial({
    baseAccount: base,
    name: account.module.name,
    permissions: [...account.module.permissions],
  });
  return { typeUrl: MODULE, value: ModuleAccount.encode(module).finish() };
}

export function accountFromAny(any: Any, addresses: Addresses): Account {
  if (any.typeUrl === BASE) return fromBase(BaseAccount.decode(any.value), null, addresses);
  assert(any.typeUrl === MODULE, `expected a base or module account, got ${any.typeUrl}`);
  const { baseAccount, name, permissions } = ModuleAccount.decode(any.value);
  assert(baseAccount !== undefined, `module account ${name} without its base account`);
  return fromBase(baseAccount, { name, permissions }, addresses);
}

function fromBase(base: BaseAccount, module: Account["module"], addresses: Addresses): Account {
  return {
    address: addresses.parse(base.address),
    publicKey: base.pubKey === undefined ? null : base.pubKey,
    number: base.accountNumber,
    sequence: base.sequence,
    module,
  };
}

export function accountValue(addresses: Addresses): ValueCodec<Account> {
  return {
    encode: (account) => Any.encode(accountToAny(account, addresses)).finish(),
    decode: (bytes) => accountFromAny(Any.decode(bytes), addresses),
  };
}
