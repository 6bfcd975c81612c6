/** Margin with a fake bank, a fake fund and the small market, for tests: everything lives in revertible state. */

import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import { accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import type { ValueCodec } from "../../kit/collections/codecs.ts";
import { asciiKey, bytesToKey, pairKey, prefixedBytesKey } from "../../kit/collections/codecs.ts";
import { Registry } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import type { TestContext } from "../../kit/testing/context.ts";
import { testContext } from "../../kit/testing/context.ts";
import type { MarginKeeper } from "../keeper.ts";
import type { Margin } from "../module.ts";
import { createMargin } from "../module.ts";
import { defaultParams } from "../params.ts";
import type { BackstopPort, BankPort, InsurancePort, MarketTerms, PricesPort } from "../ports.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import type { TestMarkets } from "./market.ts";
import { createTestMarkets } from "./market.ts";

export const DENOM = "uusdc";
export const BTC = 1;
export const ETH = 2;

const amountValue: ValueCodec<bigint> = {
  encode: () => new Uint8Array(0),
  decode: () => 0n,
  size: () => 8,
};

interface FundRow {
  readonly balance: bigint;
  readonly funded: bigint;
  readonly inventory: bigint;
}

const NOTHING: FundRow = { balance: 0n, funded: 0n, inventory: 0n };

const fundValue: ValueCodec<FundRow> = {
  encode: () => new Uint8Array(0),
  decode: () => NOTHING,
  size: () => 24,
};

export interface TestFund extends InsurancePort {
  /** Coins from nowhere into the vault, as bank genesis would have them. */
  give(ctx: WriteContext, amount: bigint): void;
}

/** Takes over at most `lotsMax` lots of a position, into `account`; null: there is none. */
export interface TestBackstop extends BackstopPort {
  account: AccountId | null;
  lotsMax: bigint;
  /** What it bids in auctions; 0: nothing. */
  bidTicks: bigint;
  /** It takes its part of penalties. */
  collects: boolean;
}

/** A feed as it is set by hand. */
export type TestPrice = NonNullable<ReturnType<PricesPort["price"]>>;

export interface World {
  readonly ctx: TestContext;
  readonly margin: Margin;
  readonly markets: TestMarkets;
  readonly fund: TestFund;
  readonly backstop: TestBackstop;
  /** By feed. */
  readonly prices: Map<number, TestPrice>;
  readonly bank: BankPort & {
    mint(ctx: WriteContext, to: Uint8Array, amount: bigint, denom?: string): void;
  };
  owner(number: number): Uint8Array;
  /** Sub-account 0 of test owner `number`, with collateral deposited. */
  funded(number: number, amount: bigint): AccountId;
  equity(id: AccountId): bigint;
  /** The first violated invariant, or null. */
  violated(): string | null;
}

/** 10 % / 5 % up to 10,000 units of notional, 20 % / 10 % above; one tick × one lot = 1000 quanta. */
export function btcTerms(over: Partial<MarketTerms> = {}): MarketTerms {
  return {
    id: BTC,
    symbol: "BTC-PERP",
    feedId: BTC,
    quantaPerTickLot: 1_000n,
    tiers: [
      { aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 50_000n },
      { aboveQuanta: 10_000_000_000n, initialPpm: 200_000n, maintenancePpm: 100_000n },
    ],
    status: "active",
    liquidationBandPpm: 50_000n,
    ...over,
  };
}

/** `insure`: real funds in place of the fake one. */
export function createWorld(
  params: Partial<Params> = {},
  insure?: (registry: Registry, bank: BankPort, keeper: () => MarginKeeper) => InsurancePort,
): World {
  const registry = new Registry();
  const addresses = createAddresses("keel");
  const schema = registry.schema("test_money");
  const coins = schema.map(0, "coins", pairKey(prefixedBytesKey, asciiKey), amountValue);
  const funds = schema.map(1, "funds", asciiKey, fundValue);
  const balance = (ctx: ReadContext, owner: Uint8Array, denom: string): bigint =>
    coins.get(ctx, [owner, denom]) ?? 0n;
  const bank: World["bank"] = {
    balance,
    isBlocked: (address) => bytesToKey(address) === bytesToKey(COLLATERAL_VAULT),
    transfer(ctx, from, to, denom, amount) {
      const held = balance(ctx, from, denom);
      if (held < amount) throw new ModuleError("sdk", 5, `has ${held}, needs ${amount}`);
      coins.set(ctx, [from, denom], held - amount);
      coins.set(ctx, [to, denom], balance(ctx, to, denom) + amount);
    },
    mint: (ctx, to, amount, denom = DENOM) =>
      coins.set(ctx, [to, denom], balance(ctx, to, denom) + amount),
  };
  const row = (ctx: ReadContext): FundRow => funds.get(ctx, DENOM) ?? NOTHING;
  const fund: TestFund = {
    balance: (ctx) => row(ctx).balance,
    available: (ctx) => row(ctx).balance,
    hasFund: (_ctx, _denom, riskClass) => riskClass === "",
    fundBalance: (ctx) => row(ctx).balance,
    fundAvailable: (ctx) => row(ctx).balance,
    assessable: () => 0n,
    riskClasses: () => [],
    funded: (ctx) => row(ctx).funded,
    credit(ctx, _denom, amount) {
      const known = row(ctx);
      funds.set(ctx, DENOM, { ...known, balance: known.balance + amount });
    },
    allocate(ctx, _denom, loss) {
      const known = row(ctx);
      const { balance: held } = known;
      const amount = loss.reduce((sum, part) => sum + part.amount, 0n);
      const paid = amount < held ? amount : held;
      funds.set(ctx, DENOM, { ...known, balance: held - paid });
      return paid === 0n
        ? []
        : [{ bearer: "treasury", riskClass: "", amount: paid, ownShares: 0n, assessed: 0n }];
    },
    recover(ctx, denom, { amount }) {
      fund.credit(ctx, denom, amount, "recovery", "");
    },
    inventory: (ctx) => row(ctx).inventory,
    purse: (ctx) => row(ctx).balance,
    buy(ctx, _denom, cost) {
      const { balance: held, inventory, ...known } = row(ctx);
      const after = { balance: held - cost, inventory: inventory + cost };
      funds.set(ctx, DENOM, { ...known, ...after });
    },
    sell(ctx, _denom, { cost, proceeds }) {
      const { balance: held, inventory, ...known } = row(ctx);
      const after = { balance: held + proceeds, inventory: inventory - cost };
      funds.set(ctx, DENOM, { ...known, ...after });
    },
    give(ctx, amount) {
      const { balance: held, funded, inventory } = row(ctx);
      funds.set(ctx, DENOM, { balance: held + amount, funded: funded + amount, inventory });
      bank.mint(ctx, COLLATERAL_VAULT, amount);
    },
  };
  let margin: Margin | undefined;
  const markets = createTestMarkets(registry, () => (margin as Margin).keeper);
  const taker: TestBackstop = {
    account: null,
    lotsMax: 0n,
    bidTicks: 0n,
    collects: false,
    ready: () => taker.account !== null,
    isOwn: (id) => id === taker.account,
    offer(_ctx, _market, lots) {
      const held = lots < 0n ? -lots : lots;
      if (taker.account === null) return null;
      return { account: taker.account, lots: held < taker.lotsMax ? held : taker.lotsMax };
    },
    bid(ctx, market, lots) {
      const offer = taker.bidTicks === 0n ? null : taker.offer(ctx, market, lots);
      return offer === null ? null : { ...offer, ticks: taker.bidTicks };
    },
    purse: () => (taker.collects ? taker.account : null),
  };
  const prices = new Map<number, TestPrice>();
  margin = createMargin(registry.schema("margin"), {
    bank,
    markets,
    insurance: insure?.(registry, bank, () => (margin as Margin).keeper) ?? fund,
    prices: { price: (_ctx, feedId) => prices.get(feedId) },
    backstop: taker,
    addresses,
  });
  const ctx = testContext(registry);
  const genesis = GenesisState.fromPartial({ params: { ...defaultParams(DENOM), ...params } });
  if (margin.module.genesis.kind === "proto") {
    margin.module.genesis.init(ctx, GenesisState.encode(genesis).finish());
  }
  const owner = (number: number): Uint8Array => {
    const bytes = new Uint8Array(20);
    new DataView(bytes.buffer).setUint32(16, number);
    return bytes;
  };
  const { keeper, module } = margin;
  return {
    ctx,
    margin,
    markets,
    fund,
    backstop: taker,
    prices,
    bank,
    owner,
    funded(number, amount) {
      bank.mint(ctx, owner(number), amount);
      const id = accountId(owner(number), 0);
      keeper.deposit(ctx, owner(number), id, amount);
      return id;
    },
    equity: (id) => keeper.health(ctx, id)?.equity ?? 0n,
    violated() {
      const { running, full } = module.invariants;
      for (const [name, holds] of [...Object.entries(running), ...Object.entries(full)]) {
        const fault = holds(ctx);
        if (fault !== null) return `${name}: ${fault}`;
      }
      return null;
    },
  };
}
