/** Message routes of oracle. */
import {
  MsgOracleUpdate,
  MsgOracleUpdateResponse,
  MsgUpdateFeeds,
  MsgUpdateFeedsResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
  MsgUpdateSurfaces,
  MsgUpdateSurfacesResponse,
} from "@keel/proto/gen/keel/oracle/v1/tx";
import type { Feed, Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { putFeed, validateFeed, validateParams } from "./feeds.ts";
import type { OracleKeeper } from "./keeper.ts";
import { FEEDS_MAX, SURFACES_MAX } from "./limits.ts";
import type { OraclePorts } from "./ports.ts";
import type { OracleState } from "./state.ts";
import { putSurface, validateSurface } from "./surface/surfaces.ts";

export function oracleMessages(
  state: OracleState,
  keeper: OracleKeeper,
  { accounts, addresses }: Pick<OraclePorts, "accounts" | "addresses">,
): readonly MessageRoute[] {
  const requireAuthority = authorityOf(keeper.params, refuse);

  /** Clearing looks at every account, so only where marks follow at once. Turning off is none of these: it is as what validators no longer report, and waits for nobody. */
  function change(ctx: WriteContext, moves: boolean, apply: (ctx: WriteContext) => void): void {
    if (moves && accounts !== undefined) accounts.keepHealthy(ctx, apply);
    else apply(ctx);
  }

  /** The deviation that a guard measured goes with it, and with that the band of marks. */
  function losesGuard(ctx: ReadContext, { guard, id }: Feed): boolean {
    return guard === undefined && state.feeds.get(ctx, id)?.guard !== undefined;
  }

  function movesBound(ctx: ReadContext, { basisMaxPpm, id }: Surface): boolean {
    const known = state.surfaces.get(ctx, id);
    return known !== undefined && known.basisMaxPpm !== basisMaxPpm;
  }

  /** Unsigned: whoever runs transactions admits it as the first of a block and nowhere else. */
  const update = onMessage({
    typeUrl: "/keel.oracle.v1.MsgOracleUpdate",
    request: MsgOracleUpdate,
    response: MsgOracleUpdateResponse,
    signers: () => [],
    lane: () => 0,
    validate(message) {
      if (message.extendedCommit.length === 0) {
        throw refuse("invalidRequest", "expected an extended commit");
      }
    },
    handle: (ctx, message) => ({ updatedFeeds: keeper.update(ctx, message) }),
  });

  const updateFeeds = onMessage({
    typeUrl: "/keel.oracle.v1.MsgUpdateFeeds",
    request: MsgUpdateFeeds,
    response: MsgUpdateFeedsResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      if (message.feeds.length === 0 || message.feeds.length > FEEDS_MAX) {
        throw refuse("tooManyFeeds", `expected 1 to ${FEEDS_MAX} feeds`);
      }
      for (const feed of message.feeds) validateFeed(feed);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      const { feeds } = message;
      const moves = feeds.some((feed) => losesGuard(ctx, feed));
      change(ctx, moves, (inner) => {
        for (const feed of feeds) putFeed(inner, state, feed);
      });
      return {};
    },
  });

  const updateParams = onParamsUpdate({
    typeUrl: "/keel.oracle.v1.MsgUpdateParams",
    request: MsgUpdateParams,
    response: MsgUpdateParamsResponse,
    ...{ addresses, requireAuthority, refuse },
    validate: (params) => validateParams(params, addresses),
    set: (ctx, params) => state.params.set(ctx, params),
  });

  const updateSurfaces = onMessage({
    typeUrl: "/keel.oracle.v1.MsgUpdateSurfaces",
    request: MsgUpdateSurfaces,
    response: MsgUpdateSurfacesResponse,
    signers: (message) => [message.authority],
    validate(message) {
      addresses.parse(message.authority);
      if (message.surfaces.length === 0 || message.surfaces.length > SURFACES_MAX) {
        throw refuse("tooManySurfaces", `expected 1 to ${SURFACES_MAX} surfaces`);
      }
      for (const surface of message.surfaces) validateSurface(surface);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      const { surfaces } = message;
      const moves = surfaces.some((surface) => movesBound(ctx, surface));
      change(ctx, moves, (inner) => {
        for (const surface of surfaces) putSurface(inner, state, surface);
      });
      return {};
    },
  });

  return [update, updateFeeds, updateParams, updateSurfaces];
}
