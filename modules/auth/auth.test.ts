import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import {
  QueryAccountsRequest,
  QueryAccountsResponse,
} from "cosmjs-types/cosmos/auth/v1beta1/query";
import { Any } from "cosmjs-types/google/protobuf/any";
import { describe, expect, it } from "vitest";
import { createAddresses, moduleAddress } from "../kit/addresses.ts";
import { canonicalJson } from "../kit/canonical-json.ts";
import { keyToBytes, rawBytesKey, u64Key } from "../kit/collections/codecs.ts";
import { Registry } from "../kit/collections/schema.ts";
import { ModuleError } from "../kit/errors.ts";
import { testContext } from "../kit/testing/context.ts";
import { createAuth } from "./module.ts";
import { encodeKey, keyAddress, SECP256K1 } from "./public-keys.ts";
import { authState, int64Key, nonceKey } from "./state.ts";
import type { SignedTx } from "./tx.ts";
import { decodeTx } from "./tx.ts";
import { ModuleAccount } from "./types.ts";
import { eachRecord, keepNonces, useNonces, writeRecord } from "./unordered.ts";

const addresses = createAddresses("cosmos");
const alice = new Uint8Array(20).fill(1);
const bob = new Uint8Array(20).fill(2);

function setUp(genesis: unknown) {
  const registry = new Registry();
  const auth = createAuth(registry.schema("acc"), {
    addresses,
    moduleAccounts: [{ name: "vault", permissions: ["minter"] }],
  });
  const ctx = testContext(registry);
  if (auth.module.genesis.kind !== "json") throw new Error("auth genesis is JSON");
  auth.module.genesis.init(ctx, genesis);
  /** A record written past the keeper: what a bug or a damaged disk would leave. */
  const tamper = (name: string, key: string, value: unknown): void => {
    const info = registry.collections.find((one) => one.name === name);
    if (info === undefined) throw new Error(`no collection ${name}`);
    if (value === undefined) ctx.state.delete(info.id, key);
    else ctx.state.set(info.id, key, info.hold(value));
  };
  const stored = (name: string): Map<string, unknown> => {
    const info = registry.collections.find((one) => one.name === name);
    const out = new Map<string, unknown>();
    for (const { key, value } of ctx.state.dirty().get(info?.id ?? -1) ?? [])
      if (info !== undefined && value !== undefined)
        out.set(
          bytesToHexLower(keyToBytes((info.prefix ?? "") + key)),
          bytesToHexLower(keyToBytes(info.encode(value))),
        );
    return out;
  };
  return { auth, ctx, stored, tamper };
}

const base = (address: Uint8Array, number: string) => ({
  "@type": "/cosmos.auth.v1beta1.BaseAccount",
  address: addresses.format(address),
  pub_key: null,
  account_number: number,
  sequence: "0",
});

describe("accounts", () => {
  it("lie under the SDK's keys with the SDK's values", () => {
    const { stored, auth, ctx } = setUp({ accounts: [base(alice, "0")] });
    const key = `01${"01".repeat(20)}`;
    const value = Any.decode(hexToBytes(stored("accounts").get(key) as string));
    expect(value.typeUrl).toBe("/cosmos.auth.v1beta1.BaseAccount");
    expect(value.value[0]).toBe(0x0a);
    expect(
      stored("account_by_number").get(
        `${bytesToHexLower(new TextEncoder().encode("accountNumber"))}0000000000000000`,
      ),
    ).toBe("01".repeat(20));
    // Alice, the fee collector, the vault: three numbers are given.
    expect([...stored("global_account_number").values()]).toEqual(["0000000000000003"]);
    const vault = Any.decode(
      hexToBytes(stored("accounts").get(`01${bytesToHexLower(moduleAddress("vault"))}`) as string),
    );
    expect(vault.typeUrl).toBe("/cosmos.auth.v1beta1.ModuleAccount");
    expect(ModuleAccount.decode(vault.value)).toMatchObject({
      name: "vault",
      permissions: ["minter"],
    });
    expect(auth.module.invariants.full["numbers-match-accounts"]?.(ctx)).toBeNull();
    expect(bytesToHexLower(keyToBytes(int64Key.encode(1n)))).toBe("8000000000000001");
    expect(bytesToHexLower(keyToBytes(int64Key.encode(-1n)))).toBe("7fffffffffffffff");
  });

  it("with the same genesis number get the lowest free ones, the first keeps its own", () => {
    const carol = new Uint8Array(20).fill(3);
    const { auth, ctx } = setUp({ accounts: [base(alice, "1"), base(bob, "1"), base(carol, "0")] });
    const numbers = [alice, bob, carol].map((one) => auth.keeper.account(ctx, one)?.number);
    expect(numbers).toEqual([1n, 2n, 0n]);
  });

  it("and their index that do not fit are told apart by the invariant", () => {
    const numbered = { accounts: [base(alice, "0"), base(bob, "1")] };
    const violationAfter = (change: (damage: ReturnType<typeof setUp>) => void): string | null => {
      const damage = setUp(numbered);
      change(damage);
      return damage.auth.module.invariants.full["numbers-match-accounts"]?.(damage.ctx) ?? null;
    };
    expect(violationAfter(() => undefined)).toBeNull();
    expect(violationAfter(({ tamper }) => tamper("global_account_number", "", 1n))).toMatch(
      /^account number [123] was never given, next is 1$/,
    );
    expect(
      violationAfter(({ tamper }) => tamper("account_by_number", u64Key.encode(1n), undefined)),
    ).toBe("account number 1 is not indexed");
    expect(
      violationAfter(({ tamper }) => tamper("account_by_number", u64Key.encode(0n), bob)),
    ).toBe("account number 0 is indexed for another address");
    expect(
      violationAfter(({ tamper }) => tamper("accounts", rawBytesKey.encode(bob), undefined)),
    ).toBe("3 accounts but 4 index entries");
  });

  it("are refused in genesis when given twice, of another chain or with a bad key", () => {
    expect(() => setUp({ accounts: [base(alice, "0"), base(alice, "1")] })).toThrow(
      "each address once",
    );
    expect(() => setUp({ accounts: [{ ...base(alice, "0"), address: "keel1xyz" }] })).toThrow(
      "accounts[0].address",
    );
    const badKey = { "@type": SECP256K1, key: "AAAA" };
    expect(() => setUp({ accounts: [{ ...base(alice, "0"), pub_key: badKey }] })).toThrow(
      "pub_key",
    );
  });

  it("come back from an export with every kind of key, and so do nonces of unordered transactions", () => {
    const single = { kind: "secp256k1", bytes: new Uint8Array(33).fill(2) } as const;
    const edwards = { kind: "ed25519", bytes: new Uint8Array(32).fill(3) } as const;
    const pair = { kind: "multisig", threshold: 2, keys: [single, single] } as const;
    const set = { kind: "multisig", threshold: 1, keys: [pair, single] } as const;
    const keys = [single, edwards, set].map(encodeKey);
    const before = setUp({
      accounts: keys.map((_, i) => base(new Uint8Array(20).fill(i), `${i}`)),
      unordered_nonces: [{ timeout_ns: "1790000000000000001", address: addresses.format(bob) }],
    });
    keys.forEach((publicKey, i) => {
      const account = before.auth.keeper.account(before.ctx, new Uint8Array(20).fill(i))!;
      before.auth.keeper.update(before.ctx, { ...account, publicKey });
    });
    const text = JSON.stringify(before.auth.module.genesis.export(before.ctx));
    const after = setUp(JSON.parse(text));
    for (const name of ["accounts", "account_by_number", "global_account_number"])
      expect(after.stored(name), name).toEqual(before.stored(name));
    expect(after.stored("unordered_blocks")).toEqual(before.stored("unordered_blocks"));
    expect(after.stored("unordered_blocks").size).toBe(1);
    const bad = {
      "@type": "/cosmos.crypto.multisig.LegacyAminoPubKey",
      threshold: 3,
      public_keys: [],
    };
    expect(() => setUp({ accounts: [{ ...base(alice, "0"), pub_key: bad }] })).toThrow("pub_key");
    const late = { timeout_ns: `${1n << 63n}`, address: addresses.format(bob) };
    expect(() => setUp({ accounts: [], unordered_nonces: [late] })).toThrow("unordered_nonces[0]");
    const twice = { timeout_ns: "5", address: addresses.format(bob), height: "7" };
    expect(() => setUp({ accounts: [], unordered_nonces: [twice, twice] })).toThrow("ascending");
  });

  it("give nonces that none of the chain's own blocks takes the place of, be it at the same height again", () => {
    const registry = new Registry();
    const schema = registry.schema("acc");
    const state = authState(schema, addresses);
    const ctx = testContext(registry);
    const timeout = ctx.header.timeNs + 1_000_000_000n;
    const place = [BigInt(ctx.header.height), 0n] as const;
    writeRecord(ctx, state, place, [nonceKey.encode([timeout, alice])]);
    const tx = { timeoutTimestampNs: timeout, signers: [bob] } as unknown as SignedTx;
    useNonces(ctx, state, tx);
    keepNonces(ctx, state);
    const kept: Uint8Array[] = [];
    eachRecord(ctx, state, ({ nonces }) => {
      for (const [, signer] of nonces) kept.push(signer);
    });
    expect(kept).toEqual([alice, bob]);
  });

  it("are paged through by address", () => {
    const { auth, ctx } = setUp({ accounts: [base(bob, "0"), base(alice, "1")] });
    const route = auth.module.queries.find(({ path }) => path.endsWith("/Accounts"));
    const ask = (key: Uint8Array) =>
      QueryAccountsResponse.decode(
        route?.handle(
          ctx,
          QueryAccountsRequest.encode(
            QueryAccountsRequest.fromPartial({ pagination: { key, limit: 3n } }),
          ).finish(),
        ) as Uint8Array,
      );
    const first = ask(new Uint8Array(0));
    expect(first.accounts).toHaveLength(3);
    expect(ask(first.pagination?.nextKey as Uint8Array).accounts).toHaveLength(1);
  });

  it("derive their address from the key as published", () => {
    // The key of the generator point and its well-known hash.
    const raw = hexToBytes("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    expect(bytesToHexLower(keyAddress({ kind: "secp256k1", bytes: raw }))).toBe(
      "751e76e8199196d454941c45d1b3a323f1433bd6",
    );
  });
});

describe("decoding a transaction", () => {
  const refusal = (hex: string): string => {
    try {
      decodeTx(hexToBytes(hex));
    } catch (error) {
      expect(error).toBeInstanceOf(ModuleError);
      expect((error as ModuleError).code).toBe(2);
      return (error as Error).message;
    }
    return "accepted";
  };

  it("refuses unknown critical fields, tolerates non-critical ones in the body", () => {
    expect(refusal("0a030a010a")).not.toBe("accepted");
    // Body field 6 (critical) and field 1030 (bit 11 set: non-critical).
    expect(refusal("0a02300112001a00")).toContain(
      'errUnknownField "/cosmos.tx.v1beta1.TxBody": {TagNum: 6}',
    );
    expect(refusal("0a03b0400112001a00")).toBe("accepted");
    // The same number in the auth info and in the wrapper.
    expect(refusal("0a001203b040011a00")).toContain("AuthInfo");
    expect(refusal("0a0012001a002001")).toContain("TxRaw");
  });

  it("refuses fields out of order or twice in the wrapper, long varints and cut-off bytes", () => {
    expect(refusal("12000a00")).toContain("ascending");
    expect(refusal("0a000a001200")).toContain("twice");
    expect(refusal("0a8000")).toContain("shortest");
    expect(refusal("0a05")).toContain("EOF");
    expect(refusal("0a0412020aff")).toContain("UTF-8");
    expect(refusal("08011200")).toContain("wire type");
  });
});

it("canonical JSON orders keys at every level and escapes as Go does", () => {
  expect(canonicalJson({ b: [{ d: "<&>", c: "1" }], a: null })).toBe(
    '{"a":null,"b":[{"c":"1","d":"\\u003c\\u0026\\u003e"}]}',
  );
});
