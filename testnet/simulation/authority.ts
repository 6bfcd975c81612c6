/** What the authority does over a run: lists series, halts and reopens markets, changes terms and parameters, takes bonds, collects fees. */
import { defaultTerms, linearPerpetual } from "@keel/modules/derivatives/defaults";
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Random } from "@keel/modules/derivatives/random";
import type { ReadContext } from "@keel/modules/kit/context";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import {
  defaultParams as vaultParams,
  defaultTerms as vaultTerms,
} from "@keel/modules/vault/params";
import type { Keel } from "@keel/node/app/app";
import { QueryBondsRequest, QueryBondsResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgCreateMarket,
  MsgCreateSeries,
  MsgForfeitBond,
  MsgUpdateFeeParams,
  MsgUpdateMarket,
  MsgUpdateParams,
  MsgUpdateSeries,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
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
import { exchangeParams, feeParams, ledgerParams, seriesList } from "./genesis.ts";
import { endedEarly, guardAct } from "./guard-acts.ts";
import { anotherDynamicMargin, anotherModel, openingModel } from "./margin-models.ts";
import { ask, type PlannedMessage } from "./operation.ts";
import { FEEDS, SURFACE } from "./prices.ts";
import { anotherFund, anotherWaterfall, insuranceAct, openingFunds } from "./waterfall-acts.ts";

/** Before the jump of the weather, which comes at the beginning of the window of settlement. */
const ENDING_MS = 6 * 60_000 + 30_000;
const HALF_HOUR_MS = 30 * 60_000;
const DERIVATIVES = "/keel.derivatives.v1.";
const { MARKET_STATUS_ACTIVE, MARKET_STATUS_CLOSE_ONLY, MARKET_STATUS_HALTED } = MarketStatus;

interface Scene {
  readonly keel: Keel;
  readonly ctx: ReadContext;
  readonly random: Random;
  readonly authority: string;
  readonly instruments: readonly Instrument[];
}

type Act = (scene: Scene) => PlannedMessage | null;

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

function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[random.below(Math.max(1, from.length))];
}

function status(scene: Scene, instrument: Instrument, next: MarketStatus): PlannedMessage {
  const { authority } = scene;
  const value = { authority, market: instrument.symbol, status: next };
  return { typeUrl: `${DERIVATIVES}MsgUpdateMarket`, value: MsgUpdateMarket.fromPartial(value) };
}

const isStopped = ({ status: now }: Instrument): boolean => now === "halted" || now === "closeOnly";

function leftMs({ ctx }: Scene, { contract }: Instrument): number {
  return Number(contract.maturity?.expiryMs ?? 0) - Number(ctx.header.timeNs / 1_000_000n);
}

const isEnding = (scene: Scene, instrument: Instrument): boolean => {
  const left = leftMs(scene, instrument);
  return left > 0 && left < ENDING_MS;
};

const reopen: Act = (scene) => {
  const stopped = scene.instruments.filter(
    (one) => isStopped(one) && one.market.status !== MARKET_STATUS_ACTIVE && !isEnding(scene, one),
  );
  const found = pick(scene.random, stopped);
  return found === undefined ? null : status(scene, found, MARKET_STATUS_ACTIVE);
};

const stop: Act = (scene) => {
  const open = scene.instruments.filter((one) => one.status === "active");
  const found = pick(scene.random, open);
  if (found === undefined) return null;
  const next = scene.random.below(3) === 0 ? MARKET_STATUS_CLOSE_ONLY : MARKET_STATUS_HALTED;
  return status(scene, found, next);
};

/** What somebody holds, shortly before its end, of every other half hour: nobody is liquidated there, and who is below zero then is found by the settlement. */
const stopEnding: Act = (scene) => {
  const { keel, ctx, instruments, random } = scene;
  const ending = instruments.filter((one) => {
    const odd = Math.floor(Number(one.contract.maturity?.expiryMs ?? 0) / HALF_HOUR_MS) % 2 === 1;
    const held = keel.margin.ledger(ctx, one.id)?.positions ?? 0n;
    return odd && one.status === "active" && held > 0n && isEnding(scene, one);
  });
  const futures = ending.filter(({ contract }) => contract.kind === "datedFuture");
  const found = pick(random, futures) ?? pick(random, ending);
  return found === undefined ? null : status(scene, found, MARKET_STATUS_HALTED);
};

/** Fees move a little; the second perpetual goes from batch auctions to continuous matching and back. */
const changeTerms: Act = ({ instruments, random, authority }) => {
  const found = pick(
    random,
    instruments.filter(({ status: now }) => now === "active"),
  );
  if (found === undefined) return null;
  const { auction } = found.terms;
  const matching =
    random.below(2) === 0
      ? MatchingMode.MATCHING_MODE_CONTINUOUS
      : MatchingMode.MATCHING_MODE_BATCH_AUCTION;
  const switched =
    auction === undefined || found.symbol !== "ETH-PERP" ? auction : { ...auction, matching };
  const terms = { ...found.terms, takerFeePpm: 400 + random.below(300), auction: switched };
  const value = MsgUpdateMarket.fromPartial({ authority, market: found.symbol, terms });
  return { typeUrl: `${DERIVATIVES}MsgUpdateMarket`, value };
};

/** The ETH perpetual is by auction most of the time. */
const backToAuctions: Act = ({ instruments, authority }) => {
  const found = instruments.find(({ symbol }) => symbol === "ETH-PERP");
  const auction = found?.terms.auction;
  if (found === undefined || auction === undefined) return null;
  const terms = {
    ...found.terms,
    auction: { ...auction, matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION },
  };
  return {
    typeUrl: `${DERIVATIVES}MsgUpdateMarket`,
    value: MsgUpdateMarket.fromPartial({ authority, market: found.symbol, terms }),
  };
};

const bonds: Act = (scene) => {
  const { random, authority, instruments } = scene;
  const codecs = [QueryBondsRequest, QueryBondsResponse] as const;
  const bond = pick(random, ask(scene, `${DERIVATIVES}Query/Bonds`, codecs, {}).bonds);
  const known = instruments.find(({ id }) => id === bond?.market);
  // Sometimes of a market that has none.
  const market = random.below(3) === 0 ? pick(random, instruments) : known;
  if (market === undefined) return null;
  return {
    typeUrl: `${DERIVATIVES}MsgForfeitBond`,
    value: MsgForfeitBond.fromPartial({ authority, market: market.symbol }),
  };
};

const series: Act = ({ random, authority }) => {
  const list = seriesList();
  const one = pick(random, list);
  if (one === undefined) return null;
  if (random.below(4) === 0)
    return {
      typeUrl: `${DERIVATIVES}MsgCreateSeries`,
      value: MsgCreateSeries.fromPartial({ authority, series: one }),
    };
  const name = random.below(4) === 0 ? "NONE" : one.name;
  const change = { ...one, name, paused: random.below(5) === 0 };
  return {
    typeUrl: `${DERIVATIVES}MsgUpdateSeries`,
    value: MsgUpdateSeries.fromPartial({ authority, series: change }),
  };
};

/** Another perpetual on a feed that has one: taken until the bound on markets is met, or its symbol is. */
const create: Act = ({ random, authority }) => {
  const [base, feedId] = ["BTC", FEEDS.btc] as const;
  const market = linearPerpetual({
    symbol: `${base}-PERP-${1 + random.below(3)}`,
    baseAsset: base,
    quoteAsset: "USD",
    feedId,
    tickSize: "0.5",
    lotSize: "0.001",
  });
  return {
    typeUrl: `${DERIVATIVES}MsgCreateMarket`,
    value: MsgCreateMarket.fromPartial({ authority, market: { ...market, terms: defaultTerms() } }),
  };
};

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
  const dice = random.below(4);
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

const acts: readonly Act[] = [
  reopen,
  reopen,
  reopen,
  reopen,
  stop,
  stop,
  changeTerms,
  backToAuctions,
  backToAuctions,
  bonds,
  bonds,
  series,
  series,
  create,
  exchange,
  ledger,
  ({ random, authority }) => insuranceAct(random, authority),
  ({ random, authority }) => anotherFund(random, authority),
  ({ random, authority }) => anotherFund(random, authority),
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

/** At most one act a block, in about one block of three. */
export function authorityAct(scene: Scene): PlannedMessage | null {
  const { random } = scene;
  if (random.below(24) === 0) return endedEarly(scene, scene);
  const stopped = random.below(2) === 0 ? stopEnding(scene) : null;
  if (stopped !== null) return stopped;
  if (random.below(3) !== 0) return null;
  const act = pick(random, acts);
  return act === undefined ? null : act(scene);
}
