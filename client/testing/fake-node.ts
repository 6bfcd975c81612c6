/**
 * A node made of a few lines: an HTTP server that answers CometBFT's JSON-RPC from tables, with the real codecs, and writes down what it was sent. It
 * has no WebSocket, so clients of it poll.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { BaseAccount } from "cosmjs-types/cosmos/auth/v1beta1/auth";
import { QueryAccountRequest, QueryAccountResponse } from "cosmjs-types/cosmos/auth/v1beta1/query";
import { AuthInfo, TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { KeelQueryError } from "../errors.ts";

export interface SentTx {
  readonly hash: string;
  readonly body: TxBody;
  readonly authInfo: AuthInfo;
}

export interface CheckAnswer {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
}

export interface ExecAnswer extends CheckAnswer {
  readonly data: Uint8Array;
}

const ok: CheckAnswer = { code: 0, codespace: "", log: "" };
const empty = { data: null, info: "", gas_wanted: "0", gas_used: "0", events: [] };

export class FakeNode {
  readonly sent: SentTx[] = [];
  readonly seen: Set<string> = new Set();
  /** Answers of `abci_query` by path: request bytes to answer bytes, or a KeelQueryError thrown. */
  readonly queries: Map<string, (data: Uint8Array) => Uint8Array> = new Map();
  /** What the next checks say; accepted when empty. */
  readonly checks: ((tx: SentTx) => CheckAnswer)[] = [];
  /** Execution results by hash; absent ones are not included yet. */
  readonly included: Map<string, ExecAnswer> = new Map();
  sequence: number;
  timeMs: number;
  height: number;
  /** Calls that are cut off without an answer after they were carried out. */
  dropAnswers: number;
  #server: Server | undefined;

  constructor() {
    this.sequence = 0;
    this.timeMs = 1_700_000_000_000;
    this.height = 5;
    this.dropAnswers = 0;
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
        const answer = this.#answer(method, params ?? {});
        if (this.dropAnswers > 0) {
          this.dropAnswers--;
          request.socket.destroy();
          return;
        }
        response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #answer(method: string, params: Record<string, never>): object {
    if (method === "status") return { result: this.#status() };
    if (method === "abci_query") return { result: { response: this.#query(params) } };
    if (method === "broadcast_tx_sync") return this.#broadcast(base64ToBytes(params["tx"] ?? ""));
    if (method === "tx") return this.#tx(bytesToHex(base64ToBytes(params["hash"] ?? "")));
    return { error: { code: -32601, message: "Method not found", data: method } };
  }

  #status(): object {
    const zero = "0".repeat(64);
    const time = new Date(this.timeMs).toISOString();
    return {
      node_info: {
        protocol_version: { p2p: "8", block: "11", app: "0" },
        id: "00".repeat(20),
        listen_addr: "tcp://127.0.0.1:0",
        network: "fake-1",
        version: "0.38.0",
        channels: "40",
        moniker: "fake",
        other: { tx_index: "on", rpc_address: "" },
      },
      sync_info: {
        latest_block_hash: zero,
        latest_app_hash: zero,
        latest_block_height: `${this.height}`,
        latest_block_time: time,
        catching_up: false,
      },
      validator_info: {
        address: "00".repeat(20),
        pub_key: { type: "tendermint/PubKeyEd25519", value: bytesToBase64(new Uint8Array(32)) },
        voting_power: "1",
      },
    };
  }

  #query({ path, data }: Record<string, string>): object {
    const request = hexToBytes(data ?? "");
    const table = this.queries.get(path ?? "");
    const base = { info: "", index: "0", key: null, proofOps: null, height: "5" };
    let value: Uint8Array | undefined;
    try {
      value = table?.(request);
    } catch (error) {
      if (!(error instanceof KeelQueryError)) throw error;
      const { code, codespace, log } = error;
      return { ...base, code, codespace, log, value: null };
    }
    if (path === "/cosmos.auth.v1beta1.Query/Account") value ??= this.#account(request);
    if (value === undefined)
      return { ...base, code: 6, codespace: "sdk", log: `unknown query path ${path}`, value: null };
    return { ...base, code: 0, codespace: "", log: "", value: bytesToBase64(value) };
  }

  #account(request: Uint8Array): Uint8Array {
    const { address } = QueryAccountRequest.decode(request);
    const account = BaseAccount.fromPartial({
      address,
      accountNumber: 7n,
      sequence: BigInt(this.sequence),
    });
    const value = BaseAccount.encode(account).finish();
    const any = { typeUrl: "/cosmos.auth.v1beta1.BaseAccount", value };
    return QueryAccountResponse.encode({ account: any }).finish();
  }

  #broadcast(bytes: Uint8Array): object {
    const hash = bytesToHex(sha256(bytes));
    if (this.seen.has(hash))
      return {
        error: { code: -32603, message: "Internal error", data: "tx already exists in cache" },
      };
    const raw = TxRaw.decode(bytes);
    const tx = {
      hash,
      body: TxBody.decode(raw.bodyBytes),
      authInfo: AuthInfo.decode(raw.authInfoBytes),
    };
    this.sent.push(tx);
    const answer = this.checks.shift()?.(tx) ?? ok;
    if (answer.code === 0) this.seen.add(hash);
    return { result: { ...answer, data: "", hash } };
  }

  #tx(hash: string): object {
    const found = this.included.get(hash);
    if (found === undefined)
      return {
        error: { code: -32603, message: "Internal error", data: `tx (${hash}) not found` },
      };
    const { data, ...rest } = found;
    return {
      result: {
        hash,
        height: "6",
        index: 0,
        tx_result: { ...empty, ...rest, data: bytesToBase64(data) },
        tx: "AA==",
      },
    };
  }
}
