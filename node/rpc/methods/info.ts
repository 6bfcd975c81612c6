/** The node, its peers, its genesis, and the application's answers. */
import { genesisFromJson, genesisValidators } from "@keel/consensus/wire/genesis";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { formatTimestamp } from "@keel/proto/bytes/timestamp";
import { COMET_VERSION } from "../../version.ts";
import type { RpcMethods } from "../call.ts";
import { base64OrNull, queryResponseJson } from "../comet-json.ts";
import type { RpcEnvironment } from "../environment.ts";
import { internalError } from "../json-rpc.ts";
import { GENESIS_CHUNK_BYTES } from "../limits.ts";

const EMPTY_HASH = "";

export function infoMethods(env: RpcEnvironment): RpcMethods {
  const genesisBytes = Buffer.from(JSON.stringify(env.genesis));
  const chunks = Math.max(1, Math.ceil(genesisBytes.length / GENESIS_CHUNK_BYTES));

  return {
    health: { params: [], handle: () => ({}) },
    status: { params: [], handle: () => status(env) },
    net_info: {
      params: [],
      handle() {
        const peers = env.peers();
        return {
          listening: true,
          listeners: [`Listener(@${env.listenAddress})`],
          n_peers: peers.length.toString(),
          peers: peers.map((peer) => ({
            node_info: { id: peer.id, moniker: peer.moniker, network: env.chainState().chainId },
            is_outbound: peer.outbound,
            remote_ip: peer.address.slice(0, Math.max(0, peer.address.lastIndexOf(":"))),
          })),
        };
      },
    },
    genesis: {
      params: [],
      handle() {
        if (chunks > 1)
          throw internalError(
            "genesis response is large, please use the genesis_chunked API instead",
          );
        return { genesis: env.genesis };
      },
    },
    genesis_chunked: {
      params: ["chunk"],
      handle(params) {
        const chunk = params.integer("chunk") ?? 0;
        if (chunk >= chunks)
          throw internalError(`there are ${chunks - 1} chunks, ${chunk} is invalid`);
        const data = genesisBytes.subarray(
          chunk * GENESIS_CHUNK_BYTES,
          (chunk + 1) * GENESIS_CHUNK_BYTES,
        );
        return { chunk: chunk.toString(), total: chunks.toString(), data: data.toString("base64") };
      },
    },
    consensus_state: {
      params: [],
      handle() {
        const { height, round, step } = env.round();
        return { round_state: { "height/round/step": `${height}/${round}/${step}` } };
      },
    },
    abci_info: {
      params: [],
      async handle() {
        const info = await env.app.info();
        return {
          response: {
            data: "keel",
            version: info.version,
            app_version: info.appVersion.toString(),
            last_block_height: info.lastHeight.toString(),
            last_block_app_hash: base64OrNull(info.lastAppHash),
          },
        };
      },
    },
    abci_query: {
      params: ["path", "data", "height", "prove"],
      async handle(params) {
        const response = await env.app.query({
          path: params.text("path") ?? "",
          data: params.hexBytes("data") ?? new Uint8Array(0),
          height: params.height() ?? 0,
          prove: params.boolean("prove"),
        });
        return { response: queryResponseJson(response) };
      },
    },
  };
}

async function status(env: RpcEnvironment): Promise<unknown> {
  const state = env.chainState();
  const latest = env.blocks.height() === 0 ? null : await env.blocks.load(env.blocks.height());
  const base = env.blocks.base();
  const earliest = base === 0 ? null : await env.blocks.load(base);
  const place = (prefix: string, stored: typeof latest): Record<string, string> => ({
    [`${prefix}_block_hash`]: stored === null ? EMPTY_HASH : bytesToHex(stored.blockId.hash),
    // The header's: the state after the block before it. At genesis, what InitChain gave.
    [`${prefix}_app_hash`]: bytesToHex(
      stored === null ? state.appHash : stored.block.header.appHash,
    ),
    [`${prefix}_block_height`]: (stored?.block.header.height ?? 0).toString(),
    [`${prefix}_block_time`]:
      stored === null ? env.genesis.genesis_time : formatTimestamp(stored.block.header.time),
  });
  const { validator } = env;
  const set =
    state.validators.length > 0
      ? state.validators
      : genesisValidators(genesisFromJson(env.genesis));
  const power =
    validator === null
      ? 0n
      : (set.find((v) => equalBytes(v.address, validator.address))?.power ?? 0n);
  return {
    node_info: {
      protocol_version: { p2p: "8", block: "11", app: state.appVersion.toString() },
      id: env.nodeId,
      listen_addr: env.listenAddress,
      network: state.chainId,
      version: COMET_VERSION,
      channels: "",
      moniker: env.moniker,
      other: { tx_index: env.index === null ? "off" : "on", rpc_address: env.rpcAddress },
    },
    sync_info: {
      ...place("latest", latest),
      ...place("earliest", earliest),
      catching_up: env.catchingUp(),
    },
    validator_info: {
      address: validator === null ? "" : bytesToHex(validator.address),
      pub_key:
        validator === null
          ? null
          : { type: "tendermint/PubKeyEd25519", value: bytesToBase64(validator.pubKey) },
      voting_power: power.toString(),
    },
  };
}
