/** One network of four processes: used by stock CosmJS, proved from outside, crashed in part and in whole, executed again. */
import {
  calculateExistenceRoot,
  iavlSpec,
  ics23,
  tendermintSpec,
  verifyMembership,
  verifyNonMembership,
} from "@confio/ics23";
import { fromBech32, toUtf8 } from "@cosmjs/encoding";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { SigningStargateClient, StargateClient } from "@cosmjs/stargate";
import { Comet38Client } from "@cosmjs/tendermint-rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roles } from "../keys/roles.ts";
import { longestGapDuring } from "../network/commit-gaps.ts";
import type { LocalNode } from "../network/network.ts";
import { KEELD } from "../network/node-process.ts";
import { commitSignatures, headerAt } from "../network/rpc.ts";
import {
  addressOf,
  commonHeight,
  expectUnbroken,
  lastSigned,
  looksOf,
  readHistory,
  SIGNED,
} from "./chain-history.ts";
import type { TestNetwork } from "./harness.ts";
import { createTestNetwork, isFull, runNode } from "./harness.ts";

const DENOM = "ukeel";
const WAIT_MS = 90_000;
/**
 * Longest wait for a block while one of four is down: the pace of 500 ms, and in its turn the propose timeout of 1 s and the precommit
 * timeout of 500 ms; three times that for a busy machine.
 */
const ONE_DOWN_GAP_MS = 6_000;

let test: TestNetwork;
const rpcOf = (index: number): string => test.network.nodes[index]?.rpc as string;
const mnemonicOf = (name: string): string =>
  roles.find((role) => role.name === name)?.mnemonic as string;

beforeAll(async () => {
  test = await createTestNetwork(4);
  test.network.start();
  await test.network.waitForHeight(2, WAIT_MS);
}, WAIT_MS + 30_000);

afterAll(() => test.remove());

/** Nothing of Keel below: what anybody with CosmJS writes. */
async function sendWithStockCosmJs(
  rpc: string,
  amount: string,
): Promise<{ to: string; hash: string; height: number }> {
  const wallet = await DirectSecp256k1HdWallet.fromMnemonic(mnemonicOf("alice"), {
    prefix: "keel",
  });
  const [alice] = await wallet.getAccounts();
  const bob = await DirectSecp256k1HdWallet.fromMnemonic(mnemonicOf("bob"), { prefix: "keel" });
  const [to] = await bob.getAccounts();
  if (alice === undefined || to === undefined) throw new Error("expected accounts");
  const client = await SigningStargateClient.connectWithSigner(rpc, wallet);
  const coins = [{ denom: DENOM, amount }];
  const sent = await client.sendTokens(
    alice.address,
    to.address,
    coins,
    { amount: [], gas: "200000" },
    "hello",
  );
  client.disconnect();
  expect(sent.code, sent.events.length === 0 ? "no events" : "").toBe(0);
  return { to: to.address, hash: sent.transactionHash, height: sent.height };
}

describe("stock CosmJS", () => {
  it("sends tokens, reads the balance on another node, finds the transaction by hash and by event", async () => {
    const reader = await StargateClient.connect(rpcOf(2));
    const before = BigInt((await reader.getBalance(await bobAddress(), DENOM)).amount);
    const { to, hash, height } = await sendWithStockCosmJs(rpcOf(0), "1234567");
    await test.network.waitForHeight(height + 1, WAIT_MS);
    const after = BigInt((await reader.getBalance(to, DENOM)).amount);
    expect(after - before).toBe(1_234_567n);
    const found = await reader.getTx(hash);
    expect([found?.height, found?.code]).toEqual([height, 0]);
    const byRecipient = await reader.searchTx(`transfer.recipient='${to}'`);
    expect(byRecipient.map((tx) => tx.hash)).toContain(hash);
    expect(await reader.getChainId()).toBe("keel-e2e-1");
    reader.disconnect();
  });
});

async function bobAddress(): Promise<string> {
  const wallet = await DirectSecp256k1HdWallet.fromMnemonic(mnemonicOf("bob"), { prefix: "keel" });
  return (await wallet.getAccounts())[0]?.address as string;
}

describe("a balance, proved", () => {
  it("is in the state that the next header commits to, by an independent ICS-23 library", async () => {
    const address = fromBech32(await bobAddress()).data;
    const key = Uint8Array.from([0x02, address.length, ...address, ...toUtf8(DENOM)]);
    const { height, value, ops, root } = await prove("bank", key);
    const proof = ics23.CommitmentProof.decode(ops[0]);
    const store = ics23.CommitmentProof.decode(ops[1]);
    if (!proof.exist) throw new Error("expected an existence proof");
    const storeRoot = calculateExistenceRoot(proof.exist as ics23.ExistenceProof);
    expect(verifyMembership(proof, iavlSpec, storeRoot, key, value)).toBe(true);
    expect(verifyMembership(store, tendermintSpec, root, toUtf8("bank"), storeRoot)).toBe(true);
    const reader = await StargateClient.connect(rpcOf(1));
    const balance = await reader.getBalance(await bobAddress(), DENOM);
    reader.disconnect();
    expect(new TextDecoder().decode(value)).toBe(balance.amount);
    // A balance one unit higher is not in that state.
    const other = toUtf8(`${BigInt(balance.amount) + 1n}`);
    expect(verifyMembership(proof, iavlSpec, storeRoot, key, other)).toBe(false);
    expect(height).toBeGreaterThan(1);
  });

  it("is proved absent for an account that has none", async () => {
    const key = Uint8Array.from([0x02, 20, ...new Uint8Array(20).fill(7), ...toUtf8(DENOM)]);
    const { ops, root } = await prove("bank", key);
    const proof = ics23.CommitmentProof.decode(ops[0]);
    const store = ics23.CommitmentProof.decode(ops[1]);
    const storeRoot = store.exist?.value as Uint8Array;
    expect(verifyMembership(store, tendermintSpec, root, toUtf8("bank"), storeRoot)).toBe(true);
    expect(verifyNonMembership(proof, iavlSpec, storeRoot, key)).toBe(true);
  });
});

/** Value and proof at some height, with the app hash of the header above it. */
async function prove(
  store: string,
  key: Uint8Array,
): Promise<{ height: number; value: Uint8Array; ops: [Uint8Array, Uint8Array]; root: Uint8Array }> {
  const comet = await Comet38Client.connect(rpcOf(1));
  const { proof, value, height } = await comet.abciQuery({
    path: `/store/${store}/key`,
    data: key,
    prove: true,
  });
  await test.network.waitForHeight((height ?? 0) + 1, WAIT_MS);
  const { block } = await comet.block((height ?? 0) + 1);
  comet.disconnect();
  const [inner, outer] = proof?.ops ?? [];
  if (inner === undefined || outer === undefined) throw new Error("expected two proof steps");
  return {
    height: height ?? 0,
    value,
    ops: [inner.data, outer.data],
    root: block.header.appHash,
  };
}

describe("crashes", () => {
  it("of one validator do not stop the others; it comes back, agrees and signs again", async () => {
    const [victim] = test.network.nodes.slice(-1);
    if (victim === undefined) throw new Error("expected a node");
    await victim.process.kill();
    const others = test.network.nodes.slice(0, -1);
    const reached = () => Promise.all(others.map(({ rpc }) => heightAt(rpc)));
    const killedAt = Math.max(...(await reached()));
    // Twice or more it is the turn of the one that is down.
    const gapMs = await longestGapDuring(rpcOf(0), () =>
      waitFor(async () => Math.min(...(await reached())) >= killedAt + 9),
    );
    expect(gapMs).toBeLessThan(ONE_DOWN_GAP_MS);
    // The vote for the next block may have left before the kill.
    expect(await hasSigned(victim, killedAt + 3)).toBe(false);
    const restartedAt = Math.max(...(await reached()));
    victim.process.start();
    let signedAt = restartedAt + 1;
    await waitFor(async () => {
      for (const end = Math.min(...(await reached())); signedAt < end; signedAt++)
        if (await hasSigned(victim, signedAt)) return true;
      return false;
    });
    // The header above holds the app hash after the block it signed.
    const target = signedAt + 1;
    await test.network.waitForHeight(target, WAIT_MS);
    const headers = await Promise.all(
      test.network.nodes.map(({ rpc }) => headerAt(rpc, target).then(({ app_hash }) => app_hash)),
    );
    expect(new Set(headers).size).toBe(1);
    const { blocks } = await readHistory(looksOf(test.network), target);
    for (const hashes of blocks) expect(hashes).toEqual(blocks[0]);
  });

  it(
    "of all four at once lose no height, and nobody signs twice",
    async () => {
      const looks = looksOf(test.network);
      const height = await commonHeight(looks);
      const before = await readHistory(looks, height);
      await test.network.killAll();
      const signedBefore = lastSigned(looks);
      test.network.start();
      await test.network.waitForHeight(height + 5, WAIT_MS);
      expectUnbroken(before, await readHistory(looks, await commonHeight(looks)));
      for (const [i, signed] of lastSigned(looks).entries())
        expect(signed).toBeGreaterThan(signedBefore[i] as number);
    },
    WAIT_MS * 3,
  );
});

describe("the same blocks again", () => {
  it(
    "give the same app hashes with pure JavaScript signatures",
    async () => {
      await test.network.stop();
      const home = test.network.nodes[0]?.process.home as string;
      // The network itself ran with native ones; replaying with these again is for the long run.
      for (const crypto of isFull ? ["js", "native"] : ["js"]) {
        const args = [...process.execArgv, KEELD, "replay", "--home", home, "--crypto", crypto];
        const { code, stdout, stderr } = await runNode(args, WAIT_MS);
        expect(stderr).toBe("");
        expect(code).toBe(0);
        expect(stdout).toContain("every app hash equal");
      }
    },
    WAIT_MS * 2,
  );
});

/** Whether the commit of `height`, as the first node has it, holds this validator's signature for the block. */
async function hasSigned(node: LocalNode, height: number): Promise<boolean> {
  const address = addressOf({ rpc: node.rpc, home: node.process.home });
  const signatures = await commitSignatures(rpcOf(0), height);
  return signatures.some(
    (one) =>
      one.validator_address === address && one.block_id_flag === SIGNED && one.signature !== null,
  );
}

async function heightAt(rpc: string): Promise<number> {
  const comet = await Comet38Client.connect(rpc);
  const { syncInfo } = await comet.status();
  comet.disconnect();
  return syncInfo.latestBlockHeight;
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
