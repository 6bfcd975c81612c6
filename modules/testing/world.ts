/** A world for tests of dated contracts: the real margin, insurance and bank, several settable feeds, time in blocks. */
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type {
  Market,
  MarketTerms,
  Maturity,
  Params,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { GenesisState as GuardGenesis } from "@keel/proto/gen/keel/guard/v1/genesis";
import { GenesisState as InsuranceGenesis } from "@keel/proto/gen/keel/insurance/v1/genesis";
import { Fund } from "@keel/proto/gen/keel/insurance/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params as MarginParams } from "@keel/proto/gen/keel/margin/v1/types";
import type { Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import { GenesisState as VaultGenesis } from "@keel/proto/gen/keel/vault/v1/genesis";
import type { Params as VaultParams } from "@keel/proto/gen/keel/vault/v1/types";
import type { Bank } from "../bank/module.ts";
import { createBank } from "../bank/module.ts";
import { defaultParams, defaultTerms, optionTerms } from "../derivatives/defaults.ts";
import { createDerivatives, type Derivatives } from "../derivatives/module.ts";
import { parseRequest } from "../derivatives/orders/requests.ts";
import type { OraclePort, OraclePrice } from "../derivatives/ports.ts";
import { createTestVenue, TEST_ADDRESSES, testVerify } from "../derivatives/testing.ts";
import { createGuard, type Guard } from "../guard/module.ts";
import { defaultParams as guardParams } from "../guard/params.ts";
import { createInsurance } from "../insurance/module.ts";
import { defaultParams as insuranceParams } from "../insurance/params.ts";
import { NO_ASSETS } from "../insurance/ports.ts";
import { type AccountId, accountId } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import { Registry } from "../kit/collections/schema.ts";
import { parseDecimal } from "../kit/math/decimal.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import type { TestContext } from "../kit/testing/context.ts";
import { testContext } from "../kit/testing/context.ts";
import { createMargin, type Margin } from "../margin/module.ts";
import { defaultParams as marginParams } from "../margin/params.ts";
import { COLLATERAL_VAULT } from "../margin/state.ts";
import { oracleState } from "../oracle/state.ts";
import { createSurfaceKeeper, writeSurfaces } from "../oracle/surface/keeper.ts";
import { defaultSurface } from "../oracle/surface/surfaces.ts";
import { createVault, type Vault } from "../vault/module.ts";
import { defaultParams as vaultParams } from "../vault/params.ts";
import { lateClearing, lateGuard } from "./late-ports.ts";
import { createTestPrices, TEST_PRICES } from "./prices.ts";

export const DENOM = "uusdc";
export const UNIT = 1_000_000n;
/** Feeds: the index, and its volatility. */
export const BTC = 1;
export const VOL = 2;
export const SURFACE = 1;
export const START_MS = 1_700_000_000_000;
export const HOUR_MS = 3_600_000;
const PLACES = 8;

// Only its way of writing an order in one line.
const { order: orderOf } = createTestVenue();

function dated(symbol: string, terms: MarketTerms): Market {
  return {
    id: 0,
    symbol,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.001",
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms,
    listedHeight: 0n,
    activatesMs: 0n,
    closeOnlySinceMs: 0n,
    dueMs: 0n,
    seriesId: 0,
  };
}

export function maturity(expiryMs: number, windowMs: number = 1_800_000): Maturity {
  return { expiryMs: BigInt(expiryMs), windowMs: BigInt(windowMs), closeOnlyMs: 0n };
}

export function futureMarket(symbol: string, end: Maturity): Market {
  return { ...dated(symbol, defaultTerms()), datedFuture: { maturity: end } };
}

export interface TestOption {
  readonly right?: "call" | "put";
  readonly strike: string;
  readonly payout?: string;
  readonly kind?: "european" | "asian";
  /** Instead of the volatility feed. */
  readonly surface?: number;
}

export function optionMarket(symbol: string, end: Maturity, option: TestOption): Market {
  const right: OptionRight =
    option.right === "put" ? OptionRight.OPTION_RIGHT_PUT : OptionRight.OPTION_RIGHT_CALL;
  const terms = {
    maturity: end,
    right,
    strike: option.strike,
    volatilityFeedId: option.surface === undefined ? VOL : 0,
    volatilitySurfaceId: option.surface ?? 0,
  };
  const market = { ...dated(symbol, optionTerms()), tickSize: "0.5", lotSize: "0.01" };
  if (option.payout !== undefined) {
    const small = { ...market, tickSize: "0.01", lotSize: "1" };
    return { ...small, digitalOption: { ...terms, payout: option.payout } };
  }
  return option.kind === "asian"
    ? { ...market, asianOption: terms }
    : { ...market, europeanOption: terms };
}

export interface SurfaceMedians {
  readonly rhoPpm: number;
  readonly etaPpm: number;
  readonly gammaPpm: number;
  readonly expiries: readonly {
    readonly expiryMs: bigint;
    readonly theta: bigint;
    readonly basisPpm: number;
  }[];
}

export interface World extends Derivatives {
  readonly ctx: TestContext;
  readonly margin: Margin;
  readonly vault: Vault;
  readonly guard: Guard;
  readonly bank: Bank["keeper"];
  readonly modules: readonly ModuleDefinition[];
  /** Decimal text; stale when told so. */
  setPrice(feed: number, price: string, fresh?: boolean, more?: Partial<OraclePrice>): void;
  /** Surface 1 on the index, and what the validators' medians of it are in this block. */
  setSurface(medians: SurfaceMedians, change?: Partial<Surface>): void;
  list(market: Market): number;
  owner(n: number): Uint8Array;
  address(n: number): string;
  /** Sub-account 0 of owner n, with that many units more. */
  funded(n: number, units: bigint): AccountId;
  place(symbol: string, id: AccountId, text: string): MsgPlaceOrderResponse;
  /** A sells to B at a price, through the book. */
  trade(symbol: string, seller: AccountId, buyer: AccountId, size: string, price: string): void;
  collateral(id: AccountId): bigint;
  /** Ends the block, begins the next `seconds` later, with prices that `update` sets before, as transaction 0 does. */
  block(seconds?: number, update?: () => void): void;
  /** First violated invariant of any module, or null. */
  violation(): string | null;
  nowMs(): number;
  eventsOf(type: string): Record<string, string>[];
  /** Every key and value of every store. */
  stored(): string[];
  /** Genesis of every module, as exported. */
  exported(): unknown[];
}

export interface WorldOptions {
  readonly params?: Partial<Params>;
  readonly margin?: Partial<MarginParams>;
  readonly vault?: Partial<VaultParams>;
  readonly fundUnits?: bigint;
  /** Markets of a genesis written by hand. */
  readonly genesisMarkets?: readonly Market[];
  /** Starts from an export instead of empty. */
  readonly from?: {
    readonly genesis: readonly unknown[];
    readonly header: TestContext["header"];
  };
}

export function createWorld(options: WorldOptions = {}): World {
  const registry = new Registry();
  const addresses = TEST_ADDRESSES;
  const bank = createBank(registry.schema("bank"), {
    addresses,
    blocked: [],
    accounts: { ensure: () => undefined },
  });
  let guarding: Guard["keeper"] | undefined;
  const insurance = createInsurance(registry.schema("insurance"), {
    addresses,
    bank: bank.keeper,
    vault: COLLATERAL_VAULT,
    shortfalls: { pendingShortfall: () => 0n, recoverable: () => ({ amount: 0n, ownShares: 0n }) },
    assets: NO_ASSETS,
    flows: lateGuard(() => guarding),
  });
  const prices = createTestPrices(registry);
  let built: Margin | undefined;
  let backstop: Vault["keeper"]["backstop"] | undefined;
  const late = (): Margin["keeper"] => (built as Margin).keeper;
  const guarded = lateGuard(() => guarding);
  const clearing = lateClearing(late);
  const surfaces = oracleState(registry.schema("oracle"));
  const oracle: OraclePort = {
    ...createSurfaceKeeper(surfaces),
    price: prices.price,
    feed: (_ctx, feed) => (feed === BTC ? { symbol: "BTC-USD" } : undefined),
  };
  const derivatives = createDerivatives(registry.schema("derivatives"), {
    addresses,
    clearing,
    bank: bank.keeper,
    verify: testVerify,
    keyAccounts: { ensureKey: () => undefined },
    oracle,
    guard: guarded,
  });
  const margin = createMargin(registry.schema("margin"), {
    addresses,
    bank: bank.keeper,
    insurance: insurance.keeper,
    prices: oracle,
    markets: derivatives.keeper,
    guard: guarded,
    backstop: {
      ready: (ctx) => backstop?.ready(ctx) ?? false,
      isOwn: (id) => backstop?.isOwn(id) ?? false,
      offer: (ctx, market, lots) => backstop?.offer(ctx, market, lots) ?? null,
      bid: (ctx, market, lots) => backstop?.bid(ctx, market, lots) ?? null,
      purse: (ctx) => backstop?.purse(ctx) ?? null,
    },
  });
  built = margin;
  const vault = createVault(registry.schema("vault"), {
    addresses,
    bank: bank.keeper,
    ledger: margin.keeper,
    oracle,
    venue: derivatives.keeper,
  });
  backstop = vault.keeper.backstop;
  const guard = createGuard(registry.schema("guard"), {
    addresses,
    venue: derivatives.keeper,
    ledger: margin.keeper,
    volatility: margin.volatility,
    bank: bank.keeper,
    fund: insurance.keeper,
    collateralVault: COLLATERAL_VAULT,
  });
  guarding = guard.keeper;
  const modules = [
    bank.module,
    insurance.module,
    margin.module,
    derivatives.module,
    vault.module,
    guard.module,
  ];
  const ctx = testContext(registry, options.from?.header ?? {});
  const init = ({ genesis }: ModuleDefinition, state: unknown): void => {
    if (genesis.kind === "proto") genesis.init(ctx, state as Uint8Array);
    else genesis.init(ctx, state);
  };
  const units = options.fundUnits ?? 0n;
  const fund = Fund.fromPartial({
    denom: DENOM,
    balance: `${units * UNIT}`,
    funded: `${units * UNIT}`,
    received: "0",
    paid: "0",
  });
  if (options.from !== undefined) {
    options.from.genesis.forEach((state, i) => {
      init(modules[i] as ModuleDefinition, state);
    });
  } else {
    init(bank.module, {});
    if (units > 0n) bank.keeper.mint(ctx, COLLATERAL_VAULT, { denom: DENOM, amount: units * UNIT });
    const funds = units > 0n ? [fund] : [];
    init(
      insurance.module,
      InsuranceGenesis.encode(
        InsuranceGenesis.fromPartial({ params: insuranceParams(), funds }),
      ).finish(),
    );
    const params = { ...marginParams(DENOM), ...options.margin };
    init(margin.module, MarginGenesis.encode(MarginGenesis.fromPartial({ params })).finish());
    const own = { ...defaultParams(), ...options.params };
    const markets = (options.genesisMarkets ?? []).map((market) => ({ market }));
    const genesis = GenesisState.fromPartial({ params: own, markets });
    init(derivatives.module, GenesisState.encode(genesis).finish());
    const shared = { ...vaultParams(), ...options.vault };
    init(vault.module, VaultGenesis.encode(VaultGenesis.fromPartial({ params: shared })).finish());
    init(
      guard.module,
      GuardGenesis.encode(GuardGenesis.fromPartial({ params: guardParams() })).finish(),
    );
  }
  ctx.events.length = 0;
  const owner = (n: number): Uint8Array => {
    const bytes = new Uint8Array(20).fill(7);
    new DataView(bytes.buffer).setUint32(0, n);
    return bytes;
  };
  const world: World = {
    ...derivatives,
    ctx,
    margin,
    vault,
    guard,
    bank: bank.keeper,
    modules,
    owner,
    address: (n) => addresses.format(owner(n)),
    setPrice(feed, price, fresh = true, more = {}) {
      const mantissa = parseDecimal(price, PLACES);
      if (mantissa === null) throw new Error(`expected a price, got ${price}`);
      prices.set(ctx, feed, {
        mantissa,
        exponent: -PLACES,
        confidence: 0n,
        reportingPowerPpm: 1_000_000n,
        timeNs: ctx.header.timeNs,
        fresh,
        ...more,
      });
    },
    setSurface({ expiries, ...shape }, change = {}) {
      const surface = {
        ...defaultSurface({ id: SURFACE, symbol: "BTC-VOL", feedId: BTC }),
        repricingBlocks: 8,
        ...change,
      };
      surfaces.surfaces.set(ctx, SURFACE, surface);
      const power = { reportingPowerPpm: 1_000_000n, missed: [], deviant: [] };
      const result = { surface, shape, expiries, ...power };
      writeSurfaces(ctx, surfaces, [result], prices.price);
    },
    list: (market) => derivatives.keeper.createMarket(ctx, market),
    funded(n, more) {
      bank.keeper.mint(ctx, owner(n), { denom: DENOM, amount: more * UNIT });
      const id = accountId(owner(n), 0);
      margin.keeper.deposit(ctx, owner(n), id, more * UNIT);
      return id;
    },
    place: (market, id, text) =>
      atomically(ctx, (inner) =>
        derivatives.keeper.place(inner, id, parseRequest({ ...orderOf(text), market })),
      ),
    trade(symbol, seller, buyer, size, price) {
      world.place(symbol, seller, `sell ${size} @ ${price} post`);
      const bought = world.place(symbol, buyer, `buy ${size} @ ${price} ioc`);
      if (bought.filledSize !== size) throw new Error(`filled ${bought.filledSize} of ${size}`);
    },
    collateral: (id) => margin.keeper.account(ctx, id)?.collateral ?? 0n,
    block(seconds = 1, update) {
      derivatives.module.endBlock?.(ctx);
      margin.module.endBlock?.(ctx);
      guard.module.endBlock?.(ctx);
      ctx.nextBlock(seconds);
      update?.();
      derivatives.module.beginBlock?.(ctx);
      guard.module.beginBlock?.(ctx);
      margin.module.beginBlock?.(ctx);
      vault.module.beginBlock?.(ctx);
    },
    violation() {
      for (const { name, invariants } of modules) {
        for (const [rule, check] of Object.entries({ ...invariants.running, ...invariants.full })) {
          const found = check(ctx);
          if (found !== null) return `${name} ${rule}: ${found}`;
        }
      }
      return null;
    },
    nowMs: () => Number(ctx.header.timeNs / 1_000_000n),
    eventsOf: (type) =>
      ctx.events
        .filter((event) => event.type === type)
        .map(({ attributes }) =>
          Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
        ),
    exported: () => modules.map(({ genesis }) => genesis.export(ctx)),
    stored() {
      const keys: string[] = [];
      const hex = (text: string): string =>
        [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
      for (const { id, store, name, encode } of registry.collections) {
        // Prices are no part of the chain's genesis.
        if (store === TEST_PRICES) continue;
        ctx.state.range(id, "", undefined, (key, held) => {
          keys.push(`${store} ${name} ${hex(key)} = ${hex(encode(held))}`);
        });
      }
      return keys;
    },
  };
  return world;
}
