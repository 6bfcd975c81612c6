/**
 * How fast money leaves. Over each window the net outflow of a denom is at most a share of what the vault held at the window's begin, or a floor if
 * that is more. Net, because a limit on what goes out alone could be used up by anyone's money going in and out again.
 */
import type { FlowBucket, LimitedFlow } from "@keel/proto/gen/keel/guard/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { divCeil, divFloor, maximum, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { refuse } from "./errors.ts";
import { nowMs } from "./events.ts";
import { BUCKETS } from "./limits.ts";
import type { GuardPorts } from "./ports.ts";
import type { GuardState } from "./state.ts";

export interface Flow {
  /** What may leave within the window on balance. */
  readonly most: bigint;
  /** What has left on balance; negative: more came in. */
  readonly outflow: bigint;
}

function partMs(windowMs: bigint): bigint {
  return divCeil(windowMs, BUCKETS);
}

/** Parts of the window that ends now. */
function recent({ buckets, limit }: LimitedFlow, now: bigint): FlowBucket[] {
  const number = divFloor(now, partMs(limit?.windowMs ?? 1n));
  return buckets.filter((bucket) => bucket.number + BUCKETS >= number);
}

function outflowOf(buckets: readonly FlowBucket[]): bigint {
  return buckets.reduce(
    (sum, { deposited, withdrawn }) => sum + BigInt(withdrawn) - BigInt(deposited),
    0n,
  );
}

/** Share of what the vault held before the outflow, rounded down. */
function mostOf({ limit }: LimitedFlow, balance: bigint, outflow: bigint): bigint {
  const share = mulDivDown(maximum(balance + outflow, 0n), limit?.sharePpm ?? 0n, PPM);
  return maximum(share, BigInt(limit?.floor ?? "0"));
}

export function flowOf(flow: LimitedFlow, balance: bigint, now: bigint): Flow {
  const outflow = outflowOf(recent(flow, now));
  return { outflow, most: mostOf(flow, balance, outflow) };
}

/** Earliest block time in ms at which the amount may leave, if nothing else moves; null: it is more than a whole window allows. */
export function roomAt(
  flow: LimitedFlow,
  balance: bigint,
  amount: bigint,
  now: bigint,
): bigint | null {
  const buckets = recent(flow, now);
  for (let gone = 0; gone <= buckets.length; gone++) {
    const outflow = outflowOf(buckets.slice(gone));
    if (outflow + amount > mostOf(flow, balance, outflow)) continue;
    const last = buckets[gone - 1];
    if (last === undefined) return now;
    return (last.number + BUCKETS + 1n) * partMs(flow.limit?.windowMs ?? 1n);
  }
  return null;
}

/** With one movement more; parts older than the window are forgotten. */
function moved(flow: LimitedFlow, now: bigint, change: { out: bigint; in: bigint }): LimitedFlow {
  const number = divFloor(now, partMs(flow.limit?.windowMs ?? 1n));
  const kept = recent(flow, now);
  const last = kept[kept.length - 1];
  const old = last?.number === number ? last : { number, withdrawn: "0", deposited: "0" };
  const next = {
    number,
    withdrawn: (BigInt(old.withdrawn) + change.out).toString(),
    deposited: (BigInt(old.deposited) + change.in).toString(),
  };
  const before = last?.number === number ? kept.slice(0, -1) : kept;
  return { ...flow, buckets: [...before, next] };
}

export interface Flows {
  /** Throws ModuleError when so much may not leave now. */
  withdrawing(ctx: WriteContext, denom: string, quanta: bigint): void;
  deposited(ctx: WriteContext, denom: string, quanta: bigint): void;
  /** So much has left that was not asked for here: it takes room from what may leave. */
  left(ctx: WriteContext, denom: string, quanta: bigint): void;
  balance(ctx: ReadContext, denom: string): bigint;
  /** What the limits let leave now; null: there is none. */
  room(ctx: ReadContext, denom: string): bigint | null;
}

export function createFlows(state: GuardState, ports: GuardPorts): Flows {
  const balance = (ctx: ReadContext, denom: string): bigint =>
    ports.bank.balance(ctx, ports.collateralVault, denom);

  function note(ctx: WriteContext, denom: string, change: { out: bigint; in: bigint }): void {
    const known = state.velocities.get(ctx, denom);
    if (known === undefined) return;
    const now = nowMs(ctx);
    const flows = known.flows.map((flow) => moved(flow, now, change));
    state.velocities.set(ctx, denom, { ...known, flows });
  }

  function requireRoom(ctx: ReadContext, denom: string, quanta: bigint): void {
    const now = nowMs(ctx);
    const held = balance(ctx, denom);
    for (const flow of state.velocities.get(ctx, denom)?.flows ?? []) {
      const { most, outflow } = flowOf(flow, held, now);
      if (outflow + quanta <= most) continue;
      const room = maximum(most - outflow, 0n);
      const at = roomAt(flow, held, quanta, now);
      const when =
        at === null ? "and never so much in one window" : `and the whole from ${at} ms on`;
      throw refuse(
        "withdrawalLimit",
        `expected at most ${room} of ${denom} now, ${when}: net outflow of ${flow.limit?.windowMs} ms is limited to ${most}`,
      );
    }
  }

  return {
    balance,
    room(ctx, denom) {
      const known = state.velocities.size(ctx) === 0 ? undefined : state.velocities.get(ctx, denom);
      if (known === undefined) return null;
      const held = balance(ctx, denom);
      const rooms = known.flows.map((flow) => {
        const { most, outflow } = flowOf(flow, held, nowMs(ctx));
        return maximum(most - outflow, 0n);
      });
      return rooms.reduce((least, one) => minimum(least, one));
    },
    withdrawing(ctx, denom, quanta) {
      if (state.velocities.size(ctx) === 0) return;
      requireRoom(ctx, denom, quanta);
      note(ctx, denom, { out: quanta, in: 0n });
    },
    deposited(ctx, denom, quanta) {
      if (state.velocities.size(ctx) === 0) return;
      note(ctx, denom, { out: 0n, in: quanta });
    },
    left(ctx, denom, quanta) {
      if (state.velocities.size(ctx) === 0) return;
      note(ctx, denom, { out: quanta, in: 0n });
    },
  };
}
