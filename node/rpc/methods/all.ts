import type { RpcMethods } from "../call.ts";
import type { RpcEnvironment } from "../environment.ts";
import { blockMethods } from "./blocks.ts";
import { explainMethods, explainSources } from "./explain.ts";
import { infoMethods } from "./info.ts";
import { txMethods } from "./txs.ts";

export function allMethods(env: RpcEnvironment): RpcMethods {
  return {
    ...infoMethods(env),
    ...blockMethods(env),
    ...txMethods(env),
    ...explainMethods(explainSources(env)),
    ...env.history,
  };
}
