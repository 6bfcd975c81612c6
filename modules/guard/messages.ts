/** Message routes of the guard: shape checks without state, then one call into the keeper. */
import {
  MsgUpdateGuardParams,
  MsgUpdateGuardParamsResponse,
} from "@keel/proto/gen/keel/guard/v1/tx";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext } from "../kit/context.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { validateParams, withAuthority } from "./params.ts";
import type { GuardState } from "./state.ts";

export function guardMessages(state: GuardState, addresses: Addresses): readonly MessageRoute[] {
  function requireAuthority(ctx: ReadContext, authority: string): void {
    const expected = state.params.require(ctx).authority;
    if (authority !== expected) {
      throw refuse("unauthorized", `expected authority ${expected}, got ${authority}`);
    }
  }

  return [
    onMessage({
      typeUrl: "/keel.guard.v1.MsgUpdateGuardParams",
      request: MsgUpdateGuardParams,
      response: MsgUpdateGuardParamsResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.params === undefined) throw refuse("invalidRequest", "expected params");
        validateParams(message.params, addresses);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        if (message.params === undefined) throw refuse("invalidRequest", "expected params");
        state.params.set(ctx, withAuthority(message.params, addresses));
        return {};
      },
    }),
  ];
}
