/** The method table and one call of it, from whatever transport. */
import type { RpcCall, RpcResponse } from "./json-rpc.ts";
import { failure, RpcError, success } from "./json-rpc.ts";
import { Params } from "./params.ts";

export interface RpcMethod {
  /** Parameter names in positional order. */
  readonly params: readonly string[];
  /** Returns the JSON result; throws RpcError. */
  handle(params: Params): Promise<unknown> | unknown;
}

export type RpcMethods = Readonly<Record<string, RpcMethod>>;

/** One call, from whatever transport. Never rejects. */
export async function answerCall(
  methods: RpcMethods,
  name: string,
  readParams: (method: RpcMethod) => Params,
  id: string | number,
): Promise<RpcResponse> {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return failure(id, new RpcError(-32601, "Method not found"));
  try {
    return success(id, await method.handle(readParams(method)));
  } catch (error) {
    return failure(id, error);
  }
}

export function answerJsonCall(
  methods: RpcMethods,
  call: RpcCall & { id: string | number },
): Promise<RpcResponse> {
  return answerCall(
    methods,
    call.method,
    (method) => Params.fromJson(call.params, method.params),
    call.id,
  );
}
