/**
 * Names of accounts, remembered: a busy account's text, owner and key are asked for several times per order, and making a key or
 * bech32 text costs more than matching. Pure functions, so remembering changes nothing but speed; emptied when full.
 */
import { type AccountId, accountId, numberOf, ownerOf } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";

const MEMO_MAX = 65_536;

export interface Accounts {
  /** Sub-account `number` of the owner with this address; throws ModuleError on a wrong address. */
  of(owner: string, number: number): AccountId;
  /** "keel1…/0" */
  text(account: AccountId): string;
  /** The owner's 20 raw bytes. Shared: never to be written to. */
  owner(account: AccountId): Uint8Array;
}

interface Names {
  readonly text: string;
  readonly owner: Uint8Array;
}

export function createAccounts(addresses: Addresses): Accounts {
  const firsts = new Map<string, AccountId>();
  const others = new Map<string, AccountId>();
  const names = new Map<AccountId, Names>();

  function namesOf(account: AccountId): Names {
    let known = names.get(account);
    if (known === undefined) {
      const owner = ownerOf(account);
      known = { owner, text: `${addresses.format(owner)}/${numberOf(account)}` };
      if (names.size >= MEMO_MAX) names.clear();
      names.set(account, known);
    }
    return known;
  }

  return {
    of(owner, number) {
      // Sub-account 0 is the common one: its address alone is the key. Apart from the others, or what `owner` says could name one of them,
      // and whether it is refused would depend on what this node was asked before.
      const ids = number === 0 ? firsts : others;
      const key = number === 0 ? owner : `${owner}/${number}`;
      let id = ids.get(key);
      if (id === undefined) {
        id = accountId(addresses.parse(owner), number);
        if (ids.size >= MEMO_MAX) ids.clear();
        ids.set(key, id);
      }
      return id;
    },
    text: (account) => namesOf(account).text,
    owner: (account) => namesOf(account).owner,
  };
}
