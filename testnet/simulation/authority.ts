import type { Random } from "@keel/modules/derivatives/random";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import {
  defaultParams as vaultParams,
  defaultTerms as vaultTerms,
} from "@keel/modules/vault/params";
import {
  MsgCreateSeries,
  MsgUpdateFeeParams,
  MsgUpdateParams,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  MsgCollectFees,
  MsgUpdateParams as MsgUpdateMargin,
} from "@keel/proto/gen/keel/margin/v1/tx";
import type { FeedGuard } from "@keel/proto/gen/keel/oracle/v1/guard";
import {
  MsgUpdateFeeds,
  MsgUpdateParams as MsgUpdateOracle,
  MsgUpdateSurfaces,
} from "@keel/proto/gen/keel/oracle/v1/tx";
import { MsgSetVaultMarket, MsgUpdateVaultParams } from "@keel/proto/gen/keel/vault/v1/tx";
import { otherTerms } from "./collateral-operations.ts";
import { DENOM, exchangeParams, feeParams, ledgerParams, seriesList } from "./genesis.ts";
import { endedEarly, guardAct } from "./guard-acts.ts";
import {
  anotherDynamicMargin,
  anotherModel,
  openingModel,
  wrongDynamicMargin,
  wrongModel,
} from "./margin-models.ts";
import { type Act, marketActs, pick, type Scene, stopEnding } from "./market-acts.ts";
import type { PlannedMessage } from "./operation.ts";
import { FEEDS, SURFACE } from "./prices.ts";
import {
  anotherFund,
  anotherWaterfall,
  insuranceAct,
  openingFunds,
  wrongInsurance,
  wrongWaterfall,
} from "./waterfall-acts.ts";

const DERIVATIVES = "/keel.derivatives.v1.";

/** What it does in the first block. */
export function openingActs(authority: string): PlannedMessage[] {
  return [
    ...seriesList().map((series) => ({
      typeUrl: `${DERIVATIVES}MsgCreateSeries`,
      value: MsgCreateSeries.fromPartial({ authority, series }),
    })),
    ...openingFunds(authority),
    openingModel(authority),
    {
      typeUrl: "/keel.vault.v1.MsgSetVaultMarket",
      value: MsgSetVaultMarket.fromPartial({ authority, market: "BTC-PERP", terms: vaultTerms() }),
    },
  ];
}

/** Now and then so few markets are allowed that nothing more can be listed. */
const exchange: Act = ({ random, authority }) => {
  const params = exchangeParams(authority);
  const { instruments } = params;
  const few = random.below(3) === 0;
  const changed =
    few && instruments !== undefined
      ? { ...params, instruments: { ...instruments, marketsMax: 4 } }
      : params;
  return {
    typeUrl: `${DERIVATIVES}MsgUpdateParams`,
    value: MsgUpdateParams.fromPartial({ authority, params: changed }),
  };
};

const ledger: Act = ({ random, authority }) => {
  // Now and then one that is out of bounds.
  const liquidationTargetPpm = random.below(4) === 0 ? 1n : 1_250_000n;
  const params = {
    ...ledgerParams(authority),
    // Now and then without a ladder.
    ...(random.below(4) === 0 ? { ladder: undefined } : {}),
    liquidationTargetPpm,
    liquidationPenaltyPpm: BigInt(8_000 + random.below(4_000)),
    marketGates: random.below(2) === 0,
    // By halves held until somebody collects them, and split.
    feeSplit:
      random.below(2) === 0
        ? { stakersPpm: 300_000, insurancePpm: 500_000, treasuryPpm: 200_000, treasury: authority }
        : undefined,
  };
  return {
    typeUrl: "/keel.margin.v1.MsgUpdateParams",
    value: MsgUpdateMargin.fromPartial({ authority, params }),
  };
};

const oracle: Act = ({ random, authority }) =>
  random.below(2) === 0
    ? {
        typeUrl: "/keel.oracle.v1.MsgUpdateParams",
        value: MsgUpdateOracle.fromPartial({
          authority,
          params: {
            authority,
            emaTimeMs: BigInt(20_000 + random.below(20_000)),
            reportWindowBlocks: 200n,
            missMaxPpm: 100_000n,
            deviantMaxPpm: 100_000n,
            penaltyPpm: 1_000n,
          },
        }),
      }
    : {
        typeUrl: "/keel.oracle.v1.MsgUpdateFeeds",
        value: MsgUpdateFeeds.fromPartial({
          authority,
          feeds: [
            {
              id: FEEDS.sol,
              symbol: "SOL-USD",
              exponent: -4,
              maxAgeMs: BigInt(25_000 + random.below(10_000)),
              minReportingPowerPpm: 666_667n,
              maxDeviationPpm: 10_000n,
              enabled: true,
              guard: random.below(4) === 0 ? undefined : simulatedGuard(random),
            },
          ],
        }),
      };

/** Ages that the weather reaches, and limits that its jumps pass now and then. */
function simulatedGuard(random: Random): FeedGuard {
  return {
    ...defaultGuard(),
    noWithdrawalsAgeMs: BigInt(40_000 + random.below(20_000)),
    noLiquidationAgeMs: BigInt(60_000 + random.below(60_000)),
    slowDeviationPpm: BigInt(5_000 + random.below(20_000)),
    breakDeviationPpm: BigInt(20_000 + random.below(40_000)),
    twapSteps: 2 + random.below(20),
  };
}

const surface: Act = ({ keel, ctx, random, authority }) => {
  const known = keel.oracle.surface(ctx, SURFACE);
  if (known === undefined) return null;
  const changed = {
    ...known,
    maxAgeMs: BigInt(25_000 + random.below(10_000)),
    repricingBlocks: 2 + random.below(4),
  };
  return {
    typeUrl: "/keel.oracle.v1.MsgUpdateSurfaces",
    value: MsgUpdateSurfaces.fromPartial({ authority, surfaces: [changed] }),
  };
};

const vault: Act = ({ random, authority }) => ({
  typeUrl: "/keel.vault.v1.MsgUpdateVaultParams",
  value: MsgUpdateVaultParams.fromPartial({
    authority,
    params: {
      ...vaultParams(),
      authority,
      lockupMs: BigInt(60_000 + random.below(60_000)),
      withdrawalDelayMs: 30_000n,
    },
  }),
});

/** Now and then a budget that is soon used up, or a share of more than everything. */
const fees: Act = ({ random, authority }) => {
  const params = feeParams();
  const dice = random.below(8);
  const actionBudget = { initial: 1n, quantaPerAction: 10n ** 15n, trickleMs: 600_000n };
  const changed =
    dice === 0
      ? { ...params, actionBudget }
      : dice === 1
        ? { ...params, referrerSharePpm: 2_000_000 }
        : params;
  const value = MsgUpdateFeeParams.fromPartial({ authority, params: changed });
  return { typeUrl: `${DERIVATIVES}MsgUpdateFeeParams`, value };
};

const collect: Act = ({ random, authority }) => ({
  typeUrl: "/keel.margin.v1.MsgCollectFees",
  value: MsgCollectFees.fromPartial({
    authority,
    recipient: authority,
    amount: random.below(4) === 0 ? "9".repeat(20) : `${1_000 + random.below(100_000)}`,
  }),
});

const guard: Act = ({ authority, ctx, instruments, random }) =>
  guardAct({ authority, instruments, random, nowMs: Number(ctx.header.timeNs / 1_000_000n) });

const anotherFundNow: Act = ({ authority, ctx, keel, random }) =>
  anotherFund(random, authority, keel.margin.pendingShortfall(ctx, DENOM));

const acts: readonly Act[] = [
  ...marketActs,
  exchange,
  ledger,
  ({ random, authority }) => insuranceAct(random, authority),
  anotherFundNow,
  anotherFundNow,
  ({ random, authority }) => anotherWaterfall(random, authority),
  oracle,
  surface,
  collect,
  ({ random, authority }) => anotherDynamicMargin(random, authority),
  vault,
  fees,
  fees,
  ({ random, authority }) => anotherModel(random, authority),
  guard,
  guard,
  guard,
  ({ random, authority }) => otherTerms(authority, random.below(8)),
];

/** What is refused whenever it is said, in turn. */
const WRONG_EVERY = 150;
const wrongActs: readonly ((authority: string) => PlannedMessage)[] = [
  wrongWaterfall,
  wrongInsurance,
  wrongModel,
  wrongDynamicMargin,
];

/** At most one act a block, in about one block of three. */
export function authorityAct(scene: Scene): PlannedMessage | null {
  const { authority, ctx, random } = scene;
  const turn = ctx.header.height / WRONG_EVERY;
  if (Number.isInteger(turn)) return wrongActs[turn % wrongActs.length]?.(authority) ?? null;
  if (random.below(24) === 0) return endedEarly(scene, scene);
  const stopped = random.below(2) === 0 ? stopEnding(scene) : null;
  if (stopped !== null) return stopped;
  if (random.below(3) !== 0) return null;
  const act = pick(random, acts);
  return act === undefined ? null : act(scene);
}
