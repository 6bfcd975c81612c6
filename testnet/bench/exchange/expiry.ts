/** An expiry: 50,000 positions of 2,500 accounts in 20 options of one chain are settled, a bounded number a block, with commitment. */
import { defaultParams, optionTerms } from "@keel/modules/derivatives/defaults";
import { createAddresses } from "@keel/modules/kit/addresses";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { storeNames } from "@keel/node/app/app";
import { oracleTxOf } from "@keel/node/app/oracle-tx";
import { TestChain } from "@keel/node/app/testing/chain";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import { Market, MarketStatus, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { blocksMeasurement, timedBlock, trusting } from "../measured-blocks.ts";
import type { Measurement } from "../report.ts";
import { CHAIN } from "../state-machine.ts";
import { holdingsState } from "./holdings.ts";

const ACCOUNTS = 2_500;
const OPTIONS = 20;
const START_MS = 1_790_000_000_000;
const EXPIRY_MS = START_MS + 3_600_000;
const WINDOW_MS = 60_000;
const INDEX = 1;
const VOLATILITY = 2;
/** 59,876.54 and 60 %, two places each. */
const PRICES = { [INDEX]: 5_987_654n, [VOLATILITY]: 60n } as const;
const BLOCKS_MAX = 200;

/** Block times: the window opens with block 2, the expiry is block 3, the rest follow a second apart. */
function clock(height: number): bigint {
  const times = [START_MS, START_MS + 1_000, EXPIRY_MS - WINDOW_MS];
  const ms = times[height] ?? EXPIRY_MS + (height - times.length) * 1_000;
  return BigInt(ms) * 1_000_000n;
}

function option(number: number): Market {
  const right = number % 2 === 0 ? OptionRight.OPTION_RIGHT_CALL : OptionRight.OPTION_RIGHT_PUT;
  const strike = `${58_000 + 200 * (number >> 1)}`;
  const maturity = {
    expiryMs: BigInt(EXPIRY_MS),
    windowMs: BigInt(WINDOW_MS),
    closeOnlyMs: 0n,
  };
  return Market.fromPartial({
    symbol: `BTC-${number}`,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: INDEX,
    tickSize: "0.5",
    lotSize: "0.01",
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms: optionTerms(),
    europeanOption: { maturity, right, strike, volatilityFeedId: VOLATILITY },
  });
}

export async function benchExpiry(): Promise<Measurement> {
  const addresses = createAddresses(CHAIN.prefix);
  const owners = Array.from({ length: ACCOUNTS }, (_, i) => {
    const bytes = new Uint8Array(20).fill(7);
    new DataView(bytes.buffer).setUint32(0, i);
    return addresses.format(bytes);
  });
  const feed = (id: number, symbol: string) => ({
    ...{ id, symbol, exponent: -2, max_age_ms: "3600000" },
    ...{ min_reporting_power_ppm: "666667", max_deviation_ppm: "10000", enabled: true },
  });
  const chain = new TestChain({
    store: new MemoryCommitStore({ stores: storeNames }),
    accounts: 1,
    extensionsFrom: 1,
    verifier: trusting(),
    clock,
    appState: {
      ...holdingsState({
        owners,
        prefix: CHAIN.prefix,
        markets: Array.from({ length: OPTIONS }, (_, i) => option(i)),
        held: OPTIONS,
        lots: 5n,
        openedAt: 10_000_000n,
        collateralQuanta: 10_000_000_000_000n,
        params: defaultParams(),
      }),
      oracle: {
        params: { ema_time_ms: "30000", report_window_blocks: "1000" },
        feeds: [feed(INDEX, "BTC-USD"), feed(VOLATILITY, "BTC.VOL-USD")],
      },
    },
  });
  await chain.start();
  const reports = Object.entries(PRICES).map(([id, mantissa]) => ({
    feedId: Number(id),
    mantissa,
    confidence: 1n,
  }));
  const extension = encodeExtension(reports);
  const prices = (): Uint8Array => oracleTxOf(chain.lastCommit(() => extension));
  await chain.decide([]);
  await chain.decide([prices()]);
  const runs = [];
  const open = (): bigint =>
    chain.app.look((keel, ctx) => {
      const ids = keel.derivatives.marketIds(ctx);
      return ids.reduce((sum, id) => sum + keel.margin.openInterestLots(ctx, id), 0n);
    });
  if (open() === 0n) throw new Error("expected positions to settle");
  while (open() > 0n) {
    if (runs.length === BLOCKS_MAX) throw new Error("the expiry came to no end");
    runs.push(await timedBlock(chain, [prices()]));
  }
  return blocksMeasurement("positions settled at an expiry", runs, {
    items: ACCOUNTS * OPTIONS,
    noun: "position",
    mark: null,
  });
}
