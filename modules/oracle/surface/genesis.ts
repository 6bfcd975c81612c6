/** Surfaces in genesis: as they were exported, and refused where they could not have been. */
import type { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { MANTISSA_LIMIT } from "../limits.ts";
import type { OracleState } from "../state.ts";
import { parametersFault } from "./project.ts";
import { putSurface } from "./surfaces.ts";

type SurfaceGenesis = Pick<GenesisState, "surfaces" | "surfaceParameters" | "surfaceAnchors">;

/** After the feeds. */
export function initSurfaces(ctx: WriteContext, state: OracleState, genesis: SurfaceGenesis): void {
  for (const surface of genesis.surfaces) putSurface(ctx, state, surface);
  for (const parameters of genesis.surfaceParameters) {
    const { surfaceId } = parameters;
    const fault = state.surfaces.has(ctx, surfaceId)
      ? parametersFault(parameters)
      : "there is no such surface";
    if (fault !== null) {
      throw refuse("invalidRequest", `oracle genesis: surface ${surfaceId}: ${fault}`);
    }
    state.surfaceParameters.set(ctx, surfaceId, parameters);
  }
  for (const { surfaceId, turn, anchor } of genesis.surfaceAnchors) {
    const surface = state.surfaces.get(ctx, surfaceId);
    const parameters = anchor?.parameters;
    const known = surface !== undefined && turn < surface.repricingBlocks;
    if (!known || parameters === undefined || parametersFault(parameters) !== null) {
      throw refuse("invalidRequest", `oracle genesis: bad turn ${turn} of surface ${surfaceId}`);
    }
    if (anchor === undefined || anchor.mantissa <= 0n || anchor.mantissa >= MANTISSA_LIMIT) {
      throw refuse("invalidRequest", `oracle genesis: bad index of surface ${surfaceId}`);
    }
    state.surfaceAnchors.set(ctx, [surfaceId, turn], anchor);
  }
}

export function exportSurfaces(ctx: ReadContext, state: OracleState): SurfaceGenesis {
  const genesis: SurfaceGenesis = { surfaces: [], surfaceParameters: [], surfaceAnchors: [] };
  state.surfaces.each(ctx, (_id, surface) => void genesis.surfaces.push(surface));
  state.surfaceParameters.each(ctx, (_id, one) => void genesis.surfaceParameters.push(one));
  state.surfaceAnchors.each(ctx, ([surfaceId, turn], anchor) => {
    genesis.surfaceAnchors.push({ surfaceId, turn, anchor });
  });
  return genesis;
}
