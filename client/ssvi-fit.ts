/**
 * Fits a surface to quotes of options, for whoever votes on one: SSVI with one shape for all expiries, inside the set that the chain keeps
 * (|rho| ≤ 0.9, 0.2 ≤ gamma ≤ 1/2, eta (1 + |rho|) ≤ 2, theta never falling), so that the chain's projection changes nothing. For a given shape
 * each theta is found by itself, expiry after expiry; the shape by a simplex over three free coordinates. Floating point.
 */
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { KeelInputError } from "./errors.ts";

export interface QuotedStrike {
  readonly strike: number;
  /** Annual: 0.6 is 60 %. Of a price: `impliedVolatility`. */
  readonly volatility: number;
  /** How much its squared error counts; default 1. */
  readonly weight?: number;
}

export interface QuotedExpiry {
  /** Unix milliseconds. */
  readonly expiryMs: number;
  readonly forward: number;
  readonly quotes: readonly QuotedStrike[];
}

export interface SsviFit {
  readonly rho: number;
  readonly eta: number;
  readonly gamma: number;
  /** Ascending. */
  readonly expiries: readonly {
    readonly expiryMs: number;
    readonly forward: number;
    readonly theta: number;
  }[];
  /** Root of the weighted mean square of the errors in volatility. */
  readonly error: number;
}

interface Slice {
  readonly expiryMs: number;
  readonly forward: number;
  readonly years: number;
  /** ln(K/F), volatility, weight. */
  readonly points: readonly (readonly [number, number, number])[];
  /** Where the search for theta begins. */
  readonly guess: number;
}

interface Shape {
  readonly rho: number;
  readonly eta: number;
  readonly gamma: number;
}

const YEAR_MS = 31_536_000_000;
const RHO_MAX = 0.9;
const GAMMA_MIN = 0.2;
const GAMMA_MAX = 0.5;
/** As many as a vote holds. */
const EXPIRIES_MAX = 16;
const SHAPE_STEPS = 300;
const THETA_STEPS = 40;
/** Of the guess, both ways. */
const THETA_REACH = 9;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Total variance at k = ln(K/F). */
export function ssviVariance({ rho, eta, gamma }: Shape, theta: number, k: number): number {
  const x = (eta / (theta ** gamma * (1 + theta) ** (1 - gamma))) * k;
  return (theta / 2) * (1 + rho * x + Math.sqrt((x + rho) ** 2 + 1 - rho ** 2));
}

/** Throws KeelInputError `invalid-option` for quotes that cannot be fitted. */
export function fitSsvi(quoted: readonly QuotedExpiry[], nowMs: number): SsviFit {
  const slices = read(quoted, nowMs);
  const at = (free: readonly number[]): { shape: Shape; thetas: number[]; error: number } => {
    const shape = shapeOf(free);
    const thetas: number[] = [];
    let sum = 0;
    let weight = 0;
    for (const slice of slices) {
      const theta = bestTheta(slice, shape, thetas.at(-1) ?? 0);
      thetas.push(theta);
      sum += errorOf(slice, shape, theta);
      for (const [, , own] of slice.points) weight += own;
    }
    return { shape, thetas, error: Math.sqrt(sum / weight) };
  };
  const best = at(simplex((free) => at(free).error, [-0.3, 0, 0]));
  return {
    ...best.shape,
    expiries: slices.map(({ expiryMs, forward }, i) => {
      return { expiryMs, forward, theta: best.thetas[i] ?? 0 };
    }),
    error: best.error,
  };
}

/** The vote on a surface that says the fit; `index` is the price its forwards are measured against. */
export function surfaceVote(surfaceId: number, fit: SsviFit, index: number): SurfaceVote {
  const ppm = (value: number): number => Math.round(value * 1e6);
  const rhoPpm = ppm(fit.rho);
  const etaMax = Math.floor(2e12 / (1e6 + Math.abs(rhoPpm)));
  return {
    surfaceId,
    rhoPpm,
    etaPpm: Math.max(1, Math.min(ppm(fit.eta), etaMax)),
    gammaPpm: ppm(fit.gamma),
    expiries: fit.expiries.map(({ expiryMs, forward, theta }) => ({
      expiryMs: BigInt(expiryMs),
      theta: BigInt(Math.max(1, Math.round(theta * 1e15))) * 1000n,
      basisPpm: ppm(forward / index - 1),
    })),
  };
}

function read(quoted: readonly QuotedExpiry[], nowMs: number): Slice[] {
  const refuse = (message: string): never => {
    throw new KeelInputError("invalid-option", "quotes", message);
  };
  if (quoted.length === 0 || quoted.length > EXPIRIES_MAX)
    refuse(`expected 1 to ${EXPIRIES_MAX} expiries, got ${quoted.length}`);
  const slices = quoted.map(({ expiryMs, forward, quotes }): Slice => {
    const years = (expiryMs - nowMs) / YEAR_MS;
    if (!Number.isSafeInteger(expiryMs) || !(years > 0)) refuse(`expiry ${expiryMs} is not ahead`);
    if (!(forward > 0 && Number.isFinite(forward))) refuse(`expected a forward at ${expiryMs}`);
    if (quotes.length === 0) refuse(`no quotes at ${expiryMs}`);
    const points = quotes.map(({ strike, volatility, weight = 1 }) => {
      const good = strike > 0 && volatility > 0 && weight > 0;
      if (!good || ![strike, volatility, weight].every(Number.isFinite))
        refuse(`expected positive strike, volatility and weight at ${expiryMs}`);
      return [Math.log(strike / forward), volatility, weight] as const;
    });
    const [, nearest] = points.reduce((a, b) => (Math.abs(b[0]) < Math.abs(a[0]) ? b : a));
    return { expiryMs, forward, years, points, guess: nearest ** 2 * years };
  });
  slices.sort((a, b) => a.expiryMs - b.expiryMs);
  if (slices.some(({ expiryMs }, i) => expiryMs === slices[i - 1]?.expiryMs))
    refuse("expected each expiry once");
  return slices;
}

/** Any three numbers to a shape inside the set. */
function shapeOf([a = 0, b = 0, c = 0]: readonly number[]): Shape {
  const share = (x: number): number => 1 / (1 + Math.exp(-x));
  const rho = RHO_MAX * Math.tanh(a);
  return {
    rho,
    gamma: GAMMA_MIN + (GAMMA_MAX - GAMMA_MIN) * share(b),
    eta: (2 / (1 + Math.abs(rho))) * share(c),
  };
}

function errorOf({ points, years }: Slice, shape: Shape, theta: number): number {
  let sum = 0;
  for (const [k, volatility, weight] of points)
    sum += weight * (Math.sqrt(ssviVariance(shape, theta, k) / years) - volatility) ** 2;
  return sum;
}

/** Golden section over ln theta, from the theta of the expiry before upward. */
function bestTheta(slice: Slice, shape: Shape, least: number): number {
  let low = Math.log(Math.max(slice.guess / THETA_REACH, least));
  let high = Math.max(low, Math.log(slice.guess * THETA_REACH));
  const error = (log: number): number => errorOf(slice, shape, Math.exp(log));
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let [atLeft, atRight] = [error(left), error(right)];
  for (let step = 0; step < THETA_STEPS; step++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = error(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = error(right);
    }
  }
  return Math.max(least, Math.exp((low + high) / 2));
}

/** Nelder and Mead: the lowest point found, from a start. */
function simplex(of: (point: readonly number[]) => number, start: readonly number[]): number[] {
  const made = (point: number[]): { point: number[]; value: number } => ({
    point,
    value: of(point),
  });
  const all = [made([...start])];
  for (let i = 0; i < start.length; i++)
    all.push(made(start.map((x, j) => (i === j ? x + 0.7 : x))));
  for (let step = 0; step < SHAPE_STEPS; step++) {
    all.sort((a, b) => a.value - b.value);
    const [best, worst] = [all[0], all.at(-1)];
    if (best === undefined || worst === undefined) break;
    const centre = start.map((_, j) => mean(all.slice(0, -1).map(({ point }) => point[j] ?? 0)));
    const along = (by: number) => made(centre.map((x, j) => x + by * ((worst.point[j] ?? 0) - x)));
    const mirrored = along(-1);
    const second = all.at(-2)?.value ?? 0;
    let next = mirrored;
    if (mirrored.value < best.value) {
      const further = along(-2);
      if (further.value < mirrored.value) next = further;
    } else if (mirrored.value >= second) next = along(mirrored.value < worst.value ? -0.5 : 0.5);
    if (next.value < worst.value) all[all.length - 1] = next;
    else
      for (let i = 1; i < all.length; i++)
        all[i] = made(best.point.map((x, j) => (x + (all[i]?.point[j] ?? x)) / 2));
  }
  all.sort((a, b) => a.value - b.value);
  return all[0]?.point ?? [...start];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
