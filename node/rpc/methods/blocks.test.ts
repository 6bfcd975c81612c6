import { describe, expect, it } from "vitest";
import type { RpcEnvironment } from "../environment.ts";
import { RpcError } from "../json-rpc.ts";
import { Params } from "../params.ts";
import { blockMethods } from "./blocks.ts";

/** A node that has stored a block and its results, and has not committed its state yet. */
function between(height: number): RpcEnvironment {
  const response = {
    txResults: [],
    events: [],
    validatorUpdates: [],
    consensusParamUpdates: undefined,
    appHash: new Uint8Array(32),
  };
  return {
    app: { info: async () => ({ lastHeight: height - 1 }) },
    blocks: { height: () => height, base: () => 1 },
    states: { loadFinalizeBlockResponse: async () => response },
  } as unknown as RpcEnvironment;
}

async function results(height?: number): Promise<unknown> {
  const method = blockMethods(between(5))["block_results"];
  const query = new URLSearchParams(height === undefined ? {} : { height: `${height}` });
  return await method?.handle(Params.fromUrl(query));
}

describe("block_results", () => {
  it("are of a height whose state queries answer from, and not of one that is being committed", async () => {
    await expect(results(5)).rejects.toMatchObject({
      name: RpcError.name,
      data: "height 5 must be less than or equal to the current blockchain height 4",
    });
    expect(await results(4)).toMatchObject({ height: "4" });
    expect(await results()).toMatchObject({ height: "4" });
  });
});
