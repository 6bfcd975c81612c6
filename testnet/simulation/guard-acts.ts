/** What the authority and the emergency key do with the circuit breakers over a run: rules, limits, halts of seconds, and their early end. */
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Random } from "@keel/modules/derivatives/random";
import { defaultParams } from "@keel/modules/guard/params";
import { MsgUpdateMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  QueryRestrictionsRequest,
  QueryRestrictionsResponse,
} from "@keel/proto/gen/keel/guard/v1/query";
import {
  MsgLoosen,
  MsgSetMarketRules,
  MsgSetWithdrawalLimits,
  MsgTighten,
  MsgUpdateGuardParams,
} from "@keel/proto/gen/keel/guard/v1/tx";
import { RestrictionLevel } from "@keel/proto/gen/keel/guard/v1/types";
import { DENOM } from "./genesis.ts";
import { type At, ask, type PlannedMessage } from "./operation.ts";

const GUARD = "/keel.guard.v1.";
const PERPETUALS = ["BTC-PERP", "ETH-PERP"] as const;

export interface GuardScene {
  readonly random: Random;
  readonly authority: string;
  readonly nowMs: number;
  readonly instruments: readonly Instrument[];
}

type Act = (scene: GuardScene) => PlannedMessage | null;

function perpetual(random: Random): string {
  return PERPETUALS[random.below(PERPETUALS.length)] ?? PERPETUALS[0];
}

/** Half of the time a gap of a minute counts as an outage. */
const params: Act = ({ authority, random }) => ({
  typeUrl: `${GUARD}MsgUpdateGuardParams`,
  value: MsgUpdateGuardParams.fromPartial({
    authority,
    params: {
      ...defaultParams(),
      authority,
      ...(random.below(2) === 0
        ? { outage: { gapMs: 60_000n, blocks: 2, withdrawalBlocks: 3 } }
        : {}),
    },
  }),
});

const rules: Act = ({ authority, random }) => {
  const pace = { intervalMs: 5_000n, stepMaxPpm: 200_000n, bandPpm: 20_000n };
  const range = {
    horizonMs: BigInt(10_000 + random.below(50_000)),
    limitPpm: BigInt(10_000 + random.below(40_000)),
    deviationsPpm: random.below(2) === 0 ? 0n : 3_290_000n,
    auctionMs: BigInt(random.below(3) * 2_000),
    initialRaisePpm: 300_000n,
    raiseMs: 20_000n,
    withdrawalDelayMs: BigInt(random.below(2) * 5_000),
  };
  const depthRangePpm = 20_000n;
  return {
    typeUrl: `${GUARD}MsgSetMarketRules`,
    value: MsgSetMarketRules.fromPartial({
      authority,
      market: perpetual(random),
      ...(random.below(5) === 0
        ? {}
        : {
            rules: {
              ranges: [range],
              openInterest: {
                lotsMin: 1_000n,
                lotsMax: 100_000_000n,
                depthRangePpm,
                depthMultiplePpm: 20_000_000n,
                pace,
              },
              margin: {
                raiseMaxPpm: 500_000n,
                depthLots: BigInt(random.below(100_000)),
                depthRangePpm,
                depthWeightPpm: 200_000n,
                ownerFreePpm: 200_000n,
                ownerWeightPpm: 500_000n,
                nearFreePpm: 50_000n,
                nearWeightPpm: 500_000n,
                pace,
              },
            },
          }),
    }),
  };
};

const limits: Act = ({ authority, random }) => ({
  typeUrl: `${GUARD}MsgSetWithdrawalLimits`,
  value: MsgSetWithdrawalLimits.fromPartial({
    authority,
    denom: DENOM,
    limits:
      random.below(3) === 0
        ? []
        : [
            { windowMs: 60_000n, sharePpm: BigInt(random.below(20_000)), floor: "50000000" },
            { windowMs: 3_600_000n, sharePpm: 300_000n, floor: "0" },
          ],
  }),
});

/** For less than a minute: longer ones would leave the run little to do. */
const tighten: Act = ({ authority, nowMs, random }) => {
  const dice = random.below(4);
  const level =
    dice === 0
      ? RestrictionLevel.RESTRICTION_LEVEL_HALTED
      : RestrictionLevel.RESTRICTION_LEVEL_CLOSE_ONLY;
  const what =
    dice < 2
      ? { market: perpetual(random), level }
      : dice === 2
        ? { market: "", closeWithdrawals: true }
        : { market: perpetual(random), initialRaisePpm: 200_000n, openInterestMaxLots: 1_000n };
  return {
    typeUrl: `${GUARD}MsgTighten`,
    value: MsgTighten.fromPartial({
      sender: authority,
      ...what,
      untilMs: BigInt(nowMs + 20_000 + random.below(40_000)),
      reason: "a drill",
    }),
  };
};

function loosening(authority: string, market: string, openWithdrawals: boolean): PlannedMessage {
  const value = MsgLoosen.fromPartial({ authority, market, openWithdrawals });
  return { typeUrl: `${GUARD}MsgLoosen`, value };
}

/** Mostly of what nobody has tightened. */
const loosen: Act = ({ authority, random }) =>
  loosening(authority, random.below(3) === 0 ? "" : perpetual(random), random.below(2) === 0);

/** Before its time, of something that is in force. Null: nothing is. */
export function endedEarly(
  at: Pick<At, "keel" | "ctx">,
  { authority, random }: Pick<GuardScene, "authority" | "random">,
): PlannedMessage | null {
  const codecs = [QueryRestrictionsRequest, QueryRestrictionsResponse] as const;
  const { restrictions } = ask(at, `${GUARD}Query/Restrictions`, codecs, { market: "" });
  const found = restrictions[random.below(Math.max(1, restrictions.length))];
  return found === undefined ? null : loosening(authority, found.market, true);
}

/** Terms that would close most of those who hold the market: refused, unless nobody does. */
const harshTerms: Act = ({ authority, instruments, random }) => {
  const market = perpetual(random);
  const terms = instruments.find(({ symbol }) => symbol === market)?.terms;
  if (terms === undefined) return null;
  const tiers = [{ aboveQuanta: "0", initialPpm: 950_000n, maintenancePpm: 900_000n }];
  const value = MsgUpdateMarket.fromPartial({ authority, market, terms: { ...terms, tiers } });
  return { typeUrl: "/keel.derivatives.v1.MsgUpdateMarket", value };
};

const acts: readonly Act[] = [
  params,
  rules,
  rules,
  rules,
  limits,
  tighten,
  tighten,
  loosen,
  harshTerms,
];

export function guardAct(scene: GuardScene): PlannedMessage | null {
  const act = acts[scene.random.below(acts.length)] ?? params;
  return act(scene);
}
