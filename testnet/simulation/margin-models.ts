/** Margin models of the simulation: the one in force from the first block, and what the authority tries instead. */
import type { Random } from "@keel/modules/derivatives/random";
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";
import { PortfolioModel, SkewMove, VolatilityMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { MsgSetDynamicMargin, MsgSetPortfolioModel } from "@keel/proto/gen/keel/margin/v1/tx";
import type { PlannedMessage } from "./operation.ts";
import { FEEDS } from "./prices.ts";

const { VOLATILITY_MOVE_DOWN, VOLATILITY_MOVE_UP, VOLATILITY_MOVE_SAME } = VolatilityMove;
const STEPS = [-1_000_000n, -500_000n, 0n, 500_000n, 1_000_000n];

/** Ranges of `rangePpm`, ten scenarios, two tails, a skew, and something of every add-on. */
export function marginModel(rangePpm: bigint): PortfolioModel {
  const core = STEPS.flatMap((step) =>
    [VOLATILITY_MOVE_DOWN, VOLATILITY_MOVE_UP].map((volatility) => ({
      rangePpm: step,
      volatility,
    })),
  );
  const tails = [-660_000n, 2_000_000n].map((movePpm) => ({
    movePpm,
    volatility: VOLATILITY_MOVE_UP,
  }));
  const skew = { volatility: VOLATILITY_MOVE_SAME, skew: SkewMove.SKEW_MOVE_TILT };
  const rates = { initialPpm: 5_000n, maintenancePpm: 3_000n };
  return PortfolioModel.fromPartial({
    name: `simulated-${rangePpm}`,
    scenarios: [...core, ...tails, skew],
    volatilityShock: {
      upPpm: 500_000n,
      downPpm: 280_000n,
      upMinimumPpm: 450_000n,
      shortPowerPpm: 300_000n,
      longPowerPpm: 130_000n,
      timeFloorMs: 86_400_000n,
    },
    skewShock: {
      capPpm: 250_000n,
      widthMinimumPpm: 10_000n,
      widthMultiplePpm: 4_000_000n,
      widthVolatilityPpm: 600_000n,
    },
    initialFactorPpm: 1_000_000n,
    maintenanceFactorPpm: 800_000n,
    underlyings: [
      {
        underlying: "",
        rangeMinimumPpm: rangePpm,
        rangeMaximumPpm: rangePpm,
        betaPpm: 700_000n,
        betaMeasured: true,
        dailyVolume: "1000000000000",
      },
    ],
    offsetCapPpm: 800_000n,
    addOns: {
      shortOptions: { rates },
      deltaMinimum: {
        net: { initialPpm: 20_000n, maintenancePpm: 16_000n },
        hedged: { initialPpm: 10_000n, maintenancePpm: 8_000n },
        floor: true,
      },
      basis: { upPpm: 45_000n, downPpm: 45_000n, sharePpm: 250_000n },
      concentration: { volumeSharePpm: 100_000n, horizonMs: 3_600_000n, impactPpm: 1_000_000n },
      liquidity: { linearPpm: 200n, optionPpm: 1_000n },
      fundingHours: 8,
    },
  });
}

function setting(authority: string, model: PortfolioModel | undefined): PlannedMessage {
  const value = MsgSetPortfolioModel.fromPartial({ authority, model });
  return { typeUrl: "/keel.margin.v1.MsgSetPortfolioModel", value };
}

export function openingModel(authority: string): PlannedMessage {
  return setting(authority, marginModel(100_000n));
}

/** One without scenarios. */
export function wrongModel(authority: string): PlannedMessage {
  return setting(authority, { ...marginModel(100_000n), scenarios: [] });
}

/** A little more or less, far too much, or none at all. */
export function anotherModel(random: Random, authority: string): PlannedMessage {
  const dice = random.below(8);
  if (dice === 0) return setting(authority, undefined);
  if (dice < 4) return setting(authority, marginModel(900_000n));
  return setting(authority, marginModel(BigInt(80_000 + 5_000 * random.below(9))));
}

/** Of a feed that is none. */
export function wrongDynamicMargin(authority: string): PlannedMessage {
  const value = { authority, feedId: 99, terms: defaultDynamicMargin(99) };
  return {
    typeUrl: "/keel.margin.v1.MsgSetDynamicMargin",
    value: MsgSetDynamicMargin.fromPartial(value),
  };
}

/** Margin that follows volatility, quick enough for a run; sometimes off. */
export function anotherDynamicMargin(random: Random, authority: string): PlannedMessage {
  const dice = random.below(8);
  const feedId = random.below(2) === 0 ? FEEDS.btc : FEEDS.eth;
  const terms = {
    ...defaultDynamicMargin(feedId),
    basePpm: BigInt(50_000 + random.below(100_000)),
    multiplierMaxPpm: 2_000_000n,
    factorFeedId: FEEDS.btc,
    fastHalfLifeMs: 600_000n,
    slowHalfLifeMs: 3_600_000n,
    forward: {
      ...{ impliedFeedId: FEEDS.volatility, impliedWeightPpm: 50_000n },
      ...{ widthFreePpm: 2_000n, widthWeightPpm: 500_000n, riseMaxPpm: 300_000n },
    },
  };
  return {
    typeUrl: "/keel.margin.v1.MsgSetDynamicMargin",
    value: MsgSetDynamicMargin.fromPartial(
      dice === 1 ? { authority, feedId } : { authority, feedId, terms },
    ),
  };
}
