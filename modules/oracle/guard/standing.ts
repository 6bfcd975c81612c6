/**
 * What reporting badly costs: at the end of each window of counters, validators beyond the limits are charged. Who holds stakes docks and jails
 * through the port; the standing and the event are kept here whether or not there is such a module.
 */
import { PenaltyReason, type ValidatorStanding } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { Params, ValidatorReport } from "@keel/proto/gen/keel/oracle/v1/types";
import type { WriteContext } from "../../kit/context.ts";
import { mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { type Charge, emitPenalty } from "../events.ts";
import type { PenaltyPort } from "../ports.ts";
import type { OracleState } from "../state.ts";

/** Counters of one window, before they are halved. `feeds`: prices asked for in each commit, at least 1. Ascending by address. */
export function chargesOf(
  reports: readonly ValidatorReport[],
  feeds: bigint,
  { missMaxPpm, deviantMaxPpm }: Params,
): Charge[] {
  const charges: Charge[] = [];
  for (const { address, blocks, missedBlocks, missedFeeds, deviantVotes } of reports) {
    if (blocks === 0n) continue;
    const left = mulDivUp(missedBlocks * feeds + missedFeeds, PPM, blocks * feeds);
    if (missMaxPpm > 0n && left > missMaxPpm) {
      charges.push({ address, reason: "misses", measuredPpm: left, limitPpm: missMaxPpm });
    }
    const deviant = mulDivUp(deviantVotes, PPM, blocks);
    if (deviantMaxPpm > 0n && deviant > deviantMaxPpm) {
      charges.push({
        address,
        reason: "deviation",
        measuredPpm: deviant,
        limitPpm: deviantMaxPpm,
      });
    }
  }
  return charges;
}

const REASONS = {
  misses: PenaltyReason.PENALTY_REASON_MISSES,
  deviation: PenaltyReason.PENALTY_REASON_DEVIATION,
} as const;

export function charge(
  ctx: WriteContext,
  state: OracleState,
  charges: readonly Charge[],
  penalty: { readonly amountPpm: bigint; readonly port: PenaltyPort | undefined },
): void {
  for (const one of charges) {
    const { address, reason } = one;
    const before: ValidatorStanding | undefined = state.standings.get(ctx, address);
    state.standings.set(ctx, address, {
      address,
      penalties: (before?.penalties ?? 0n) + 1n,
      penaltyPpm: (before?.penaltyPpm ?? 0n) + penalty.amountPpm,
      lastReason: REASONS[reason],
      lastHeight: BigInt(ctx.header.height),
    });
    emitPenalty(ctx, one, penalty.amountPpm);
    penalty.port?.penalise(ctx, address, reason, penalty.amountPpm);
  }
}
