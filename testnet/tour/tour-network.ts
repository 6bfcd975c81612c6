/** A network for a tour: validators whose clock runs faster, prices that the tour chooses, and the markets it needs, listed by the authority. */
import { KeelClient } from "@keel/client/keel-client";
import { methods } from "@keel/client/queries";
import { KeelSigningClient } from "@keel/client/signing-client";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { MsgCreateMarket, MsgUpdateMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  Market,
  MarketStatus,
  type MarketTerms,
  MatchingMode,
  OptionRight,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgUpdateFeeds } from "@keel/proto/gen/keel/oracle/v1/tx";
import { type RoleName, roleWallet, roleWallets } from "../keys/roles.ts";
import {
  clearingHouse,
  genesisAccounts,
  INSURANCE_FUND,
  MARKET,
  VAULT_TIMES,
} from "../network/local-market.ts";
import { LocalNetwork } from "../network/network.ts";
import { freePorts } from "../network/ports.ts";
import { clockValues, schedule } from "../replay/schedule.ts";
import { startPrices, type TourPrices } from "./prices.ts";

export const PERPETUAL: string = MARKET;
export const AUCTION = "BTC-AUCTION";
export const FUTURE = "BTC-FUTURE";
export const CALL = "BTC-TOUR-C";
export const PUT = "BTC-TOUR-P";
export const START_PRICE = 60_000;
export const STRIKE = 59_000;

export const INDEX = "BTC-USD";
const VOLATILITY = "BTC.VOL-USD";
export const INDEX_FEED = 1;
const FEEDS = { index: INDEX_FEED, volatility: 2 } as const;
/** How much faster the chain's clock runs: an option of twenty-two minutes is over after sixty-six seconds. */
const SCALE = 20;
/** Several blocks of half a second, as that clock counts them. */
const PRICE_AGE_MS = 6_000 * SCALE;
const EXPIRY_AHEAD_MS = 22 * 60_000;
/** A dozen blocks. */
const WINDOW_MS = 120_000;
const START_TIMEOUT_MS = 60_000;
const WAIT_MS = 100;

export interface TourNetwork {
  readonly chain: KeelClient;
  readonly authority: KeelSigningClient;
  /** Has the emergency key. */
  readonly guardian: KeelSigningClient;
  readonly alice: KeelSigningClient;
  readonly bob: KeelSigningClient;
  /** Unix milliseconds of chain time at which the future and the options end. */
  readonly expiryMs: number;
  readonly scale: number;
  /** Sets the index and waits until every market is marked by it. */
  moveTo(price: number): Promise<void>;
  /** Chain time this many seconds ahead, Unix milliseconds. */
  soon(seconds: number): Promise<bigint>;
  until(what: string, done: () => Promise<boolean>, timeoutMs?: number): Promise<void>;
  setStatus(market: string, status: MarketStatus): Promise<void>;
  stop(): Promise<void>;
}

export async function startTourNetwork(
  directory: string,
  validators: number,
): Promise<TourNetwork> {
  const prices = await startPrices({ [INDEX]: `${START_PRICE}`, [VOLATILITY]: "0.6" });
  const nowMs = Date.now();
  const plan = schedule({ firstMs: nowMs, endMs: nowMs }, SCALE, 0, nowMs);
  const authority = await roleWallet("faucet");
  const wallets = await roleWallets();
  const network = await LocalNetwork.create({
    directory,
    ports: await freePorts(validators),
    genesis: {
      chainId: "keel-tour-1",
      genesisTime: timestampFromMs(plan.genesisMs),
      accounts: genesisAccounts(wallets),
      authority: authority.address,
      insuranceFund: INSURANCE_FUND,
      priceMaxAgeMs: PRICE_AGE_MS,
      clearingHouse: clearingHouse(wallets),
      vaultParams: VAULT_TIMES,
    },
    config: {
      ...clockValues(plan),
      "oracle.source": "http",
      "oracle.symbol": `${INDEX},${VOLATILITY}`,
      "oracle.url": prices.url,
      "oracle.poll-interval": "100ms",
      "consensus.empty_block_interval": "400ms",
      "crypto.workers": 0,
    },
  });
  const stop = async (): Promise<void> => {
    await network.stop();
    await prices.stop();
  };
  try {
    network.start();
    await network.waitForHeight(2, START_TIMEOUT_MS);
    return await connect(network, prices, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function connect(
  network: LocalNetwork,
  prices: TourPrices,
  stop: () => Promise<void>,
): Promise<TourNetwork> {
  const chain = await KeelClient.connect(network.nodes.map(({ rpc }) => rpc));
  const signer = async (name: RoleName): Promise<KeelSigningClient> =>
    await KeelSigningClient.connectWithSigner(chain, (await roleWallet(name)).signer);
  const [authority, guardian, alice, bob] = [
    await signer("faucet"),
    await signer("validator-1"),
    await signer("alice"),
    await signer("bob"),
  ];
  const until: TourNetwork["until"] = async (what, done, timeoutMs = 20_000) => {
    const deadline = Date.now() + timeoutMs;
    while (!(await done())) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  };
  const marked = async (market: string, price: number): Promise<boolean> => {
    const { markPrice, markFresh } = await chain.market(market);
    return markFresh && Number(markPrice) === price;
  };
  await until("the first price", () => marked(PERPETUAL, START_PRICE));
  const soon: TourNetwork["soon"] = async (seconds) =>
    (await chain.chainTimeNs(0)) / 1_000_000n + BigInt(seconds * 1000);
  const expiryMs = Number(await soon(0)) + EXPIRY_AHEAD_MS;
  await list(authority, expiryMs);
  await until("the first volatility", async () => (await chain.market(CALL)).markFresh);
  return {
    chain,
    authority,
    guardian,
    alice,
    bob,
    expiryMs,
    scale: SCALE,
    until,
    soon,
    async moveTo(price) {
      prices.set(INDEX, `${price}`);
      await until(`a mark of ${price}`, () => marked(PERPETUAL, price));
    },
    async setStatus(market, status) {
      const value = MsgUpdateMarket.fromPartial({ authority: authority.address, market, status });
      await authority.execute([{ typeUrl: "/keel.derivatives.v1.MsgUpdateMarket", value }]);
    },
    async stop() {
      chain.disconnect();
      await stop();
    },
  };
}

/** A feed of volatility, then a market by auction, a future, a call and a put; and openings for the perpetual. */
async function list(authority: KeelSigningClient, expiryMs: number): Promise<void> {
  const { chain, address } = authority;
  const { market: view } = await chain.ask(methods.market, { market: PERPETUAL });
  const { terms: listed, linearPerpetual: perpetual } = view?.market ?? {};
  if (listed === undefined) throw new Error("a chain without a market");
  // Marked at the index: a tour says what each price does, and its thin books would say otherwise.
  const terms: MarketTerms = { ...listed, mark: undefined, auction: undefined };
  const auction = {
    matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
    feePpm: 300,
    ordersMax: 1000,
    openingMs: 40_000n,
    interruptionMs: 0n,
    inclusionLists: false,
  };
  const maturity = { expiryMs: BigInt(expiryMs), windowMs: BigInt(WINDOW_MS), closeOnlyMs: 0n };
  const option = {
    maturity,
    strike: `${STRIKE}`,
    volatilityFeedId: FEEDS.volatility,
    volatilitySurfaceId: 0,
  };
  const of = (symbol: string, market: Partial<Market>): Market =>
    Market.fromPartial({
      symbol,
      baseAsset: "BTC",
      quoteAsset: "USD",
      feedId: FEEDS.index,
      tickSize: "0.1",
      lotSize: "0.001",
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms,
      ...market,
    });
  const optionTerms: MarketTerms = {
    ...terms,
    takerFeePpm: 10_000,
    makerFeePpm: 2_000,
    tiers: [],
    optionRisk: {
      initialShockPpm: 150_000n,
      maintenanceShockPpm: 90_000n,
      volatilityShockPpm: 500_000n,
      initialFloorPpm: 30_000n,
      maintenanceFloorPpm: 20_000n,
    },
  };
  const call = { ...option, right: OptionRight.OPTION_RIGHT_CALL } as const;
  const put = { ...option, right: OptionRight.OPTION_RIGHT_PUT } as const;
  const matching = MatchingMode.MATCHING_MODE_BATCH_AUCTION;
  const batch = { ...auction, matching, inclusionLists: true };
  const markets = [
    of(AUCTION, { linearPerpetual: perpetual, terms: { ...terms, auction: batch } }),
    of(FUTURE, { datedFuture: { maturity } }),
    of(CALL, { europeanOption: call, terms: optionTerms }),
    of(PUT, { europeanOption: put, terms: optionTerms }),
  ];
  const volatility = {
    id: FEEDS.volatility,
    symbol: VOLATILITY,
    exponent: -8,
    maxAgeMs: BigInt(PRICE_AGE_MS),
    minReportingPowerPpm: 666_667n,
    maxDeviationPpm: 10_000n,
    enabled: true,
  };
  const changed = { authority: address, market: PERPETUAL, terms: { ...terms, auction } };
  await authority.execute([
    {
      typeUrl: "/keel.oracle.v1.MsgUpdateFeeds",
      value: MsgUpdateFeeds.fromPartial({ authority: address, feeds: [volatility] }),
    },
    ...markets.map((market) => ({
      typeUrl: "/keel.derivatives.v1.MsgCreateMarket",
      value: MsgCreateMarket.fromPartial({ authority: address, market }),
    })),
    {
      typeUrl: "/keel.derivatives.v1.MsgUpdateMarket",
      value: MsgUpdateMarket.fromPartial(changed),
    },
  ]);
}
