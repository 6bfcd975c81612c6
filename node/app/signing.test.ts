import {
  type AminoMsg,
  createMultisigThresholdPubkey,
  makeSignDoc,
  pubkeyToAddress,
  Secp256k1Wallet,
  serializeSignDoc,
} from "@cosmjs/amino";
import { sha256 } from "@cosmjs/crypto";
import { encodePubkey, makeAuthInfoBytes } from "@cosmjs/proto-signing";
import { makeMultisignedTxBytes } from "@cosmjs/stargate";
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { SignMode } from "cosmjs-types/cosmos/tx/signing/v1beta1/signing";
import { TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { depositMessage, orderMessage } from "./testing/market-load.ts";
import { sendMessage, type TestMessage } from "./testing/signer.ts";

const chainId = "keel-test-1";
const wallet = (name: string) => Secp256k1Wallet.fromKey(sha256(utf8ToBytes(name)), "keel");
const coins = [{ denom: "uusdc", amount: "1000000000" }];

async function fundedChain(address: string): Promise<TestChain> {
  const chain = new TestChain();
  const state = chain.appState() as {
    auth: { accounts: unknown[] };
    bank: { balances: unknown[] };
  };
  state.auth.accounts.push({ "@type": "/cosmos.auth.v1beta1.BaseAccount", address });
  state.bank.balances.push({ address, coins });
  return new TestChain({ appState: state as never }).start();
}

const fee = { amount: [{ denom: "uusdc", amount: "7" }], gas: "200000" };

function bodyOf(messages: readonly TestMessage[], memo: string): Uint8Array {
  return TxBody.encode(
    TxBody.fromPartial({ messages: messages.map((message) => ({ ...message })), memo }),
  ).finish();
}

describe("legacy amino signing", () => {
  async function aminoTx(messages: readonly TestMessage[], amino: readonly AminoMsg[]) {
    const signer = await wallet("account 0");
    const [account] = await signer.getAccounts();
    if (account === undefined) throw new Error("the wallet has an account");
    const memo = "a < b & c > d";
    const doc = makeSignDoc(amino, fee, chainId, memo, 0, 0);
    const { signature } = await signer.signAmino(account.address, doc);
    const pubkey = encodePubkey({
      type: "tendermint/PubKeySecp256k1",
      value: bytesToBase64(account.pubkey),
    });
    return TxRaw.encode({
      bodyBytes: bodyOf(messages, memo),
      authInfoBytes: makeAuthInfoBytes(
        [{ pubkey, sequence: 0 }],
        fee.amount,
        Number(fee.gas),
        undefined,
        undefined,
        SignMode.SIGN_MODE_LEGACY_AMINO_JSON,
      ),
      signatures: [base64ToBytes(signature.signature)],
    }).finish();
  }

  it("of bank and Keel messages is accepted as CosmJS signs it", async () => {
    const chain = await new TestChain().start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const tx = await aminoTx(
      [
        sendMessage(alice.address, bob.address, "5uusdc"),
        depositMessage(alice, "1000"),
        orderMessage(alice, { side: "buy", price: "65000", size: "0.001" }),
      ],
      [
        {
          type: "cosmos-sdk/MsgSend",
          value: {
            from_address: alice.address,
            to_address: bob.address,
            amount: [{ denom: "uusdc", amount: "5" }],
          },
        },
        {
          type: "keel/MsgDeposit",
          value: { sender: alice.address, denom: "uusdc", amount: "1000" },
        },
        {
          type: "keel/MsgPlaceOrder",
          value: {
            sender: alice.address,
            market: "BTC-PERP",
            side: 1,
            type: 1,
            price: "65000",
            size: "0.001",
            time_in_force: 1,
          },
        },
      ],
    );
    expect(await chain.app.checkTx(tx, "new")).toMatchObject({ code: 0, log: "" });
  });

  it("of other content is refused in the SDK's words", async () => {
    const chain = await new TestChain().start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const tx = await aminoTx(
      [sendMessage(alice.address, bob.address, "6uusdc")],
      [
        {
          type: "cosmos-sdk/MsgSend",
          value: {
            from_address: alice.address,
            to_address: bob.address,
            amount: [{ denom: "uusdc", amount: "5" }],
          },
        },
      ],
    );
    expect(await chain.app.checkTx(tx, "new")).toMatchObject({
      code: 4,
      log: `signature verification failed; please verify account number (0), sequence (0) and chain-id (${chainId}): unauthorized`,
    });
  });
});

describe("a threshold account", () => {
  async function setUp() {
    const members = await Promise.all(["m1", "m2", "m3"].map(wallet));
    const accounts = (await Promise.all(members.map((member) => member.getAccounts()))).flat();
    const keys = accounts.map(({ pubkey }) => ({
      type: "tendermint/PubKeySecp256k1" as const,
      value: bytesToBase64(pubkey),
    }));
    const key = createMultisigThresholdPubkey(keys, 2);
    const address = pubkeyToAddress(key, "keel");
    const chain = await fundedChain(address);
    const bob = chain.account(1);
    const body = bodyOf([sendMessage(address, bob.address, "5uusdc")], "");
    const doc = makeSignDoc(
      [
        {
          type: "cosmos-sdk/MsgSend",
          value: {
            from_address: address,
            to_address: bob.address,
            amount: [{ denom: "uusdc", amount: "5" }],
          },
        },
      ],
      fee,
      chainId,
      "",
      3,
      0,
    );
    expect(serializeSignDoc(doc).length).toBeGreaterThan(0);
    const sign = async (index: number) => {
      const { signature } = await (members[index] as Secp256k1Wallet).signAmino(
        accounts[index]?.address as string,
        doc,
      );
      return [accounts[index]?.address as string, base64ToBytes(signature.signature)] as const;
    };
    const send = async (indexes: readonly number[]) =>
      makeMultisignedTxBytes(key, 0, fee, body, new Map(await Promise.all(indexes.map(sign))));
    return { chain, send };
  }

  it("spends with enough of its members' signatures", async () => {
    const { chain, send } = await setUp();
    const tx = await send([0, 2]);
    expect(await chain.app.checkTx(tx, "new")).toMatchObject({ code: 0, log: "" });
    const { txResults } = await chain.decide([tx]);
    expect(txResults[0]).toMatchObject({ code: 0, log: "" });
    expect(
      txResults[0]?.events.filter(({ attributes }) => attributes[0]?.key === "signature"),
    ).toHaveLength(2);
  });

  it("does not with fewer", async () => {
    const { chain, send } = await setUp();
    expect((await chain.app.checkTx(await send([1]), "new")).code).toBe(4);
  });
});
