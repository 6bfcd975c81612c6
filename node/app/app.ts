/**
 * The composition root: which modules the chain is made of, what each is given, and the three orders. Everything here is an ordinary
 * call in dependency order.
 */
import type { Ante } from "@keel/modules/auth/ante";
import { FEE_COLLECTOR } from "@keel/modules/auth/ante";
import type { AuthKeeper } from "@keel/modules/auth/keeper";
import { createAuth } from "@keel/modules/auth/module";
import type { BankKeeper } from "@keel/modules/bank/keeper";
import { createBank } from "@keel/modules/bank/module";
import { BOND_VAULT } from "@keel/modules/derivatives/listing/bonds";
import { createDerivatives, type Derivatives } from "@keel/modules/derivatives/module";
import type { GuardPort as MarketGuard } from "@keel/modules/derivatives/ports";
import type { GuardKeeper } from "@keel/modules/guard/keeper";
import { createGuard } from "@keel/modules/guard/module";
import { createInsurance } from "@keel/modules/insurance/module";
import type { InventoryPort, ShortfallPort } from "@keel/modules/insurance/ports";
import type { Addresses } from "@keel/modules/kit/addresses";
import { createAddresses, moduleAddress } from "@keel/modules/kit/addresses";
import { Registry } from "@keel/modules/kit/collections/schema";
import type { WriteContext } from "@keel/modules/kit/context";
import type { MessageRoute, ModuleDefinition, QueryRoute } from "@keel/modules/kit/module";
import type { VerifySignature } from "@keel/modules/kit/signature";
import type { MarginKeeper } from "@keel/modules/margin/keeper";
import { createMargin, type Margin } from "@keel/modules/margin/module";
import type {
  BackstopPort,
  GuardPort as ClearingGuard,
  MarketsPort,
} from "@keel/modules/margin/ports";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { createOracle } from "@keel/modules/oracle/module";
import type { AccountsPort } from "@keel/modules/oracle/ports";
import type { VaultKeeper } from "@keel/modules/vault/keeper";
import { createVault } from "@keel/modules/vault/module";
import { VAULT_ADDRESS } from "@keel/modules/vault/state";
import type { SignatureVerifier } from "../crypto/verifier.ts";
import { type ChainRecord, createChainRecord } from "./chain-record.ts";
import { createCommitPort } from "./oracle-tx.ts";

/** Every store exists from genesis, so the list is part of the app hash. */
export const storeNames: readonly string[] = [
  "acc",
  "bank",
  "consensus",
  "derivatives",
  "guard",
  "insurance",
  "margin",
  "oracle",
  "vault",
];

/** Far enough to need a decision of people: withdrawals stay gated this long after the ledger was found broken. */
const STOPPED_GATE_NS = 7n * 86_400n * 1_000_000_000n;

export interface Keel {
  readonly registry: Registry;
  readonly addresses: Addresses;
  readonly chain: ChainRecord;
  readonly ante: Ante;
  readonly auth: AuthKeeper;
  readonly bank: BankKeeper;
  readonly oracle: OracleKeeper;
  readonly margin: MarginKeeper;
  readonly derivatives: Derivatives["keeper"];
  readonly vault: VaultKeeper;
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
  const verify: VerifySignature = ({ kind, key, message, signature }) =>
    kind === "secp256k1"
      ? verifier.verifySecp256k1(key, message, signature)
      : verifier.verifyEd25519(key, message, signature);
  const addresses = createAddresses(options.addressPrefix);
  const registry = new Registry();
  const chain = createChainRecord(registry.schema("consensus"));
  const auth = createAuth(registry.schema("acc"), {
    addresses,
    moduleAccounts: [
      { name: "margin", permissions: [] },
      { name: "vault", permissions: [] },
    ],
  });
  const bank = createBank(registry.schema("bank"), {
    addresses,
    blocked: [moduleAddress(FEE_COLLECTOR), COLLATERAL_VAULT, BOND_VAULT, VAULT_ADDRESS],
    accounts: auth.keeper,
  });
  const ante = auth.createAnte({
    bank: bank.keeper,
    verify,
  });
  // Whom terms of feeds would close, and who is owed by the funds, is known to margin, which is built later.
  let clearing: Margin["keeper"] | null = null;
  const oracle = createOracle(registry.schema("oracle"), {
    commits: createCommitPort(verifier),
    addresses,
    accounts: lateAccounts(() => clearing),
  });
  let guarding: GuardKeeper | null = null;
  const insurance = createInsurance(registry.schema("insurance"), {
    bank: bank.keeper,
    addresses,
    vault: COLLATERAL_VAULT,
    shortfalls: lateShortfalls(() => clearing),
    assets: lateAssets(() => clearing),
    flows: lateGuard(() => guarding),
  });
  // Clearing, markets and the vault know each other; the later ones reach margin by delegation.
  let markets: Derivatives["keeper"] | null = null;
  let backstop: BackstopPort | null = null;
  const margin = createMargin(registry.schema("margin"), {
    bank: bank.keeper,
    markets: lateMarkets(() => markets),
    insurance: insurance.keeper,
    prices: oracle.keeper,
    backstop: lateBackstop(() => backstop),
    guard: lateGuard(() => guarding),
    addresses,
  });
  clearing = margin.keeper;
  const derivatives = createDerivatives(registry.schema("derivatives"), {
    clearing: margin.keeper,
    oracle: oracle.keeper,
    bank: bank.keeper,
    addresses,
    verify,
    keyAccounts: auth.keeper,
    guard: lateGuard(() => guarding),
  });
  markets = derivatives.keeper;
  const vault = createVault(registry.schema("vault"), {
    ledger: margin.keeper,
    venue: derivatives.keeper,
    bank: bank.keeper,
    oracle: oracle.keeper,
    addresses,
  });
  backstop = vault.keeper.backstop;
  const guard = createGuard(registry.schema("guard"), {
    venue: derivatives.keeper,
    ledger: margin.keeper,
    volatility: margin.volatility,
    bank: bank.keeper,
    fund: insurance.keeper,
    collateralVault: COLLATERAL_VAULT,
    addresses,
  });
  guarding = guard.keeper;

  const genesis = [
    auth.module, // accounts first: everyone else's addresses may be among them
    bank.module, // balances, the vault's among them
    oracle.module, // feeds, which markets name
    insurance.module, // claims on the vault
    margin.module, // accounts, which orders name
    derivatives.module, // markets and orders
    vault.module, // shares, and terms of markets it quotes
    guard.module, // rules of markets, and what is restricted
  ];
  const beginBlock = [
    derivatives.module, // funding, on the prices transaction 0 has just brought
    guard.module, // what those prices, or the time since the last block, stop
    margin.module, // rates that follow volatility, before anyone takes new risk
    vault.module, // withdrawals and quotes at those prices, before anyone trades at them
  ];
  const endBlock = [
    derivatives.module, // order expiries and premiums, before anyone is judged
    margin.module, // liquidations and the deficit queue, at the block's final marks
    insurance.module, // underwriters whose notice has ended, after what the block cost
    guard.module, // caps and margins for the next block, by what this one has left
  ];
  return {
    registry,
    addresses,
    chain,
    ante,
    auth: auth.keeper,
    bank: bank.keeper,
    oracle: oracle.keeper,
    margin: margin.keeper,
    derivatives: derivatives.keeper,
    vault: vault.keeper,
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
    stopClearing(context, reason) {
      for (const market of derivatives.keeper.marketIds(context))
        derivatives.keeper.quarantine(context, market, reason);
      margin.keeper.gateWithdrawals(context, context.header.timeNs + STOPPED_GATE_NS, reason);
    },
  };
}

function lateMarkets(get: () => Derivatives["keeper"] | null): MarketsPort {
  const markets = (): Derivatives["keeper"] => {
    const ready = get();
    if (ready === null) throw new Error("markets were asked for before they were built");
    return ready;
  };
  return {
    marketIds: (ctx) => markets().marketIds(ctx),
    terms: (ctx, market) => markets().terms(ctx, market),
    mark: (ctx, market) => markets().mark(ctx, market),
    risk: (ctx, market) => markets().risk(ctx, market),
    fundingIndex: (ctx, market) => markets().fundingIndex(ctx, market),
    cancelOrders: (ctx, account, reason) => markets().cancelOrders(ctx, account, reason),
    liquidateAtBook: (ctx, order) => markets().liquidateAtBook(ctx, order),
    marketId: (ctx, symbol) => markets().marketId(ctx, symbol),
    depthLots: (ctx, at) => markets().depthLots(ctx, at),
    quarantine: (ctx, market, reason) => markets().quarantine(ctx, market, reason),
    settleable: (ctx) => markets().settleable(ctx),
    settlementValue: (ctx, market) => markets().settlementValue(ctx, market),
    settled: (ctx, market) => markets().settled(ctx, market),
    stop: (ctx, market, stopped) => markets().stop(ctx, market, stopped),
    end: (ctx, market) => markets().end(ctx, market),
  };
}

function lateAssets(get: () => Margin["keeper"] | null): InventoryPort {
  return {
    sale(ctx, denom) {
      const ready = get();
      if (ready === null) throw new Error("margin was asked for before it was built");
      return ready.assets.sale(ctx, denom);
    },
  };
}

function lateAccounts(get: () => Margin["keeper"] | null): AccountsPort {
  return {
    keepHealthy(ctx, change) {
      const ready = get();
      if (ready === null) throw new Error("margin was asked for before it was built");
      ready.keepHealthy(ctx, null, change);
    },
  };
}

function lateShortfalls(get: () => Margin["keeper"] | null): ShortfallPort {
  const margin = (): Margin["keeper"] => {
    const ready = get();
    if (ready === null) throw new Error("margin was asked for before it was built");
    return ready;
  };
  return {
    pendingShortfall: (ctx, denom) => margin().countedShortfall(ctx, denom),
    recoverable: (ctx, denom, riskClass) => margin().recoverable(ctx, denom, riskClass),
  };
}

function lateBackstop(get: () => BackstopPort | null): BackstopPort {
  const backstop = (): BackstopPort => {
    const ready = get();
    if (ready === null) throw new Error("the vault was asked for before it was built");
    return ready;
  };
  return {
    ready: (ctx) => backstop().ready(ctx),
    isOwn: (account) => backstop().isOwn(account),
    offer: (ctx, market, lots) => backstop().offer(ctx, market, lots),
    bid: (ctx, market, lots) => backstop().bid(ctx, market, lots),
    purse: (ctx) => backstop().purse(ctx),
  };
}

function lateGuard(get: () => GuardKeeper | null): ClearingGuard & MarketGuard {
  const guard = (): GuardKeeper => {
    const ready = get();
    if (ready === null) throw new Error("the guard was asked for before it was built");
    return ready;
  };
  return {
    restriction: (ctx, market) => guard().restriction(ctx, market),
    initialRaisePpm: (ctx, market) => guard().initialRaisePpm(ctx, market),
    withdrawing: (ctx, denom, quanta) => guard().withdrawing(ctx, denom, quanta),
    deposited: (ctx, denom, quanta) => guard().deposited(ctx, denom, quanta),
    left: (ctx, denom, quanta) => guard().left(ctx, denom, quanta),
    room: (ctx, denom) => guard().room(ctx, denom),
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
