/**
 * The shape of a native module: a plain record of messages, queries, genesis, block hooks and invariants. Routes erase their types
 * where they are declared, so an app is a plain array of modules.
 */
import type { MessageContext, ReadContext, WriteContext } from "./context.ts";
import type { SignatureQuestion } from "./signature.ts";

/** What ts-proto and cosmjs-types both generate. */
export interface ProtoCodec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

export interface MessageRoute {
  /** "/keel.margin.v1.MsgDeposit" */
  readonly typeUrl: string;
  readonly responseTypeUrl: string;
  decode(bytes: Uint8Array): unknown;
  /** Re-encodes, for the canonical-form check. */
  encode(message: unknown): Uint8Array;
  /** Stateless checks; throws ModuleError. Runs in CheckTx too. */
  validate(message: unknown): void;
  /** Bech32 account addresses that must sign, in order, without repetition. */
  signers(message: unknown): readonly string[];
  /** Mempool and block lane: 0 protocol, 1 cancels and reduce-only, 2 post-only, 3 the rest. A function of the message alone. */
  lane(message: unknown): number;
  /** The message in amino JSON, `{type, value}`, for SIGN_MODE_LEGACY_AMINO_JSON. Absent: it cannot be signed that way. */
  readonly amino?: (message: unknown) => AminoMessage;
  /** Signatures inside the message that `handle` is going to ask about, so that their answers can be prepared. Never throws. */
  readonly signatures?: (message: unknown) => readonly SignatureQuestion[];
  /** Whether validators name its transaction in their inclusion lists, by the committed state. Never throws. Absent: they do not. */
  readonly listed?: (ctx: ReadContext, message: unknown) => boolean;
  /** Returns the encoded response. Throws ModuleError to refuse. */
  handle(ctx: MessageContext, message: unknown): Uint8Array;
}

export interface AminoMessage {
  /** "cosmos-sdk/MsgSend" */
  readonly type: string;
  /** JSON with the SDK's conventions: snake_case names, 64-bit numbers as text, empty fields left out. */
  readonly value: unknown;
}

export function onMessage<M, R>(route: {
  readonly typeUrl: string;
  readonly request: ProtoCodec<M>;
  readonly response: ProtoCodec<R>;
  readonly signers: (message: M) => readonly string[];
  readonly validate?: (message: M) => void;
  readonly lane?: (message: M) => number;
  readonly amino?: (message: M) => AminoMessage;
  readonly signatures?: (message: M) => readonly SignatureQuestion[];
  readonly listed?: (ctx: ReadContext, message: M) => boolean;
  readonly handle: (ctx: MessageContext, message: M) => R;
}): MessageRoute {
  const { amino, listed, signatures } = route;
  return {
    ...(listed === undefined ? {} : { listed: (ctx, message) => listed(ctx, message as M) }),
    ...(amino === undefined ? {} : { amino: (message) => amino(message as M) }),
    ...(signatures === undefined ? {} : { signatures: (message) => signatures(message as M) }),
    typeUrl: route.typeUrl,
    responseTypeUrl: `${route.typeUrl}Response`,
    decode: (bytes) => route.request.decode(bytes),
    encode: (message) => route.request.encode(message as M).finish(),
    validate: (message) => route.validate?.(message as M),
    signers: (message) => route.signers(message as M),
    lane: (message) => route.lane?.(message as M) ?? 3,
    handle: (ctx, message) => route.response.encode(route.handle(ctx, message as M)).finish(),
  };
}

export interface QueryRoute {
  /** "/keel.margin.v1.Query/Account" */
  readonly path: string;
  readonly requestType: string;
  readonly responseType: string;
  /** It needs what is derived of the whole state, as an order book is: at an earlier height that is made anew for it. */
  readonly derives: boolean;
  handle(ctx: ReadContext, request: Uint8Array): Uint8Array;
}

export function onQuery<Q, R>(route: {
  readonly path: string;
  readonly request: ProtoCodec<Q>;
  readonly response: ProtoCodec<R>;
  readonly derives?: true;
  readonly handle: (ctx: ReadContext, request: Q) => R;
}): QueryRoute {
  const [service, method] = route.path.slice(1).split("/") as [string, string];
  const prefix = service.slice(0, service.lastIndexOf("."));
  return {
    path: route.path,
    requestType: `${prefix}.Query${method}Request`,
    responseType: `${prefix}.Query${method}Response`,
    derives: route.derives === true,
    handle: (ctx, request) =>
      route.response.encode(route.handle(ctx, route.request.decode(request))).finish(),
  };
}

/**
 * Genesis in and out. `proto` modules speak their GenesisState message (the node converts the genesis document's JSON by the
 * published descriptors); `json` modules read the SDK's JSON shapes themselves.
 */
export type GenesisHooks =
  | {
      readonly kind: "proto";
      readonly typeName: string;
      init(ctx: WriteContext, state: Uint8Array): void;
      export(ctx: ReadContext): Uint8Array;
    }
  | {
      readonly kind: "json";
      init(ctx: WriteContext, state: unknown): void;
      export(ctx: ReadContext): unknown;
    };

export function onGenesis<G>(hooks: {
  readonly typeName: string;
  readonly codec: ProtoCodec<G>;
  readonly init: (ctx: WriteContext, state: G) => void;
  readonly export: (ctx: ReadContext) => G;
}): GenesisHooks {
  return {
    kind: "proto",
    typeName: hooks.typeName,
    init: (ctx, state) => hooks.init(ctx, hooks.codec.decode(state)),
    export: (ctx) => hooks.codec.encode(hooks.export(ctx)).finish(),
  };
}

/** null: holds. Text: the first violation found. */
export type Invariant = (ctx: ReadContext) => string | null;

export interface ModuleInvariants {
  /** On running totals; asserted at the end of every block. */
  readonly running: Readonly<Record<string, Invariant>>;
  /** Full scans; in simulation each block, on a node by command. */
  readonly full: Readonly<Record<string, Invariant>>;
}

export interface ModuleDefinition {
  readonly name: string;
  readonly version: number;
  readonly messages: readonly MessageRoute[];
  readonly queries: readonly QueryRoute[];
  readonly genesis: GenesisHooks;
  readonly beginBlock?: (ctx: WriteContext) => void;
  readonly endBlock?: (ctx: WriteContext) => void;
  readonly invariants: ModuleInvariants;
}
