/** Blocks, headers, commits, validators, results. */
import type { StoredBlock } from "@keel/consensus/host/ports";
import type { Commit, ExtendedCommit } from "@keel/consensus/wire/types";
import { parseQuery, QueryError } from "../../store/query-grammar.ts";
import type { RpcMethods } from "../call.ts";
import {
  blockIdJson,
  blockJson,
  blockResultsJson,
  commitJson,
  consensusParamsJson,
  headerJson,
  validatorJson,
} from "../comet-json.ts";
import type { RpcEnvironment } from "../environment.ts";
import { internalError, invalidParams } from "../json-rpc.ts";
import { BLOCKCHAIN_MAX } from "../limits.ts";
import { isDescending, pageOf } from "../paging.ts";
import type { Params } from "../params.ts";

export function blockMethods(env: RpcEnvironment): RpcMethods {
  const { blocks, states } = env;

  /** The asked height, latest when none; refused outside what is stored. */
  const heightOf = (
    params: Params,
    newest: number = blocks.height(),
    latest: number = blocks.height(),
  ): number => {
    const height = params.height() ?? latest;
    if (height === 0) throw invalidParams("height must be greater than 0, but got 0");
    if (height > newest) {
      throw internalError(
        `height ${height} must be less than or equal to the current blockchain height ${newest}`,
      );
    }
    if (height < blocks.base()) {
      throw internalError(`height ${height} is not available, lowest height is ${blocks.base()}`);
    }
    return height;
  };

  const load = async (height: number): Promise<StoredBlock> => {
    const stored = await blocks.load(height);
    if (stored === null) throw internalError(`block ${height} not found`);
    return stored;
  };

  const fullBlock = (stored: StoredBlock | null): unknown =>
    stored === null
      ? { block_id: { hash: "", parts: { total: 0, hash: "" } }, block: null }
      : { block_id: blockIdJson(stored.blockId), block: blockJson(stored.block) };

  return {
    block: {
      params: ["height"],
      handle: async (params) => fullBlock(await load(heightOf(params))),
    },
    block_by_hash: {
      params: ["hash"],
      handle: async (params) =>
        fullBlock(await blocks.loadByHash(params.bytes("hash") ?? new Uint8Array(0))),
    },
    header: {
      params: ["height"],
      handle: async (params) => ({
        header: headerJson((await load(heightOf(params))).block.header),
      }),
    },
    header_by_hash: {
      params: ["hash"],
      async handle(params) {
        const stored = await blocks.loadByHash(params.hexBytes("hash") ?? new Uint8Array(0));
        return { header: stored === null ? null : headerJson(stored.block.header) };
      },
    },
    commit: {
      params: ["height"],
      async handle(params) {
        const height = heightOf(params);
        const { block } = await load(height);
        const canonical = await blocks.loadCommit(height);
        const seen = canonical === null ? await blocks.loadSeenCommit(height) : null;
        const commit = canonical ?? (seen === null ? null : withoutExtensions(seen));
        if (commit === null) throw internalError(`commit of height ${height} not found`);
        return {
          signed_header: { header: headerJson(block.header), commit: commitJson(commit) },
          canonical: canonical !== null,
        };
      },
    },
    block_results: {
      params: ["height"],
      async handle(params) {
        // Not before queries answer from the same height: who has read of an event finds what it speaks of.
        const { lastHeight } = await env.app.info();
        const height = heightOf(params, lastHeight, lastHeight);
        const response = await states.loadFinalizeBlockResponse(height);
        if (response === null) throw internalError(`could not find results for height #${height}`);
        return blockResultsJson(height, response);
      },
    },
    blockchain: {
      params: ["minHeight", "maxHeight"],
      async handle(params) {
        const newest = blocks.height();
        const asked = params.integer("maxHeight") ?? 0;
        const max = asked === 0 ? newest : Math.min(newest, asked);
        const min = Math.max(
          blocks.base(),
          params.integer("minHeight") ?? 0,
          max - BLOCKCHAIN_MAX + 1,
        );
        if (min > max)
          throw internalError(`min height ${min} can't be greater than max height ${max}`);
        const metas: unknown[] = [];
        for (let height = max; height >= min; height--) {
          const { block, blockId, bytes } = await load(height);
          metas.push({
            block_id: blockIdJson(blockId),
            block_size: bytes.length.toString(),
            header: headerJson(block.header),
            num_txs: block.txs.length.toString(),
          });
        }
        return { last_height: newest.toString(), block_metas: metas };
      },
    },
    validators: {
      params: ["height", "page", "per_page"],
      async handle(params) {
        const height = heightOf(params, blocks.height() + 1);
        const set = await states.loadValidators(height);
        if (set === null) throw internalError(`could not find validator set for height #${height}`);
        const page = pageOf(set, params);
        return {
          block_height: height.toString(),
          validators: page.map(validatorJson),
          count: page.length.toString(),
          total: set.length.toString(),
        };
      },
    },
    consensus_params: {
      params: ["height"],
      async handle(params) {
        const height = heightOf(params, blocks.height() + 1);
        const found = await states.loadConsensusParams(height);
        if (found === null)
          throw internalError(`could not find consensus params for height #${height}`);
        return { block_height: height.toString(), consensus_params: consensusParamsJson(found) };
      },
    },
    block_search: {
      params: ["query", "page", "per_page", "order_by"],
      async handle(params) {
        if (env.index === null) throw internalError("block indexing is disabled");
        let heights: readonly number[];
        try {
          heights = await env.index.searchBlocks(parseQuery(params.text("query") ?? ""), states);
        } catch (error) {
          if (error instanceof QueryError) throw internalError(error.message);
          throw error;
        }
        const ordered = isDescending(params, "desc") ? [...heights].reverse() : heights;
        const found = await Promise.all(pageOf(ordered, params).map((height) => load(height)));
        return { blocks: found.map(fullBlock), total_count: heights.length.toString() };
      },
    },
  };
}

function withoutExtensions({ height, round, blockId, extendedSignatures }: ExtendedCommit): Commit {
  return {
    height,
    round,
    blockId,
    signatures: extendedSignatures.map(({ flag, validatorAddress, timestamp, signature }) => ({
      flag,
      validatorAddress,
      timestamp,
      signature,
    })),
  };
}
