/**
 * A volatility surface with 500 options on it: four validators vote prices and the surface in every block, the block is decided and committed, and then
 * every option's mark and requirement is asked for once, as a sweep over accounts does.
 */
import { defaultParams, optionTerms } from "@keel/modules/derivatives/defaults";
import { createRandom } from "@keel/modules/derivatives/random";
import { createAddresses } from "@keel/modules/kit/addresses";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { storeNames } from "@keel/node/app/app";
import { oracleTxOf } from "@keel/node/app/oracle-tx";
import { TestChain } from "@keel/node/app/testing/chain";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import { Market, MarketStatus, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { holdingsState } from "../exchange/holdings.ts";
import { ownSeconds } from "../machine.ts";
import { timedBlock, trusting } from "../measured-blocks.ts";
import { type Measurement, percentile } from "../report.ts";
import { CHAIN } from "../state-machine.ts";

const OPTIONS = 500;
const EXPIRIES_DAYS = [1, 2, 3, 7, 14, 30, 60, 90, 120, 180] as const;
const TURNS = 16;
const MARK_MS = 10;
const BLOCKS = 64;
/** Compiled, and once around all turns. */
const WARM_BLOCKS = 48;
const START_MS = 1_790_000_000_000;
const DAY_MS = 86_400_000;
const WAD = 10n ** 18n;
/** Hundredths. */
const INDEX = 6_000_000;
/** A twentieth of a percent per block: what a fast market does. */
const STEP = INDEX / 2_000;

const expiryMs = (days: number): bigint => BigInt(START_MS + days * DAY_MS);
const clock = (height: number): bigint => BigInt(START_MS + height * 1_000) * 1_000_000n;

function option(number: number): Market {
  const days = EXPIRIES_DAYS[number % EXPIRIES_DAYS.length] as number;
  const step = Math.floor(number / EXPIRIES_DAYS.length);
  const right = step % 2 === 0 ? OptionRight.OPTION_RIGHT_CALL : OptionRight.OPTION_RIGHT_PUT;
  const maturity = { expiryMs: expiryMs(days), windowMs: 1_800_000n, closeOnlyMs: 0n };
  return Market.fromPartial({
    symbol: `BTC-${number}`,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: 1,
    tickSize: "0.5",
    lotSize: "0.01",
    status: MarketStatus.MARKET_STATUS_ACTIVE,
    terms: optionTerms(),
    europeanOption: {
      maturity,
      right,
      strike: `${40_000 + 800 * step}`,
      volatilitySurfaceId: 1,
    },
  });
}

function vote(nowMs: number): SurfaceVote {
  return {
    surfaceId: 1,
    rhoPpm: -300_000,
    etaPpm: 1_000_000,
    gammaPpm: 400_000,
    expiries: EXPIRIES_DAYS.map((days) => ({
      expiryMs: expiryMs(days),
      theta: (36n * WAD * (expiryMs(days) - BigInt(nowMs))) / (36_500n * BigInt(DAY_MS)),
      basisPpm: days * 100,
    })),
  };
}

async function openChain(): Promise<TestChain> {
  const chain = new TestChain({
    store: new MemoryCommitStore({ stores: storeNames }),
    accounts: 1,
    extensionsFrom: 1,
    verifier: trusting(),
    clock,
    appState: {
      ...holdingsState({
        owners: [1, 2].map((n) => createAddresses(CHAIN.prefix).format(new Uint8Array(20).fill(n))),
        prefix: CHAIN.prefix,
        markets: Array.from({ length: OPTIONS }, (_, i) => option(i)),
        held: 0,
        lots: 0n,
        openedAt: 0n,
        collateralQuanta: 1_000_000n,
        params: defaultParams(),
      }),
      oracle: {
        params: { ema_time_ms: "30000", report_window_blocks: "1000" },
        feeds: [
          {
            ...{ id: 1, symbol: "BTC-USD", exponent: -2, max_age_ms: "5000" },
            ...{ min_reporting_power_ppm: "666667", max_deviation_ppm: "10000", enabled: true },
          },
        ],
        surfaces: [
          {
            ...{ id: 1, symbol: "BTC-VOL", feed_id: 1, max_age_ms: "10000", hold_ms: "60000" },
            ...{ min_reporting_power_ppm: "666667", max_deviation_ppm: "100000" },
            ...{ step_max_ppm: "50000", shape_step_max_ppm: "50000", basis_max_ppm: "500000" },
            ...{ repricing_blocks: TURNS, repricing_age_max_ms: "30000", enabled: true },
          },
        ],
      },
    },
  });
  await chain.start();
  await chain.decide([]);
  return chain;
}

export async function benchSurface(): Promise<Measurement[]> {
  const chain = await openChain();
  const random = createRandom(1);
  let index = INDEX;
  const blocks: number[] = [];
  const marks: number[] = [];
  let cpu = 0;
  let stale = 0;
  for (let i = 0; i < WARM_BLOCKS + BLOCKS; i++) {
    index += random.below(2 * STEP + 1) - STEP;
    const prices = [{ feedId: 1, mantissa: BigInt(index), confidence: 1n }];
    const nowMs = START_MS + (chain.height + 1) * 1_000;
    const tx = oracleTxOf(chain.lastCommit(() => encodeExtension(prices, [vote(nowMs)])));
    const block = await timedBlock(chain, [tx]);
    const began = ownSeconds();
    const start = performance.now();
    const unfresh = chain.app.look((keel, ctx) => {
      const found = keel.derivatives.marketIds(ctx).map((id) => keel.derivatives.mark(ctx, id));
      return found.filter((mark) => mark?.fresh !== true || mark.losses === null).length;
    });
    if (i < WARM_BLOCKS) continue;
    marks.push(performance.now() - start);
    blocks.push(block.seconds * 1000);
    cpu += ownSeconds() - began + block.cpu;
    stale += unfresh;
  }
  const whole = blocks.map((milliseconds, i) => milliseconds + (marks[i] as number));
  return [
    {
      name: `${OPTIONS} options on a surface: a block's votes, parameters, marks and requirements`,
      value: percentile(whole, 50),
      unit: "ms per block",
      mark: { atMost: MARK_MS },
      details: {
        "p99, ms": percentile(whole, 99),
        "marks and requirements p50, ms": percentile(marks, 50),
        "the block itself p50, ms": percentile(blocks, 50),
        "processor time, ms per block": (cpu / BLOCKS) * 1000,
        "options priced from scratch per block": OPTIONS / TURNS,
        "marks not fresh": stale,
        blocks: BLOCKS,
      },
    },
  ];
}
