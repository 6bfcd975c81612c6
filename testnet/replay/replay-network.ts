/** The network of a replay: which rows are played, and validators that live through them. */
import { resolve } from "node:path";
import { readBars } from "@keel/node/feeds/csv";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { roleWallet } from "../keys/roles.ts";
import { LocalNetwork } from "../network/network.ts";
import { freePorts } from "../network/ports.ts";
import { QUANTA } from "./market-set-up.ts";
import type { ReplayOptions } from "./options.ts";
import type { Schedule } from "./schedule.ts";
import { clockValues } from "./schedule.ts";

export const VALIDATORS = 4;
/** All there is, held by the faucet role. */
export const TREASURY_UNITS: bigint = 1_000_000_000n;
const MINUTE_MS = 60_000;
const NOTICE_MS = 60_000n;
/** No block may take longer than this for its price to be called fresh; the market allows three of them. */
const BLOCK_MS_MAX = 1_000;
/** The generator's rows begin at a fixed moment, so that a seed always gives the same prices. */
const GENERATOR_FIRST_MS = Date.UTC(2025, 0, 1);
const GENERATOR_MINUTES = 130;
const GENERATOR_PRICE = 60_000;

/** First and last moment that is played. Throws CsvError on a bad file. */
export function plannedRows({ prices, minutes }: ReplayOptions): {
  firstMs: number;
  endMs: number;
} {
  const limit = (minutes ?? Number.POSITIVE_INFINITY) * MINUTE_MS;
  if (prices === null) {
    const lengthMs = Math.min(limit, GENERATOR_MINUTES * MINUTE_MS);
    return { firstMs: GENERATOR_FIRST_MS, endMs: GENERATOR_FIRST_MS + lengthMs };
  }
  const { bars, intervalMs } = readBars(prices);
  const firstMs = bars[0]?.openTimeMs ?? 0;
  const lastMs = bars.at(-1)?.openTimeMs ?? 0;
  return { firstMs, endMs: firstMs + Math.min(limit, lastMs + intervalMs - firstMs) };
}

/** Four validators whose clocks and prices are those of the schedule; one account holds all coins. */
export async function createReplayNetwork(
  options: ReplayOptions,
  plan: Schedule,
  directory: string,
): Promise<LocalNetwork> {
  const treasury = await roleWallet("faucet");
  const supply = TREASURY_UNITS * QUANTA;
  return await LocalNetwork.create({
    directory,
    ports: await freePorts(VALIDATORS),
    genesis: {
      chainId: "keel-replay-1",
      genesisTime: timestampFromMs(plan.genesisMs),
      accounts: [{ address: treasury.address, coins: [{ denom: "uusdc", amount: supply }] }],
      authority: null,
      priceMaxAgeMs: 3 * BLOCK_MS_MAX * plan.scale,
      vaultQuotes: true,
      insuranceFund: BigInt(options.fund) * QUANTA,
      clearingHouse: {
        emergencyKey: treasury.address,
        noticeMs: NOTICE_MS,
        priceRanges: options.ranges,
      },
    },
    config: {
      ...clockValues(plan),
      ...(options.prices === null
        ? {
            "oracle.source": "generator",
            "oracle.seed": options.seed,
            "oracle.start-price": GENERATOR_PRICE,
            "oracle.start": new Date(plan.firstMs).toISOString(),
          }
        : { "oracle.source": "csv", "oracle.file": resolve(options.prices) }),
      "consensus.empty_block_interval": "400ms",
      // Four validators share the machine: a worker each would only contend.
      "crypto.workers": 0,
    },
  });
}
