/** Parameters: defaults with their reasons, and what is refused. */
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { PPM } from "../kit/math/mul-div.ts";
import { parseMoney } from "../kit/money.ts";
import { validateFeeSplit } from "./clearing/fee-split.ts";
import { refuse } from "./errors.ts";
import {
  LIQUIDATIONS_PER_BLOCK_CEILING,
  MARKETS_PER_ACCOUNT_CEILING,
  SETTLEMENT_PER_BLOCK_CEILING,
} from "./limits.ts";
import { validateLadder } from "./liquidation/terms.ts";

/** A market whose losses nobody bears does not trade: nobody is held in it for longer than some days. */
const AFTER_BLOCKS_MAX = 1_000_000;
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;

/** Amounts in quanta of 1e-6 settlement units. */
export function defaultParams(settlementDenom: string): Params {
  return {
    // Empty until genesis fills in the governance account.
    authority: "",
    settlementDenom,
    marketsPerAccountMax: 32,
    // 1 %: below every maintenance rate in use, so a liquidation in time never ends below zero by its penalty.
    liquidationPenaltyPpm: 10_000n,
    // 1.25 × maintenance: far enough not to come back next block, near enough not to close more than needed.
    liquidationTargetPpm: 1_250_000n,
    // 0.4 % expected against the book of a liquid market.
    liquidationSlippagePpm: 4_000n,
    // 500 units: smaller clips cost more in fills than they free.
    liquidationNotionalMin: "500000000",
    liquidationsPerBlockMax: 50,
    // 5 million units a block: bounds how deep one block can push a book.
    liquidationNotionalPerBlockMax: "5000000000000",
    // 10 % around mark; a deficit beyond it is not put on the other side.
    deleverageBandPpm: 100_000n,
    // 10 minutes, as time and not as a number of blocks.
    withdrawalGateMs: 600_000n,
    // 1.5 × the maintenance rate at zero equity.
    liquidationSpreadPpm: 1_500_000n,
    // The defaults of limits.ts.
    settlementAccountsPerBlockMax: 0,
    settlementPositionsPerBlockMax: 0,
    // Held until someone has decided where they go.
    feeSplit: undefined,
    backstopHealthPpm: 0n,
    backstopWaitMs: 0n,
    marketGates: false,
    // Not before its authority has decided on it.
    ladder: undefined,
    // What nobody bears stays in the deficit queue. To begin with: 50 blocks, at once beyond twice what the funds hold.
    marketSettlement: undefined,
    // Every quantum counts. To begin with: 100 units, what a rounding or a forgotten account may miss and no fund fails of.
    shortfallFloor: "",
  };
}

/** Throws ModuleError on anything out of range. */
export function validateParams(params: Params, addresses: Addresses): void {
  if (params.authority !== "") addresses.parse(params.authority);
  if (!DENOM.test(params.settlementDenom)) {
    throw refuse("invalidRequest", `expected a denom, got "${params.settlementDenom}"`);
  }
  const markets = params.marketsPerAccountMax;
  requireThat(
    markets >= 1 && markets <= MARKETS_PER_ACCOUNT_CEILING,
    `expected 1 to ${MARKETS_PER_ACCOUNT_CEILING} markets per account, got ${markets}`,
  );
  requireThat(params.liquidationPenaltyPpm <= PPM / 5n, "expected a penalty of at most 20 %");
  requireThat(
    params.liquidationTargetPpm >= PPM && params.liquidationTargetPpm <= 10n * PPM,
    "expected a liquidation target of 1 to 10 times maintenance",
  );
  requireThat(params.liquidationSlippagePpm <= PPM / 5n, "expected slippage of at most 20 %");
  requireThat(params.deleverageBandPpm < PPM, "expected a deleverage band below 100 %");
  requireThat(params.liquidationSpreadPpm <= 10n * PPM, "expected a spread of at most 1000 %");
  validateWork(params);
  const least = parseMoney(params.liquidationNotionalMin);
  requireThat(least !== null && least >= 0n, "expected a minimum notional of at least 0");
  const most = parseMoney(params.liquidationNotionalPerBlockMax);
  requireThat(most !== null && most > 0n, "expected a positive notional per block");
  validateFeeSplit(params.feeSplit, addresses);
  validateLadder(params.ladder);
  validateMarketSettlement(params);
  requireThat(params.backstopHealthPpm <= PPM, "expected a backstop health of at most 100 %");
  requireThat(params.backstopWaitMs <= 86_400_000n, "expected a backstop wait of at most a day");
  requireThat(
    params.withdrawalGateMs <= 30n * 86_400_000n,
    "expected a withdrawal gate of at most 30 days",
  );
}

/** What one block does of what is due. */
function validateWork(params: Params): void {
  const liquidations = params.liquidationsPerBlockMax;
  requireThat(
    liquidations >= 1 && liquidations <= LIQUIDATIONS_PER_BLOCK_CEILING,
    `expected 1 to ${LIQUIDATIONS_PER_BLOCK_CEILING} liquidations per block, got ${liquidations}`,
  );
  for (const [what, most] of [
    ["accounts", params.settlementAccountsPerBlockMax],
    ["positions", params.settlementPositionsPerBlockMax],
  ] as const) {
    requireThat(
      most <= SETTLEMENT_PER_BLOCK_CEILING,
      `expected at most ${SETTLEMENT_PER_BLOCK_CEILING} ${what} settled per block, got ${most}`,
    );
  }
}

/** What is settled because of a loss: when (`market_settlement`), and what is too little to count (`shortfall_floor`). */
function validateMarketSettlement({ marketSettlement: terms, shortfallFloor }: Params): void {
  const floor = shortfallFloor === "" ? 0n : parseMoney(shortfallFloor);
  requireThat(floor !== null && floor >= 0n, "expected a shortfall floor of at least 0");
  if (terms === undefined) return;
  requireThat(
    terms.afterBlocks >= 1 && terms.afterBlocks <= AFTER_BLOCKS_MAX,
    `expected a market to be settled after 1 to ${AFTER_BLOCKS_MAX} blocks`,
  );
  requireThat(terms.atOncePpm <= 1_000n * PPM, "expected at most 1000 times what the funds hold");
}

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidRequest", message);
}
