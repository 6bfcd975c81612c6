/**
 * The composition root: which modules the chain is made of, what each is given, and the three orders. Everything here is an ordinary
 * call in dependency order.
 */
import type { Ante } from "@keel/modules/auth/ante";
import type { AuthKeeper } from "@keel/modules/auth/keeper";
import { createAuth } from "@keel/modules/auth/module";
import type { BankKeeper } from "@keel/modules/bank/keeper";
import { createBank } from "@keel/modules/bank/module";
import type { Addresses } from "@keel/modules/kit/addresses";
import { createAddresses } from "@keel/modules/kit/addresses";
import { Registry } from "@keel/modules/kit/collections/schema";
import type { WriteContext } from "@keel/modules/kit/context";
import type { MessageRoute, ModuleDefinition, QueryRoute } from "@keel/modules/kit/module";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { createOracle } from "@keel/modules/oracle/module";
import type { SignatureVerifier } from "../crypto/verifier.ts";
import { type ChainRecord, createChainRecord } from "./chain-record.ts";
import { createCommitPort } from "./oracle-tx.ts";

/** Every store exists from genesis, so the list is part of the app hash. */
export const storeNames: readonly string[] = ["acc", "bank", "consensus", "oracle"];

export interface Keel {
  readonly registry: Registry;
  readonly addresses: Addresses;
  readonly chain: ChainRecord;
  readonly ante: Ante;
  readonly auth: AuthKeeper;
  readonly bank: BankKeeper;
  readonly oracle: OracleKeeper;
  readonly messages: ReadonlyMap<string, MessageRoute>;
  readonly queries: ReadonlyMap<string, QueryRoute>;
  readonly genesis: readonly ModuleDefinition[];
  readonly beginBlock: readonly ModuleDefinition[];
  readonly endBlock: readonly ModuleDefinition[];
  /** No more matching anywhere and withdrawals gated: the answer to a ledger that no longer adds up. */
  stopClearing(context: WriteContext, reason: string): void;
}

export function createKeel(options: {
  readonly addressPrefix: string;
  readonly verifier: SignatureVerifier;
}): Keel {
  const { verifier } = options;
  const addresses = createAddresses(options.addressPrefix);
  const registry = new Registry();
  const chain = createChainRecord(registry.schema("consensus"));
  const auth = createAuth(registry.schema("acc"), { addresses, moduleAccounts: [] });
  const bank = createBank(registry.schema("bank"), {
    addresses,
    blocked: [],
    accounts: auth.keeper,
  });
  const ante = auth.createAnte({
    bank: bank.keeper,
    verify: (key, signBytes, signature) => verifier.verifySecp256k1(key, signBytes, signature),
  });
  const oracle = createOracle(registry.schema("oracle"), {
    commits: createCommitPort(verifier),
    addresses,
  });

  const genesis = [
    auth.module, // accounts first: everyone else's addresses may be among them
    bank.module, // balances, which others count on
    oracle.module, // feeds, which markets name
  ];
  const beginBlock: ModuleDefinition[] = [];
  const endBlock: ModuleDefinition[] = [];
  return {
    registry,
    addresses,
    chain,
    ante,
    auth: auth.keeper,
    bank: bank.keeper,
    oracle: oracle.keeper,
    messages: indexBy(
      genesis.flatMap((module) => module.messages),
      (route) => route.typeUrl,
    ),
    queries: indexBy(
      genesis.flatMap((module) => module.queries),
      (route) => route.path,
    ),
    genesis,
    beginBlock,
    endBlock,
    stopClearing() {},
  };
}

function indexBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const item of items) {
    if (map.has(keyOf(item))) throw new Error(`${keyOf(item)} is declared twice`);
    map.set(keyOf(item), item);
  }
  return map;
}
