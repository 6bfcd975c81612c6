/** Stock CosmJS clients and hand-made requests against one running validator. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Comet38Client, connectComet, HttpBatchClient } from "@cosmjs/tendermint-rpc";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendMessage, TestSigner } from "../app/testing/signer.ts";
import { initHome } from "../cli/init.ts";
import { homePaths, readConfig } from "../config/files.ts";
import { createGenesisText } from "../genesis/create.ts";
import { createLogger } from "../logging/logger.ts";
import type { RunningNode } from "../node.ts";
import { startNode } from "../node.ts";
import { startRpcServer } from "./server.ts";
import { SubscriptionHub } from "./subscriptions.ts";

let home: string;
let node: RunningNode;
let url: string;
/** Holds coins; account number 0. */
const payer = new TestSigner("rpc payer", "keel-rpc-1", "keel");
const payee = new TestSigner("rpc payee", "keel-rpc-1", "keel");
const payment = (amount: string): Uint8Array =>
  payer.sign([sendMessage(payer.address, payee.address, amount)]);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "keel-rpc-"));
  const { pubKey } = await initHome(home, {
    "rpc.laddr": "tcp://127.0.0.1:0",
    "p2p.laddr": "tcp://127.0.0.1:0",
    "oracle.source": "generator",
    "crypto.workers": 0,
    "consensus.empty_block_interval": "150ms",
    "consensus.min_block_interval": "50ms",
  });
  const choices = {
    chainId: "keel-rpc-1",
    genesisTime: timestampFromMs(Date.now()),
    validators: [{ pubKey, power: 10n, name: "one" }],
    accounts: [{ address: payer.address, coins: [{ denom: "ukeel", amount: 1_000_000n }] }],
    authority: null,
  };
  writeFileSync(homePaths(home).genesis, createGenesisText(choices));
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  node = await startNode({
    config: readConfig(home),
    log: createLogger({ level: "error", format: "plain", stream }),
    onFatal: (sentence) => {
      throw new Error(sentence);
    },
  });
  url = `http://127.0.0.1:${node.rpcPort}`;
  while (node.state().lastHeight < 4) await new Promise((resolve) => setTimeout(resolve, 20));
}, 60_000);

afterAll(async () => {
  await node?.stop();
  rmSync(home, { recursive: true, force: true });
}, 30_000);

async function post(body: string): Promise<{
  status: number;
  json: Record<string, never> & { error?: { code: number; data: string }; result?: never };
}> {
  const response = await fetch(url, { method: "POST", body });
  const text = await response.text();
  return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
}

describe("rpc", () => {
  it("is taken for CometBFT 0.38 by CosmJS, and every chain method decodes", async () => {
    const client = await connectComet(url);
    expect(client).toBeInstanceOf(Comet38Client);
    const comet = client as Comet38Client;
    const status = await comet.status();
    expect(status.nodeInfo.network).toBe("keel-rpc-1");
    expect(status.syncInfo.catchingUp).toBe(false);
    expect(status.validatorInfo.votingPower).toBe(10n);
    const { block, blockId } = await comet.block(3);
    expect(block.header.height).toBe(3);
    expect((await comet.block(4)).block.header.lastBlockId?.hash).toEqual(blockId.hash);
    expect((await comet.block(1)).block.lastCommit?.signatures ?? []).toEqual([]);
    expect((await comet.blockResults(2)).results).toHaveLength(1);
    const commit = await comet.commit(2);
    expect([commit.canonical, commit.commit.signatures.length]).toEqual([true, 1]);
    expect((await comet.validatorsAll(2)).total).toBe(1);
    expect((await comet.genesis()).chainId).toBe("keel-rpc-1");
    expect((await comet.abciInfo()).lastBlockHeight).toBeGreaterThan(2);
    expect((await comet.blockchain()).blockMetas.length).toBeGreaterThan(2);
    expect((await comet.blockSearch({ query: "block.height <= 3" })).totalCount).toBe(3);
    expect((await comet.txSearch({ query: "tx.height = 2" })).totalCount).toBe(1);
    expect(await comet.health()).toBeNull();
    expect((await comet.numUnconfirmedTxs()).total).toBe(0);
    comet.disconnect();
  });

  it("finds transaction 0 of a block by hash, with a proof against the data hash", async () => {
    const comet = (await connectComet(url)) as Comet38Client;
    const [found] = (await comet.txSearch({ query: "tx.height = 3", prove: true })).txs;
    const { block } = await comet.block(3);
    expect(found?.tx).toEqual(block.txs[0]);
    expect(found?.proof?.rootHash).toEqual(block.header.dataHash);
    expect((await comet.tx({ hash: found?.hash ?? new Uint8Array(0) })).height).toBe(3);
    comet.disconnect();
  });

  it("answers a query with a proof, and says when a height is not there", async () => {
    const comet = (await connectComet(url)) as Comet38Client;
    const answer = await comet.abciQuery({
      path: "/store/bank/key",
      data: Uint8Array.of(5),
      prove: true,
    });
    expect(answer.proof?.ops.map((op) => op.type)).toEqual(["ics23:iavl", "ics23:simple"]);
    expect(answer.height).toBeGreaterThan(0);
    await expect(comet.block(1_000_000)).rejects.toThrow(
      "must be less than or equal to the current blockchain height",
    );
    comet.disconnect();
  });

  it("streams new blocks over a WebSocket next to calls", async () => {
    const comet = await Comet38Client.connect(url.replace("http", "ws"));
    const heights: number[] = [];
    await new Promise<void>((resolve, reject) => {
      comet.subscribeNewBlock().addListener({
        next: (event: { readonly header: { readonly height: number } }) => {
          heights.push(event.header.height);
          if (heights.length === 3) resolve();
        },
        error: reject,
      });
    });
    expect(heights[2]).toBe((heights[0] ?? 0) + 2);
    comet.disconnect();
  });

  it("takes batches of CosmJS's size", async () => {
    const batch = new HttpBatchClient(url, { batchSizeLimit: 20 });
    const calls = Array.from({ length: 20 }, (_, id) =>
      batch.execute({ jsonrpc: "2.0", id, method: "health", params: {} }),
    );
    expect((await Promise.all(calls)).map((answer) => answer.result)).toEqual(Array(20).fill({}));
    batch.disconnect();
  });

  it("refuses an undecodable transaction with a stable code and goes on", async () => {
    const tx = Buffer.from("not a transaction").toString("base64");
    const { json } = await post(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "broadcast_tx_sync", params: { tx } }),
    );
    expect(json.result).toMatchObject({ code: 2, codespace: "sdk" });
    const commit = await post(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "broadcast_tx_commit", params: { tx } }),
    );
    expect(commit.json.result).toMatchObject({ check_tx: { code: 2 }, height: "0" });
  });

  it("broadcasts and waits for the block, whose index then has the transaction", async () => {
    const comet = (await connectComet(url)) as Comet38Client;
    const committed = await comet.broadcastTxCommit({ tx: payment("5ukeel") });
    expect([committed.checkTx.code, committed.txResult?.code]).toEqual([0, 0]);
    expect(committed.height).toBeGreaterThan(0);
    expect(committed.txResult?.gasUsed).toBeGreaterThan(0n);
    expect((await comet.tx({ hash: committed.hash })).height).toBe(committed.height);
    comet.disconnect();
  });

  it("streams a transaction that was handed over without waiting", async () => {
    const comet = await Comet38Client.connect(url.replace("http", "ws"));
    const tx = payment("7ukeel");
    const received = new Promise<{ height: number; tx: Uint8Array; result: { code: number } }>(
      (resolve, reject) => {
        const query = `transfer.recipient = '${payee.address}'`;
        comet.subscribeTx(query).addListener({ next: resolve, error: reject });
      },
    );
    // The node has the subscription once it answers a later call on the same socket.
    await comet.health();
    const { hash } = await comet.broadcastTxAsync({ tx });
    const event = await received;
    expect(event.tx).toEqual(tx);
    expect(event.result.code).toBe(0);
    expect((await comet.tx({ hash })).height).toBe(event.height);
    comet.disconnect();
  });

  it("says in one sentence that its port is taken", async () => {
    const second = startRpcServer({
      host: "127.0.0.1",
      port: node.rpcPort,
      methods: {},
      subscriptions: new SubscriptionHub({ clientsMax: 1, perClientMax: 1 }),
      corsOrigins: [],
      bodyBytesMax: 1_000,
      connectionsMax: 1,
      log: () => undefined,
    });
    await expect(second).rejects.toThrow(
      new RegExp(
        `^port ${node.rpcPort} on 127\\.0\\.0\\.1 is in use; stop the other program or choose another rpc\\.laddr$`,
      ),
    );
  });

  it("answers malformed requests with the standard codes", async () => {
    const cases: [string, number, number][] = [
      ["{", 500, -32700],
      [`${"[".repeat(100)}${"]".repeat(100)}`, 500, -32600],
      ["[]", 500, -32600],
      ['{"jsonrpc":"2.0","id":1,"method":"nothing"}', 200, -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"toString"}', 200, -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":"x"}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":"-5"}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tx","params":{"hash":"%%%"}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tx_search","params":{"query":"a = "}}', 200, -32603],
      ['{"jsonrpc":"2.0","id":{"a":1},"method":"health"}', 200, -32600],
    ];
    for (const [body, status, code] of cases) {
      const answer = await post(body);
      expect([answer.status, answer.json.error?.code], body.slice(0, 60)).toEqual([status, code]);
    }
    expect((await post('{"jsonrpc":"2.0","method":"health"}')).json).toEqual({});
    const large = await post("x".repeat(1_500_001));
    expect([large.status, large.json.error?.code]).toEqual([413, -32600]);
    expect(large.json.error?.data).toContain("larger than 1500000 bytes");
  });

  it("serves the same methods by URL, with quoted strings", async () => {
    const get = async (path: string) =>
      (await fetch(`${url}/${path}`)).json() as Promise<{ result: Record<string, unknown> }>;
    expect((await get("block?height=2")).result["block_id"]).toBeDefined();
    const search = await get(`tx_search?query=${encodeURIComponent('"tx.height=2"')}&per_page=5`);
    expect(search.result["total_count"]).toBe("1");
    expect((await fetch(`${url}/block?height=0`)).status).toBe(500);
  });
});
