/** Sending, finding and waiting for transactions. */
import type { CheckTxResult } from "@keel/consensus/host/ports";
import type { ExecTxResult } from "@keel/consensus/wire/abci";
import { txHash } from "@keel/consensus/wire/block";
import { proveAll } from "@keel/consensus/wire/merkle";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { IndexedTx, TxIndex } from "../../store/level/tx-index.ts";
import { parseQuery, QueryError } from "../../store/query-grammar.ts";
import type { RpcMethods } from "../call.ts";
import { txResultJson } from "../comet-json.ts";
import type { RpcEnvironment } from "../environment.ts";
import { internalError, invalidParams } from "../json-rpc.ts";
import { PER_PAGE_DEFAULT, PER_PAGE_MAX } from "../limits.ts";
import { isDescending, pageOf } from "../paging.ts";
import type { Params } from "../params.ts";

export function txMethods(env: RpcEnvironment): RpcMethods {
  const { pool } = env;

  const readTx = (params: Params): Uint8Array => {
    const tx = params.bytes("tx");
    if (tx === undefined || tx.length === 0) throw invalidParams("tx: expected a transaction");
    return tx;
  };

  /** CheckTx's answer and the hash; refusals of the pool itself are errors, as upstream. */
  const submit = async (tx: Uint8Array): Promise<{ hash: Uint8Array; result: CheckTxResult }> => {
    const submission = await pool.submit(tx, null);
    if (submission.kind === "refused") throw internalError(submission.reason);
    return submission;
  };

  const index = (): TxIndex => {
    if (env.index === null) throw internalError("transaction indexing is disabled");
    return env.index;
  };

  const found = async (indexed: IndexedTx, prove: boolean): Promise<unknown> => ({
    hash: bytesToHex(indexed.hash),
    height: indexed.height.toString(),
    index: indexed.index,
    tx_result: txResultJson(indexed.result),
    tx: bytesToBase64(indexed.tx),
    ...(prove ? { proof: await txProof(env, indexed) } : {}),
  });

  return {
    broadcast_tx_async: {
      params: ["tx"],
      handle(params) {
        const tx = readTx(params);
        // Whatever becomes of it is not told: that is what async means.
        pool.submit(tx, null).catch(() => undefined);
        return { code: 0, data: "", log: "", codespace: "", hash: bytesToHex(txHash(tx)) };
      },
    },
    broadcast_tx_sync: {
      params: ["tx"],
      async handle(params) {
        const { hash, result } = await submit(readTx(params));
        return {
          code: result.code,
          data: bytesToHex(result.data),
          log: result.log,
          codespace: result.codespace,
          hash: bytesToHex(hash),
        };
      },
    },
    broadcast_tx_commit: {
      params: ["tx"],
      async handle(params) {
        const tx = readTx(params);
        const inclusion = waitForInclusion(env, tx);
        try {
          const { hash, result } = await submit(tx);
          const included = result.code === 0 ? await inclusion.done : null;
          return {
            check_tx: txResultJson(result),
            tx_result: txResultJson(included?.result ?? NO_RESULT),
            hash: bytesToHex(hash),
            height: (included?.height ?? 0).toString(),
          };
        } finally {
          inclusion.cancel();
        }
      },
    },
    check_tx: {
      params: ["tx"],
      handle: async (params) => txResultJson(await env.app.checkTx(readTx(params), "new")),
    },
    tx: {
      params: ["hash", "prove"],
      async handle(params) {
        const hash = params.bytes("hash") ?? new Uint8Array(0);
        const indexed = await index().get(hash);
        if (indexed === null) throw internalError(`tx (${bytesToHex(hash)}) not found`);
        return found(indexed, params.boolean("prove"));
      },
    },
    tx_search: {
      params: ["query", "prove", "page", "per_page", "order_by"],
      async handle(params) {
        const descending = isDescending(params, "asc");
        let places: readonly { readonly height: number; readonly index: number }[];
        try {
          places = await index().searchTxs(parseQuery(params.text("query") ?? ""));
        } catch (error) {
          if (error instanceof QueryError) throw internalError(error.message);
          throw error;
        }
        const page = pageOf(descending ? [...places].reverse() : places, params);
        const indexed = (await Promise.all(page.map((place) => index().at(place)))).filter(
          (tx) => tx !== null,
        );
        const txs = await Promise.all(indexed.map((tx) => found(tx, params.boolean("prove"))));
        return { txs, total_count: places.length.toString() };
      },
    },
    unconfirmed_txs: {
      params: ["limit"],
      handle(params) {
        const txs = pool.list(Math.min(params.integer("limit") ?? PER_PAGE_DEFAULT, PER_PAGE_MAX));
        return { ...poolSize(env), n_txs: txs.length.toString(), txs: txs.map(bytesToBase64) };
      },
    },
    num_unconfirmed_txs: { params: [], handle: () => ({ ...poolSize(env), txs: null }) },
  };
}

const NO_RESULT: ExecTxResult = {
  code: 0,
  data: new Uint8Array(0),
  log: "",
  info: "",
  gasWanted: 0n,
  gasUsed: 0n,
  events: [],
  codespace: "",
};

function poolSize({ pool }: RpcEnvironment): { n_txs: string; total: string; total_bytes: string } {
  return {
    n_txs: pool.size().toString(),
    total: pool.size().toString(),
    total_bytes: pool.bytes().toString(),
  };
}

async function txProof(env: RpcEnvironment, indexed: IndexedTx): Promise<unknown> {
  const stored = await env.blocks.load(indexed.height);
  if (stored === null) throw internalError(`block ${indexed.height} not found`);
  // The leaves of DataHash are transaction hashes.
  const { root, proofs } = proveAll(stored.block.txs.map(txHash));
  const proof = proofs[indexed.index];
  if (proof === undefined)
    throw internalError(`transaction ${indexed.index} of block ${indexed.height} not found`);
  return {
    root_hash: bytesToHex(root),
    data: bytesToBase64(indexed.tx),
    proof: {
      total: proof.total.toString(),
      index: proof.index.toString(),
      leaf_hash: bytesToBase64(proof.leafHash),
      aunts: proof.aunts.map(bytesToBase64),
    },
  };
}

/** Listens before the transaction is sent, so that a fast block is not missed. */
function waitForInclusion(
  env: RpcEnvironment,
  tx: Uint8Array,
): { readonly done: Promise<{ height: number; result: ExecTxResult }>; cancel(): void } {
  let cancel: () => void = () => undefined;
  const done = new Promise<{ height: number; result: ExecTxResult }>((resolve, reject) => {
    const stop = env.onCommitted(({ block, result }) => {
      const at = block.txs.findIndex((other) => equalBytes(other, tx));
      const txResult = result.txResults[at];
      if (txResult !== undefined) resolve({ height: block.header.height, result: txResult });
    });
    const timer = setTimeout(
      () => reject(internalError("timed out waiting for tx to be included in a block")),
      env.broadcastTimeoutMs,
    );
    cancel = () => {
      stop();
      clearTimeout(timer);
    };
  });
  // A refused transaction leaves this promise behind; its time-out must not count as unhandled.
  done.catch(() => undefined);
  return { done, cancel: () => cancel() };
}
