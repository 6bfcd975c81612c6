/**
 * From medians to parameters that may be used: no coordinate moves further in one update than the surface allows, and the result is free of arbitrage.
 * Butterflies: eta (1 + |rho|) ≤ 2 with gamma ≤ 1/2; the box |rho| ≤ 0.9, gamma ≥ 0.2 keeps the formula away from its ends. Calendars: theta is made
 * its running maximum over expiries. An expiry nobody voted for keeps its volatility while it ages: its theta shrinks with the time left. The last known
 * are never given up: whoever holds an option is valued by something, fresh or not.
 */
import type {
  Surface,
  SurfaceExpiry,
  SurfaceExpiryVote,
  SurfaceParameters,
} from "@keel/proto/gen/keel/oracle/v1/types";
import {
  absolute,
  clamp,
  compareBigints,
  divFloor,
  divTrunc,
  maximum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import { EXPIRIES_MAX, MANTISSA_LIMIT } from "../limits.ts";
import type { Shape } from "./aggregate.ts";
import { GAMMA_MAX_PPM } from "./votes.ts";

const NS_PER_MS = 1_000_000n;
/** What remains of an expiry that has come is said over this: long enough that theta has digits, and a basis is more than noise. */
export const HOUR_MS = 3_600_000n;
export const RHO_MAX_PPM = 900_000n;
export const GAMMA_MIN_PPM = 200_000n;

/** eta (1 + |rho|) ≤ 2, rounded down. */
export function etaMaxPpm(rhoPpm: bigint): bigint {
  return divFloor(2n * PPM * PPM, PPM + absolute(rhoPpm));
}

/** Nanoseconds from then to an expiry; not positive once it has come. */
export function timeLeftNs(expiryMs: bigint, atNs: bigint): bigint {
  return expiryMs * NS_PER_MS - atNs;
}

/** Theta of one time at a later one, volatility unchanged: at least 1, rounded down. The expiry lies ahead of both. */
export function thetaAt(
  { expiryMs, theta }: Pick<SurfaceExpiry, "expiryMs" | "theta">,
  fromNs: bigint,
  toNs: bigint,
): bigint {
  if (fromNs === toNs) return theta;
  return maximum(mulDivDown(theta, timeLeftNs(expiryMs, toNs), timeLeftNs(expiryMs, fromNs)), 1n);
}

/**
 * Once nothing that is known lies ahead: the last one, said of the hour from now. Its volatility is that of the time of the parameters, of which it lies
 * ahead, rounded down; its basis by the year at most what it was, so that the last seconds' rounding is not taken for a forward. Stale: nobody voted for it.
 */
export function remnant(
  { expiries, timeNs }: Pick<SurfaceParameters, "expiries" | "timeNs">,
  nowNs: bigint,
): SurfaceExpiry | undefined {
  const last = expiries.at(-1);
  if (last === undefined) return undefined;
  const left = timeLeftNs(last.expiryMs, timeNs);
  const expiryMs = divFloor(nowNs, NS_PER_MS) + HOUR_MS;
  const whole = timeLeftNs(expiryMs, nowNs);
  const theta = clamp(mulDivDown(last.theta, whole, left), 1n, MANTISSA_LIMIT - 1n);
  const basisPpm = Number(divTrunc(BigInt(last.basisPpm) * whole, maximum(left, whole)));
  return { expiryMs, theta, basisPpm, timeNs: 0n };
}

/** Where nothing is voted or held: what was known, ageing on. */
function carried(before: SurfaceParameters | undefined, nowNs: bigint): SurfaceExpiry[] {
  if (before === undefined) return [];
  const ahead = before.expiries.filter(({ expiryMs }) => timeLeftNs(expiryMs, nowNs) > 0n);
  if (ahead.length > 0) {
    return ahead.map((one) => ({ ...one, theta: thetaAt(one, before.timeNs, nowNs) }));
  }
  const last = remnant(before, nowNs);
  return last === undefined ? [] : [last];
}

/** Fresh or held: not older than both limits together. */
function isUsable({ maxAgeMs, holdMs }: Surface, timeNs: bigint, nowNs: bigint): boolean {
  return nowNs - timeNs <= (maxAgeMs + holdMs) * NS_PER_MS;
}

interface Known {
  /** Null: too old to hold anything back. */
  readonly before: SurfaceParameters | null;
  readonly previous: SurfaceParameters | undefined;
}

function nearby(value: bigint, before: bigint, step: bigint): bigint {
  return clamp(value, before - step, before + step);
}

function nextShape(surface: Surface, median: Shape, before: SurfaceParameters | null): Shape {
  let rho = BigInt(median.rhoPpm);
  let eta = BigInt(median.etaPpm);
  let gamma = BigInt(median.gammaPpm);
  if (before !== null) {
    const was = BigInt(before.etaPpm);
    rho = nearby(rho, BigInt(before.rhoPpm), surface.shapeStepMaxPpm);
    gamma = nearby(gamma, BigInt(before.gammaPpm), surface.shapeStepMaxPpm);
    eta = nearby(eta, was, mulDivUp(was, surface.stepMaxPpm, PPM));
  }
  rho = clamp(rho, -RHO_MAX_PPM, RHO_MAX_PPM);
  return {
    rhoPpm: Number(rho),
    etaPpm: Number(clamp(eta, 1n, etaMaxPpm(rho))),
    gammaPpm: Number(clamp(gamma, GAMMA_MIN_PPM, BigInt(GAMMA_MAX_PPM))),
  };
}

/** Voted ones, each near what it was; then those known before that nobody voted for, while they are not too old, or while there is nothing else. */
function nextExpiries(
  surface: Surface,
  voted: readonly SurfaceExpiryVote[],
  { before, previous }: Known,
  nowNs: bigint,
): SurfaceExpiry[] {
  const known = new Map<bigint, SurfaceExpiry>();
  for (const expiry of before?.expiries ?? []) {
    if (timeLeftNs(expiry.expiryMs, nowNs) <= 0n) continue;
    if (!isUsable(surface, expiry.timeNs, nowNs)) continue;
    const theta = thetaAt(expiry, before?.timeNs ?? nowNs, nowNs);
    known.set(expiry.expiryMs, { ...expiry, theta });
  }
  for (const { expiryMs, theta, basisPpm } of voted) {
    const was = known.get(expiryMs)?.theta;
    const next =
      was === undefined ? theta : nearby(theta, was, mulDivUp(was, surface.stepMaxPpm, PPM));
    known.set(expiryMs, { expiryMs, theta: maximum(next, 1n), basisPpm, timeNs: nowNs });
  }
  const found = known.size > 0 ? [...known.values()] : carried(previous, nowNs);
  const all = found.sort((a, b) => compareBigints(a.expiryMs, b.expiryMs));
  let highest = 0n;
  return all.slice(0, EXPIRIES_MAX).map((expiry) => {
    highest = maximum(highest, expiry.theta);
    return { ...expiry, theta: highest };
  });
}

/** The next parameters, of accepted medians. What was known before an outage, or is too old, holds nothing back. */
export function nextParameters(
  surface: Surface,
  accepted: {
    readonly shape: Shape;
    readonly expiries: readonly SurfaceExpiryVote[];
    readonly reportingPowerPpm: bigint;
  },
  previous: SurfaceParameters | undefined,
  now: { readonly timeNs: bigint; readonly height: number },
): SurfaceParameters {
  const usable =
    previous !== undefined && isUsable(surface, previous.shapeTimeNs, now.timeNs) ? previous : null;
  return {
    surfaceId: surface.id,
    ...nextShape(surface, accepted.shape, usable),
    expiries: nextExpiries(surface, accepted.expiries, { before: usable, previous }, now.timeNs),
    timeNs: now.timeNs,
    shapeTimeNs: now.timeNs,
    reportingPowerPpm: accepted.reportingPowerPpm,
    height: BigInt(now.height),
  };
}

/** Null: free of arbitrage and in order. Otherwise why not. */
export function parametersFault({
  rhoPpm,
  etaPpm,
  gammaPpm,
  expiries,
  timeNs,
}: SurfaceParameters): string | null {
  const rho = BigInt(rhoPpm);
  if (absolute(rho) > RHO_MAX_PPM) return `rho of ${rhoPpm} ppm`;
  if (etaPpm < 1 || BigInt(etaPpm) > etaMaxPpm(rho)) return `eta of ${etaPpm} ppm`;
  if (gammaPpm < GAMMA_MIN_PPM || gammaPpm > GAMMA_MAX_PPM) return `gamma of ${gammaPpm} ppm`;
  let last = { expiryMs: 0n, theta: 1n };
  for (const next of expiries) {
    if (next.expiryMs <= last.expiryMs) return `expiry ${next.expiryMs} out of order`;
    if (timeLeftNs(next.expiryMs, timeNs) <= 0n) return `expiry ${next.expiryMs} had come`;
    if (next.theta < last.theta) return `theta falls at ${next.expiryMs}`;
    last = next;
  }
  return expiries.length > EXPIRIES_MAX ? `${expiries.length} expiries` : null;
}
