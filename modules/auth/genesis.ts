/** The SDK's auth genesis: {params, accounts[Any as JSON with @type]}, and the nonces of unordered transactions. */
import type { Addresses } from "../kit/addresses.ts";
import { moduleAddress } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";
import type { JsonObject } from "../kit/json.ts";
import { asObject, GenesisError, readArray, readString, readUint } from "../kit/json.ts";
import type { GenesisHooks } from "../kit/module.ts";
import type { Account } from "./account.ts";
import type { AuthKeeper } from "./keeper.ts";
import { keyFromJson, keyToJson } from "./key-json.ts";
import { NONCES_PER_RECORD } from "./limits.ts";
import { type AuthState, nonceKey } from "./state.ts";
import { Params } from "./types.ts";
import { eachRecord, type RecordPlace, restoreNonces, writeRecord } from "./unordered.ts";

const BASE = "/cosmos.auth.v1beta1.BaseAccount";
const MODULE = "/cosmos.auth.v1beta1.ModuleAccount";

/** `modules` get their accounts after the genesis document's, in the order given. */
export function authGenesis(
  state: AuthState,
  keeper: AuthKeeper,
  addresses: Addresses,
  modules: readonly { readonly name: string; readonly permissions: readonly string[] }[],
): GenesisHooks {
  return {
    kind: "json",
    init(ctx, json) {
      const root = asObject(json, "auth");
      state.params.set(ctx, paramsFromJson(asObject(root["params"] ?? {}, "auth.params")));
      const accounts = readArray(root, "accounts", "auth").map((entry, i) =>
        accountFromJson(asObject(entry, `auth.accounts[${i}]`), `auth.accounts[${i}]`, addresses),
      );
      loadAccounts(ctx, state, addresses, accounts);
      loadNonces(ctx, state, addresses, readArray(root, "unordered_nonces", "auth"));
      for (const module of modules) keeper.ensureModule(ctx, moduleAddress(module.name), module);
    },
    export(ctx) {
      const params = state.params.require(ctx);
      const accounts: Account[] = [];
      state.byNumber.each(ctx, (_number, address) => {
        const account = state.accounts.get(ctx, address);
        if (account !== undefined) accounts.push(account);
      });
      const nonces: unknown[] = [];
      eachRecord(ctx, state, ({ place: [height, number], nonces: used }) => {
        const place = { height: height.toString(), record: number.toString() };
        for (const [timeoutNs, address] of used)
          nonces.push({
            timeout_ns: timeoutNs.toString(),
            address: addresses.format(address),
            ...place,
          });
      });
      return {
        params: {
          max_memo_characters: params.maxMemoCharacters.toString(),
          tx_sig_limit: params.txSigLimit.toString(),
          tx_size_cost_per_byte: params.txSizeCostPerByte.toString(),
          sig_verify_cost_ed25519: params.sigVerifyCostEd25519.toString(),
          sig_verify_cost_secp256k1: params.sigVerifyCostSecp256k1.toString(),
        },
        accounts: accounts.map((account) => accountToJson(account, addresses)),
        // Ours, beside the SDK's members: without them what was sent unordered could be sent again after an export.
        ...(nonces.length === 0 ? {} : { unordered_nonces: nonces }),
      };
    },
  };
}

function paramsFromJson(json: JsonObject): Params {
  const read = (key: string, fallback: bigint): bigint =>
    readUint(json, key, "auth.params", fallback);
  return Params.fromPartial({
    maxMemoCharacters: read("max_memo_characters", 256n),
    txSigLimit: read("tx_sig_limit", 7n),
    txSizeCostPerByte: read("tx_size_cost_per_byte", 10n),
    sigVerifyCostEd25519: read("sig_verify_cost_ed25519", 590n),
    sigVerifyCostSecp256k1: read("sig_verify_cost_secp256k1", 1000n),
  });
}

function accountFromJson(json: JsonObject, path: string, addresses: Addresses): Account {
  const type = readString(json, "@type", path);
  if (type !== BASE && type !== MODULE)
    throw new GenesisError(`${path}.@type`, `${BASE} or ${MODULE}`, type);
  const base = type === BASE ? json : asObject(json["base_account"], `${path}.base_account`);
  const text = readString(base, "address", path);
  return {
    address: parseAddress(text, `${path}.address`, addresses),
    publicKey: keyFromJson(base["pub_key"], `${path}.pub_key`),
    number: readUint(base, "account_number", path, 0n),
    sequence: readUint(base, "sequence", path, 0n),
    module:
      type === BASE
        ? null
        : {
            name: readString(json, "name", path),
            permissions: readArray(json, "permissions", path).map(String),
          },
  };
}

function parseAddress(text: string, path: string, addresses: Addresses): Uint8Array {
  try {
    return addresses.parse(text);
  } catch {
    throw new GenesisError(path, `an address with prefix ${addresses.prefix}`, text);
  }
}

function accountToJson(account: Account, addresses: Addresses): unknown {
  const base = {
    address: addresses.format(account.address),
    pub_key: keyToJson(account.publicKey),
    account_number: account.number.toString(),
    sequence: account.sequence.toString(),
  };
  if (account.module === null) return { "@type": BASE, ...base };
  return { "@type": MODULE, base_account: base, ...account.module };
}

function loadNonces(
  ctx: WriteContext,
  state: AuthState,
  addresses: Addresses,
  entries: readonly unknown[],
): void {
  const records = new Map<string, { readonly place: RecordPlace; readonly nonces: string[] }>();
  entries.forEach((entry, i) => {
    const path = `auth.unordered_nonces[${i}]`;
    const json = asObject(entry, path);
    const address = parseAddress(readString(json, "address", path), `${path}.address`, addresses);
    const timeoutNs = readUint(json, "timeout_ns", path);
    if (timeoutNs >= 1n << 63n) throw new GenesisError(path, "a time in 63 bits", entry);
    const place = [readUint(json, "height", path, 0n), readUint(json, "record", path, 0n)] as const;
    const name = place.join("/");
    const record = records.get(name) ?? { place, nonces: [] };
    const last = record.nonces[record.nonces.length - 1];
    const nonce = nonceKey.encode([timeoutNs, address]);
    if (last !== undefined && last >= nonce)
      throw new GenesisError(path, "ascending order within a record, each once", entry);
    if (record.nonces.push(nonce) > NONCES_PER_RECORD)
      throw new GenesisError(path, `at most ${NONCES_PER_RECORD} in a record`, entry);
    records.set(name, record);
  });
  for (const { place, nonces } of records.values()) writeRecord(ctx, state, place, nonces);
  restoreNonces(ctx, state);
}

/** Numbers given twice are replaced by the lowest unused ones, as the SDK does; most documents give 0 to all. */
function loadAccounts(
  ctx: WriteContext,
  state: AuthState,
  addresses: Addresses,
  accounts: readonly Account[],
): void {
  const used = new Set<bigint>();
  const addressesSeen = new Set<string>();
  const placed: Account[] = [];
  const duplicates: Account[] = [];
  for (const account of accounts) {
    const text = addresses.format(account.address);
    if (addressesSeen.has(text)) throw new GenesisError("auth.accounts", "each address once", text);
    addressesSeen.add(text);
    if (used.has(account.number)) duplicates.push(account);
    else {
      used.add(account.number);
      placed.push(account);
    }
  }
  let free = 0n;
  for (const account of duplicates) {
    while (used.has(free)) free++;
    used.add(free);
    placed.push({ ...account, number: free });
  }
  let next = 0n;
  for (const account of placed) {
    if (account.number >= next) next = account.number + 1n;
    state.byNumber.set(ctx, account.number, account.address);
    state.accounts.set(ctx, account.address, account);
  }
  state.nextNumber.set(ctx, next);
}
