/** Sending against a node that lies, lags, loses answers and goes away: real bytes, real HTTP, a fake chain behind it. */
import { toHex } from "@cosmjs/encoding";
import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeelTxError } from "./errors.ts";
import { KeelSigningClient, type KeelSigningOptions } from "./signing-client.ts";
import { type CheckAnswer, FakeNode, type SentTx } from "./testing/fake-node.ts";

const other = "keel1xr6tysusajryvxlrk7c522v5ewwcasytpat3tq";

let node: FakeNode;
let url: string;
const open: KeelSigningClient[] = [];

beforeEach(async () => {
  node = new FakeNode();
  url = await node.start();
});

afterEach(async () => {
  for (const client of open.splice(0)) client.disconnect();
  await node.stop();
});

async function connect(
  options: KeelSigningOptions = {},
  rpc: string | string[] = url,
): Promise<KeelSigningClient> {
  const signer = await DirectSecp256k1Wallet.fromKey(new Uint8Array(32).fill(7), "keel");
  const client = await KeelSigningClient.connectWithSigner(rpc, signer, {
    streaming: false,
    ...options,
  });
  open.push(client);
  return client;
}

const pay = (client: KeelSigningClient, amount: number) => [
  client.messages.send(other, [{ denom: "ukeel", amount: amount.toString() }]),
];
const sequences = (): bigint[] =>
  node.sent.map((tx) => tx.authInfo.signerInfos[0]?.sequence ?? -1n);
const mismatch =
  (expected: number) =>
  (tx: SentTx): CheckAnswer => ({
    code: 32,
    codespace: "sdk",
    log: `account sequence mismatch, expected ${expected}, got ${tx.authInfo.signerInfos[0]?.sequence}: incorrect account sequence`,
  });
const include = (hash: string, code = 0): void => {
  node.included.set(hash, { code, codespace: "bank", log: "why", data: new Uint8Array(0) });
};

test("many transactions at once take consecutive sequences and reach the node in order", async () => {
  node.sequence = 4;
  const client = await connect();
  await Promise.all([1, 2, 3, 4, 5].map((amount) => client.submit(pay(client, amount))));
  expect(sequences()).toEqual([4n, 5n, 6n, 7n, 8n]);
});

test("a refusal keeps the sequence for the next transaction", async () => {
  const client = await connect();
  node.checks.push(() => ({ code: 13, codespace: "sdk", log: "insufficient fees" }));
  await expect(client.submit(pay(client, 1))).rejects.toMatchObject({
    name: KeelTxError.name,
    codespace: "sdk",
    code: 13,
    codeName: "insufficient fee",
    height: undefined,
  });
  await client.submit(pay(client, 2));
  expect(sequences()).toEqual([0n, 0n]);
});

test("after a clash the sequence the node expects is signed and sent", async () => {
  const client = await connect();
  node.checks.push(mismatch(9));
  await client.submit(pay(client, 1));
  await client.submit(pay(client, 2));
  expect(sequences()).toEqual([0n, 9n, 10n]);
});

test("a node that lags is asked again with the same sequence first", async () => {
  node.sequence = 5;
  const client = await connect();
  node.checks.push(mismatch(3));
  await client.submit(pay(client, 1));
  expect(sequences()).toEqual([5n, 5n]);
});

test("clashes that do not end are given up", async () => {
  const client = await connect();
  node.checks.push(mismatch(1), mismatch(2), mismatch(3), mismatch(4));
  await expect(client.submit(pay(client, 1))).rejects.toMatchObject({ code: 32 });
});

test("the very same transaction of another program is not taken for one's own", async () => {
  const [one, two] = [await connect(), await connect()];
  const first = await one.submit(pay(one, 1));
  const second = await two.submit(pay(two, 1));
  expect(second.hash).not.toBe(first.hash);
  expect(sequences()).toEqual([0n, 1n]);
});

test("a broadcast whose answer is lost is not sent twice", async () => {
  const client = await connect();
  await client.submit(pay(client, 1));
  node.dropAnswers = 1;
  await client.submit(pay(client, 2));
  expect(sequences()).toEqual([0n, 1n]);
});

test("an endpoint that is away is passed over, and the next one is kept", async () => {
  const gone = new FakeNode();
  const goneUrl = await gone.start();
  const client = await connect({}, [goneUrl, url]);
  await gone.stop();
  await client.submit(pay(client, 1));
  expect(client.chain.endpoints.current).toBe(url);
  expect(node.sent).toHaveLength(1);
});

test("no endpoint left is one clear error", async () => {
  const client = await connect();
  await node.stop();
  await expect(client.chain.height()).rejects.toMatchObject({ code: "unreachable" });
  await node.start();
});

test("an unordered transaction has no sequence and dies ttlMs after the chain's time", async () => {
  const client = await connect({ unordered: true });
  await Promise.all([
    client.submit(pay(client, 1), { ttlMs: 60_000 }),
    client.submit(pay(client, 1)),
  ]);
  const [first, second] = node.sent.map(({ body }) => body);
  expect(sequences()).toEqual([0n, 0n]);
  expect([first?.unordered, second?.unordered]).toEqual([true, true]);
  const seconds = BigInt(node.timeMs / 1000);
  const timeouts = node.sent.map(({ body }) => body.timeoutTimestamp?.seconds);
  // Just below, for the nonce's spread.
  expect(timeouts.sort()).toEqual([seconds + 59n, seconds + 299n]);
  await expect(client.submit(pay(client, 1), { ttlMs: 600_001 })).rejects.toMatchObject({
    code: "invalid-option",
    field: "ttlMs",
  });
});

test("equal unordered transactions differ by their nonce", async () => {
  const client = await connect({ unordered: true });
  const all = await Promise.all(Array.from({ length: 20 }, () => client.submit(pay(client, 1))));
  expect(new Set(all.map(({ hash }) => hash)).size).toBe(20);
});

test("an outcome is waited for, and a failure in the block is an error with its codes", async () => {
  const client = await connect();
  const good = await client.submit(pay(client, 1));
  const bad = await client.submit(pay(client, 2));
  const outcomes = [good.outcome(), bad.outcome()];
  include(good.hash);
  include(bad.hash, 3);
  expect(await outcomes[0]).toMatchObject({ hash: good.hash, height: 6, responses: [] });
  await expect(outcomes[1]).rejects.toMatchObject({
    codespace: "bank",
    code: 3,
    log: "why",
    height: 6,
    hash: bad.hash,
  });
});

test("waiting ends with its time, and an unordered transaction with its own", async () => {
  const client = await connect({ timeoutMs: 300 });
  const slow = await client.submit(pay(client, 1));
  await expect(slow.outcome()).rejects.toMatchObject({ code: "not-included-in-time" });
  const expiring = await client.submit(pay(client, 1), {
    unordered: true,
    ttlMs: 1000,
    timeoutMs: 10_000,
  });
  node.timeMs += 2_000;
  node.height += 1;
  // Some blocks more may finish a round that was put off before its time was over.
  const ended = expiring.outcome();
  const early = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1500))]);
  expect(early).toBeUndefined();
  node.height += 3;
  await expect(ended).rejects.toMatchObject({ code: "expired", hash: expiring.hash });
});

test("fees are the gas limit at the network's price", async () => {
  const client = await connect({ gasPrice: "0.025ukeel" });
  await client.submit(pay(client, 1), { gas: 100_000 });
  expect(node.sent[0]?.authInfo.fee).toMatchObject({
    gasLimit: 100_000n,
    amount: [{ denom: "ukeel", amount: "2500" }],
  });
  await expect(connect({ gasPrice: "cheap" })).rejects.toMatchObject({ field: "gasPrice" });
});

test("the signed bytes are what CosmJS signs", async () => {
  const client = await connect();
  const { hash } = await client.submit(pay(client, 1), { gas: 200_000, memo: "same" });
  const { SigningStargateClient } = await import("@cosmjs/stargate");
  const { TxRaw } = await import("cosmjs-types/cosmos/tx/v1beta1/tx");
  const { sha256 } = await import("@cosmjs/crypto");
  const signer = await DirectSecp256k1Wallet.fromKey(new Uint8Array(32).fill(7), "keel");
  const stock = await SigningStargateClient.offline(signer);
  const raw = await stock.sign(
    client.address,
    pay(client, 1),
    { amount: [], gas: "200000" },
    "same",
    { accountNumber: 7n, sequence: 0, chainId: "fake-1" },
  );
  expect(hash).toBe(toHex(sha256(TxRaw.encode(raw).finish())).toUpperCase());
  expect(bytesToHex(Uint8Array.of(255))).toBe("FF");
});
