/** Surfaces in state: accepted with the block's update, asked for by whoever prices options. */
import type {
  Surface,
  SurfaceAnchor,
  SurfaceParameters,
} from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { divFloor } from "../../kit/math/mul-div.ts";
import type { ValidatorVote, VoteQuality } from "../aggregate.ts";
import { emitSurface, emitSurfaceBelowQuorum } from "../events.ts";
import type { OracleState } from "../state.ts";
import { aggregateSurface, type SurfaceResult } from "./aggregate.ts";
import { nextParameters } from "./project.ts";
import { ageAt, type Smile, type SurfaceAge, smileAt } from "./smile.ts";

/** What the options of one turn are priced from: a surface and an index as they were. In one block the same object for all of one expiry. */
export interface AnchoredSmile {
  /** The same object as long as nothing it is made of changed. */
  readonly smile: Smile;
  /** Index = mantissa × 10^exponent. */
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Older than the surface allows. */
  readonly late: boolean;
  /** Of the parameters of now at this expiry. */
  readonly age: SurfaceAge;
}

export interface SurfaceKeeper {
  surface(ctx: ReadContext, surfaceId: number): Surface | undefined;
  /** Ascending by id. */
  surfaces(ctx: ReadContext): readonly Surface[];
  surfaceParameters(ctx: ReadContext, surfaceId: number): SurfaceParameters | undefined;
  /** As it is now; undefined without parameters for the expiry. */
  smile(ctx: ReadContext, surfaceId: number, expiryMs: number): Smile | undefined;
  /** As it was at the last turn of `number`, which comes every `repricing_blocks`; undefined before the first. */
  anchoredSmile(
    ctx: ReadContext,
    surfaceId: number,
    expiryMs: number,
    number: number,
  ): AnchoredSmile | undefined;
}

interface IndexPrice {
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly fresh: boolean;
}

/** Smiles by expiry; null: there is none. */
interface Known {
  readonly surface: Surface;
  readonly timeNs: bigint;
  readonly smiles: Map<number, Smile | null>;
}

/** What a turn's options are priced from in one block, by expiry; null: nothing. */
interface KnownTurn {
  readonly surface: Surface;
  readonly parameters: SurfaceParameters;
  readonly timeNs: bigint;
  readonly anchored: Map<number, AnchoredSmile | null>;
}

// Records of state are immutable values: what follows from them and a time is remembered with them.
const knownTurns = new WeakMap<SurfaceAnchor, KnownTurn>();
const known = new WeakMap<SurfaceParameters, Known>();

function smileOf(
  surface: Surface,
  parameters: SurfaceParameters,
  timeNs: bigint,
  expiryMs: number,
): Smile | undefined {
  let made = known.get(parameters);
  if (made === undefined || made.surface !== surface || made.timeNs !== timeNs) {
    made = { surface, timeNs, smiles: new Map() };
    known.set(parameters, made);
  }
  let smile = made.smiles.get(expiryMs);
  if (smile === undefined) {
    smile = smileAt({ surface, parameters, timeNs }, BigInt(expiryMs)) ?? null;
    made.smiles.set(expiryMs, smile);
  }
  return smile ?? undefined;
}

function anchoredAt(
  { surface, parameters, timeNs: now }: KnownTurn,
  anchor: SurfaceAnchor,
  expiryMs: number,
): AnchoredSmile | null {
  if (anchor.parameters === undefined) return null;
  const { mantissa, exponent, timeNs } = anchor;
  const smile = smileOf(surface, anchor.parameters, timeNs, expiryMs);
  const age = smileOf(surface, parameters, now, expiryMs)?.age;
  if (smile === undefined || age === undefined) return null;
  const late = now - timeNs > surface.repricingAgeMaxMs * 1_000_000n;
  return { smile, mantissa, exponent, late, age };
}

export function createSurfaceKeeper(state: OracleState): SurfaceKeeper {
  return {
    surface: (ctx, surfaceId) => state.surfaces.get(ctx, surfaceId),
    surfaces: (ctx) => allSurfaces(ctx, state),
    surfaceParameters: (ctx, surfaceId) => state.surfaceParameters.get(ctx, surfaceId),

    smile(ctx, surfaceId, expiryMs) {
      const surface = state.surfaces.get(ctx, surfaceId);
      const parameters = state.surfaceParameters.get(ctx, surfaceId);
      if (surface === undefined || parameters === undefined) return undefined;
      return smileOf(surface, parameters, ctx.header.timeNs, expiryMs);
    },

    anchoredSmile(ctx, surfaceId, expiryMs, number) {
      const surface = state.surfaces.get(ctx, surfaceId);
      if (surface === undefined) return undefined;
      const turn = number % surface.repricingBlocks;
      const anchor = state.surfaceAnchors.get(ctx, [surfaceId, turn]);
      const parameters = state.surfaceParameters.get(ctx, surfaceId);
      if (anchor === undefined || parameters === undefined) return undefined;
      const { timeNs } = ctx.header;
      let turnNow = knownTurns.get(anchor);
      if (
        turnNow === undefined ||
        turnNow.surface !== surface ||
        turnNow.parameters !== parameters ||
        turnNow.timeNs !== timeNs
      ) {
        turnNow = { surface, parameters, timeNs, anchored: new Map() };
        knownTurns.set(anchor, turnNow);
      }
      let found = turnNow.anchored.get(expiryMs);
      if (found === undefined) {
        found = anchoredAt(turnNow, anchor, expiryMs);
        turnNow.anchored.set(expiryMs, found);
      }
      return found ?? undefined;
    },
  };
}

export function allSurfaces(ctx: ReadContext, state: OracleState): readonly Surface[] {
  const surfaces: Surface[] = [];
  state.surfaces.each(ctx, (_id, surface) => void surfaces.push(surface));
  return surfaces;
}

/** Medians of the votes, for every enabled surface. */
export function aggregateSurfaces(
  ctx: ReadContext,
  state: OracleState,
  votes: readonly ValidatorVote[],
): readonly SurfaceResult[] {
  const nowMs = divFloor(ctx.header.timeNs, 1_000_000n);
  return allSurfaces(ctx, state)
    .filter(({ enabled }) => enabled)
    .map((surface) => aggregateSurface(votes, surface, nowMs));
}

/** A surface left out counts as a feed left out, a deviant vote on it as a deviant vote. */
export function withSurfaces(
  quality: readonly VoteQuality[],
  results: readonly SurfaceResult[],
): readonly VoteQuality[] {
  if (results.length === 0) return quality;
  return quality.map(({ missed, missedFeeds, deviantVotes }, i) => ({
    missed,
    missedFeeds: missedFeeds + BigInt(results.filter((one) => one.missed[i] === true).length),
    deviantVotes: deviantVotes + BigInt(results.filter((one) => one.deviant[i] === true).length),
  }));
}

/** After the block's prices: new parameters, and the anchor of the block's turn. */
export function writeSurfaces(
  ctx: WriteContext,
  state: OracleState,
  results: readonly SurfaceResult[],
  index: (ctx: ReadContext, feedId: number) => IndexPrice | undefined,
): void {
  for (const result of results) {
    const { surface } = result;
    writeParameters(ctx, state, result);
    const price = index(ctx, surface.feedId);
    const parameters = state.surfaceParameters.get(ctx, surface.id);
    if (price?.fresh !== true || parameters === undefined) continue;
    const { timeNs, height } = ctx.header;
    if (ageAt({ surface, parameters, timeNs }, parameters.shapeTimeNs) === "stale") continue;
    const turn = height % surface.repricingBlocks;
    const { mantissa, exponent } = price;
    const anchor = { parameters, mantissa, exponent, timeNs };
    state.surfaceAnchors.set(ctx, [surface.id, turn], anchor);
  }
}

function writeParameters(ctx: WriteContext, state: OracleState, result: SurfaceResult): void {
  const { surface, shape, expiries, reportingPowerPpm } = result;
  if (shape === null) {
    emitSurfaceBelowQuorum(ctx, surface, reportingPowerPpm);
    return;
  }
  const previous = state.surfaceParameters.get(ctx, surface.id);
  const accepted = { shape, expiries, reportingPowerPpm };
  const next = nextParameters(surface, accepted, previous, ctx.header);
  state.surfaceParameters.set(ctx, surface.id, next);
  emitSurface(ctx, surface, next, expiries.length);
}

/** The votes were from before an outage: parameters stay known and stop being fresh; the next ones are held back by nothing. */
export function outdateSurfaces(ctx: WriteContext, state: OracleState): void {
  for (const { id } of allSurfaces(ctx, state)) {
    const known = state.surfaceParameters.get(ctx, id);
    if (known === undefined) continue;
    const expiries = known.expiries.map((expiry) => ({ ...expiry, timeNs: 0n }));
    state.surfaceParameters.set(ctx, id, { ...known, expiries, shapeTimeNs: 0n });
  }
}
