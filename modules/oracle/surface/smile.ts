/**
 * One expiry of a surface at one moment: the slice that gives every strike its volatility, the basis of its forward, and how old they are. Between
 * voted expiries total variance is linear in time, before the first and behind the last its volatility is that of the nearest: never falling
 * with expiry, so without calendar arbitrage, at every expiry there is. When all voted expiries have come, the last one's volatility stays, and is stale.
 */
import type {
  Surface,
  SurfaceExpiry,
  SurfaceParameters,
} from "@keel/proto/gen/keel/oracle/v1/types";
import { YEAR_SECONDS } from "../../kit/math/fixed-point.ts";
import { clamp, divTrunc, maximum, minimum, mulDivDown } from "../../kit/math/mul-div.ts";
import {
  type SsviSlice,
  ssviPoint,
  ssviSlice,
  THETA_MAX,
  volatilityOfVariance,
} from "../../kit/math/ssvi.ts";
import { HOUR_MS, remnant, thetaAt, timeLeftNs } from "./project.ts";

const NS_PER_MS = 1_000_000n;
const HOUR_NS = HOUR_MS * NS_PER_MS;
const YEAR_NS = YEAR_SECONDS * 1_000_000_000n;
/** From ppm to 1e-18. */
const WAD_PER_PPM = 10n ** 12n;
/** Volatility over less than a second is asked for as over one. */
const SECOND_NS = 1_000_000_000n;

/** Fresh: not older than `max_age_ms`. Held: marks go on, new risk needs more. Stale: nothing is done at it. */
export type SurfaceAge = "fresh" | "held" | "stale";

export interface Smile {
  readonly slice: SsviSlice;
  readonly theta: bigint;
  /** Forward = index × (1 + this), ppm. */
  readonly basisPpm: bigint;
  /** Time left, whole seconds, at least 1. */
  readonly seconds: bigint;
  readonly age: SurfaceAge;
}

/** What is known of a surface that is asked for smiles. */
export interface SurfaceAt {
  readonly surface: Surface;
  readonly parameters: SurfaceParameters;
  readonly timeNs: bigint;
}

export function ageAt({ surface, timeNs }: SurfaceAt, votedNs: bigint): SurfaceAge {
  if (!surface.enabled) return "stale";
  const age = timeNs - votedNs;
  if (age <= surface.maxAgeMs * NS_PER_MS) return "fresh";
  return age <= (surface.maxAgeMs + surface.holdMs) * NS_PER_MS ? "held" : "stale";
}

interface Node {
  readonly theta: bigint;
  readonly basisPpm: bigint;
  readonly votedNs: bigint;
}

/**
 * What one voted expiry, `whole` ahead, says of another time: the same volatility and basis by the year. The basis of one that is less than an hour ahead counts as over
 * an hour for what lies behind it: in its last seconds a millionth of noise would be the largest basis there is of everything later.
 */
function alone({ theta, basisPpm, votedNs }: Node, left: bigint, whole: bigint): Node {
  return {
    theta: maximum(mulDivDown(theta, left, whole), 1n),
    basisPpm: divTrunc(basisPpm * left, maximum(whole, minimum(left, HOUR_NS))),
    votedNs,
  };
}

/** undefined when this expiry is not ahead, or none was ever voted. */
function nodeAt({ parameters, timeNs }: SurfaceAt, expiryMs: bigint): Node | undefined {
  const left = timeLeftNs(expiryMs, timeNs);
  if (left <= 0n) return undefined;
  let before: SurfaceExpiry | undefined;
  let after: SurfaceExpiry | undefined;
  for (const expiry of parameters.expiries) {
    if (timeLeftNs(expiry.expiryMs, timeNs) <= 0n) continue;
    if (expiry.expiryMs < expiryMs) before = expiry;
    else {
      after = expiry;
      break;
    }
  }
  const theta = (expiry: SurfaceExpiry): bigint => thetaAt(expiry, parameters.timeNs, timeNs);
  const near = after ?? before;
  if (near === undefined) {
    const last = remnant(parameters, timeNs);
    if (last === undefined) return undefined;
    const { theta, basisPpm, timeNs: votedNs } = last;
    const node = { theta, basisPpm: BigInt(basisPpm), votedNs };
    return alone(node, left, timeLeftNs(last.expiryMs, timeNs));
  }
  const basis = BigInt(near.basisPpm);
  if (near.expiryMs === expiryMs) {
    return { theta: theta(near), basisPpm: basis, votedNs: near.timeNs };
  }
  if (before === undefined || after === undefined) {
    const known = { theta: theta(near), basisPpm: basis, votedNs: near.timeNs };
    return alone(known, left, timeLeftNs(near.expiryMs, timeNs));
  }
  const done = expiryMs - before.expiryMs;
  const whole = after.expiryMs - before.expiryMs;
  const low = theta(before);
  return {
    theta: low + mulDivDown(theta(after) - low, done, whole),
    basisPpm: BigInt(before.basisPpm) + divTrunc((basis - BigInt(before.basisPpm)) * done, whole),
    votedNs: minimum(before.timeNs, after.timeNs),
  };
}

/** How far a forward may be from the index, ppm; rounded down. */
export function forwardBoundPpm({ basisMaxPpm }: Surface, leftNs: bigint): bigint {
  return mulDivDown(basisMaxPpm, leftNs, YEAR_NS);
}

/** undefined when the expiry has come, or before any was voted. */
export function smileAt(at: SurfaceAt, expiryMs: bigint): Smile | undefined {
  const { surface, parameters, timeNs } = at;
  const node = nodeAt(at, expiryMs);
  if (node === undefined) return undefined;
  const left = timeLeftNs(expiryMs, timeNs);
  const basisMax = forwardBoundPpm(surface, left);
  const theta = minimum(node.theta, THETA_MAX);
  return {
    slice: ssviSlice(
      {
        rho: BigInt(parameters.rhoPpm) * WAD_PER_PPM,
        eta: BigInt(parameters.etaPpm) * WAD_PER_PPM,
        gamma: BigInt(parameters.gammaPpm) * WAD_PER_PPM,
      },
      theta,
    ),
    theta,
    basisPpm: clamp(node.basisPpm, -basisMax, basisMax),
    seconds: divTrunc(maximum(left, SECOND_NS), SECOND_NS),
    age: ageAt(at, minimum(parameters.shapeTimeNs, node.votedNs)),
  };
}

/** Annual volatility of a strike, 1e-18; forward and strike in the same unit. */
export function smileVolatility(
  { slice, seconds }: Smile,
  forward: bigint,
  strike: bigint,
): bigint {
  return volatilityOfVariance(ssviPoint(slice, forward, strike).variance, seconds);
}
