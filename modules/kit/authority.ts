/** Who may change what a module is set to: one account, where nothing else is said the governance module's. */
import { type Addresses, moduleAddress } from "./addresses.ts";
import type { MessageContext, ReadContext } from "./context.ts";
import type { ModuleError } from "./errors.ts";
import { type MessageRoute, onMessage, type ProtoCodec } from "./module.ts";

interface Governed {
  /** Bech32. */
  readonly authority: string;
}

/** A module's `refuse`. */
type Refuse = (code: "unauthorized" | "invalidRequest", message: string) => ModuleError;

/** Throws ModuleError unless it is the authority. */
export type RequireAuthority = (ctx: ReadContext, authority: string) => void;

/** Genesis and parameters may leave it empty. */
export function withAuthority<P extends Governed>(params: P, addresses: Addresses): P {
  if (params.authority !== "") return params;
  return { ...params, authority: addresses.format(moduleAddress("gov")) };
}

export function authorityOf(
  params: (ctx: ReadContext) => Governed,
  refuse: Refuse,
): RequireAuthority {
  return (ctx, authority) => {
    const expected = params(ctx).authority;
    if (authority !== expected) {
      throw refuse("unauthorized", `expected authority ${expected}, got ${authority}`);
    }
  };
}

interface ParamsUpdate<P> extends Governed {
  readonly params?: P | undefined;
}

/** The message by which the authority sets all parameters of a module. `set` gets them with an authority; it may refuse them by what is there. */
export function onParamsUpdate<P extends Governed>(route: {
  readonly typeUrl: string;
  readonly request: ProtoCodec<ParamsUpdate<P>>;
  readonly response: ProtoCodec<object>;
  readonly addresses: Addresses;
  readonly requireAuthority: RequireAuthority;
  readonly refuse: Refuse;
  readonly validate: (params: P) => void;
  readonly set: (ctx: MessageContext, params: P) => void;
}): MessageRoute {
  const { addresses, refuse, requireAuthority, set, typeUrl, request, response } = route;
  const given = ({ params }: ParamsUpdate<P>): P => {
    if (params === undefined) throw refuse("invalidRequest", "expected params");
    return params;
  };
  return onMessage({
    ...{ typeUrl, request, response },
    signers: ({ authority }) => [authority],
    validate(message) {
      addresses.parse(message.authority);
      const params = given(message);
      if (params.authority !== "") addresses.parse(params.authority);
      route.validate(params);
    },
    handle(ctx, message) {
      requireAuthority(ctx, message.authority);
      set(ctx, withAuthority(given(message), addresses));
      return {};
    },
  });
}
