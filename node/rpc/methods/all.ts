import type { RpcMethods } from "../call.ts";
import type { RpcEnvironment } from "../environment.ts";
import { blockMethods } from "./blocks.ts";
import { infoMethods } from "./info.ts";
import { txMethods } from "./txs.ts";

export function allMethods(env: RpcEnvironment): RpcMethods {
  return { ...infoMethods(env), ...blockMethods(env), ...txMethods(env), ...env.history };
}
