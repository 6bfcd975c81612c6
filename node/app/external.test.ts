/** Trades agreed elsewhere, transfers and trading keys through the whole application, with real signatures. */
import { readFileSync } from "node:fs";
import { sha256 as cosmSha256, Ed25519, Secp256k1 } from "@cosmjs/crypto";
import { encodePubkey, makeAuthInfoBytes, makeSignDoc } from "@cosmjs/proto-signing";
import { documentMessage } from "@keel/modules/derivatives/external/document";
import { createAddresses } from "@keel/modules/kit/addresses";
import { addressOfKey } from "@keel/modules/kit/key-address";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { SignDoc, TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { describe, expect, it } from "vitest";
import { createVerifier, type SignatureCheck, type SignatureVerifier } from "../crypto/verifier.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, priceTx } from "./testing/market-load.ts";
import { sendMessage, type TestMessage, type TestSigner } from "./testing/signer.ts";

const CHAIN_ID = "keel-test-1";
const TYPE = "/keel.derivatives.v1.";
const addresses = createAddresses("keel");

/** Any key, told by the text it is made of. */
interface Key {
  readonly kind: "secp256k1" | "ed25519";
  readonly key: Uint8Array;
  readonly address: string;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

async function keyOf(kind: Key["kind"], seed: string): Promise<Key> {
  const secret = cosmSha256(utf8ToBytes(seed));
  const pair = await Ed25519.makeKeypair(secret);
  const key =
    kind === "ed25519"
      ? pair.pubkey
      : Secp256k1.compressPubkey(Secp256k1.makeKeypair(secret).pubkey);
  return {
    kind,
    key,
    address: addresses.format(addressOfKey(kind, key)),
    async sign(message) {
      if (kind === "ed25519") return await Ed25519.createSignature(message, pair);
      const signature = Secp256k1.createSignature(cosmSha256(message), secret);
      return Uint8Array.from([...signature.r(32), ...signature.s(32)]);
    },
  };
}

async function signedDocument(
  by: Key,
  document: Partial<OrderDocument>,
  scheme: 1 | 2 = 1,
): Promise<SignedDocument> {
  const full = OrderDocument.fromPartial({
    chainId: CHAIN_ID,
    market: "BTC-PERP",
    size: "0.01",
    price: "65000",
    feeMaxPpm: 1000,
    expiryMs: 1_790_000_900_000n,
    ...document,
  });
  const message = documentMessage(full, scheme, { kind: by.kind, key: by.key, addresses });
  return SignedDocument.fromPartial({
    document: full,
    key: { type: by.kind === "ed25519" ? 2 : 1, key: by.key },
    scheme,
    signature: await by.sign(message as Uint8Array),
  });
}

const clearMessage = (sender: string, documents: readonly SignedDocument[]): TestMessage => ({
  typeUrl: `${TYPE}MsgClearTrades`,
  value: tx.MsgClearTrades.encode(
    tx.MsgClearTrades.fromPartial({
      sender,
      documents: [...documents],
      trades: [{ buyer: 0, seller: 1, price: "65000", size: "0.01", taker: 1 }],
    }),
  ).finish(),
});

/** A transaction signed by any key, as stock CosmJS encodes it. */
async function txBy(
  key: Key,
  account: { readonly number: bigint; readonly sequence: number },
  messages: readonly TestMessage[],
): Promise<Uint8Array> {
  const bodyBytes = TxBody.encode(
    TxBody.fromPartial({ messages: messages.map((message) => ({ ...message })) }),
  ).finish();
  const type = key.kind === "ed25519" ? "tendermint/PubKeyEd25519" : "tendermint/PubKeySecp256k1";
  const pubkey = encodePubkey({ type, value: bytesToBase64(key.key) });
  const authInfoBytes = makeAuthInfoBytes(
    [{ pubkey, sequence: account.sequence }],
    [],
    1_000_000,
    undefined,
    undefined,
  );
  const doc = SignDoc.encode(makeSignDoc(bodyBytes, authInfoBytes, CHAIN_ID, account.number));
  return TxRaw.encode({
    bodyBytes,
    authInfoBytes,
    signatures: [await key.sign(doc.finish())],
  }).finish();
}

async function position(chain: TestChain, owner: string, subaccount = 0): Promise<bigint> {
  const response = await chain.app.query({
    path: "/keel.margin.v1.Query/Account",
    data: QueryAccountRequest.encode({ owner, subaccount }).finish(),
    height: 0,
    prove: false,
  });
  const { account } = QueryAccountResponse.decode(response.value);
  return BigInt(account?.positions[0]?.lots ?? "0");
}

const grantMessage = (owner: TestSigner, key: Key): TestMessage => ({
  typeUrl: `${TYPE}MsgGrantTradingKey`,
  value: tx.MsgGrantTradingKey.encode(
    tx.MsgGrantTradingKey.fromPartial({
      sender: owner.address,
      key: { type: key.kind === "ed25519" ? 2 : 1, key: key.key },
      subaccounts: [0],
      notionalPerDay: "100000000000",
      expiryMs: 1_790_000_900_000n,
    }),
  ).finish(),
});

const orderFor = (sender: string, owner: string): TestMessage => ({
  typeUrl: `${TYPE}MsgPlaceOrder`,
  value: tx.MsgPlaceOrder.encode(
    tx.MsgPlaceOrder.fromPartial({
      sender,
      owner,
      market: "BTC-PERP",
      side: 1,
      type: 1,
      price: "64000",
      size: "0.01",
    }),
  ).finish(),
});

async function opened(workers = 0): Promise<{ chain: TestChain; close: () => Promise<void> }> {
  const verifier = createVerifier({ backend: "native", workers });
  const chain = new TestChain({ extensionsFrom: 1, verifier });
  await openMarket(chain, "500000000");
  return { chain, close: () => verifier.close() };
}

interface Vector {
  readonly name: string;
  readonly document: string;
  readonly key_type: Key["kind"];
  readonly key: string;
  readonly signature_sha256: string;
  readonly signature_adr036: string;
}

const { vectors } = JSON.parse(
  readFileSync(
    new URL("../../proto/canonical/order-document-vectors.json", import.meta.url),
    "utf8",
  ),
) as { vectors: Vector[] };

describe.each(["native", "js"] as const)("published document signatures, %s", (backend) => {
  const verifier = createVerifier({ backend, workers: 0 });

  it.each(vectors)("of $name fit what is asked about, and nothing else", (vector) => {
    const document = OrderDocument.decode(hexToBytes(vector.document));
    const by = { kind: vector.key_type, key: hexToBytes(vector.key), addresses };
    const fits = (scheme: 1 | 2, signature: string, of = document): boolean => {
      const message = documentMessage(of, scheme, by) as Uint8Array;
      const verify = by.kind === "ed25519" ? verifier.verifyEd25519 : verifier.verifySecp256k1;
      return verify(by.key, message, hexToBytes(signature));
    };
    expect(fits(1, vector.signature_sha256)).toBe(true);
    expect(fits(2, vector.signature_adr036)).toBe(true);
    expect(fits(2, vector.signature_sha256)).toBe(false);
    for (const [scheme, signature] of [
      [1, vector.signature_sha256],
      [2, vector.signature_adr036],
    ] as const) {
      expect(fits(scheme, signature, { ...document, chainId: "keel-local-2" })).toBe(false);
      expect(fits(scheme, signature, { ...document, size: "9" })).toBe(false);
    }
  });
});

describe("order documents", () => {
  it("of a wallet and of a program clear in one block, and not a second time", async () => {
    const { chain, close } = await opened(1);
    const [alice, bob, carol] = [0, 1, 2].map((i) => chain.account(i)) as [
      TestSigner,
      TestSigner,
      TestSigner,
    ];
    const keys = [await keyOf("secp256k1", "account 0"), await keyOf("secp256k1", "account 1")];
    const documents = [
      await signedDocument(keys[0]!, { owner: alice.address, side: 1 }, 2),
      await signedDocument(keys[1]!, { owner: bob.address, side: 2 }),
    ];
    const message = clearMessage(carol.address, documents);
    const txs = [
      priceTx(chain),
      carol.sign([message], { gas: 1_000_000 }),
      carol.sign([message], { gas: 1_000_000 }),
    ];
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    expect(txResults.map(({ codespace, code }) => `${codespace} ${code}`)).toEqual([
      " 0",
      " 0",
      "derivatives 66",
    ]);
    expect([await position(chain, alice.address), await position(chain, bob.address)]).toEqual([
      10n,
      -10n,
    ]);
    const damaged = documents.map((one) => ({
      ...one,
      signature: one.signature.map((byte) => byte ^ 1),
    }));
    const again = carol.sign([clearMessage(carol.address, damaged)], { gas: 1_000_000 });
    expect((await chain.decide([priceTx(chain), again])).txResults[1]).toMatchObject({
      codespace: "derivatives",
      code: 64,
    });
    expect(chain.faults).toEqual([]);
    expect(chain.app.brokenInvariant()).toBeNull();
    await close();
  });
});

describe("signatures inside messages", () => {
  it("are prepared on the threads once their block is proposed, also of admitted transactions, and not before", async () => {
    const inline = createVerifier({ backend: "native", workers: 0 });
    const asked: SignatureCheck[] = [];
    const verifier: SignatureVerifier = {
      ...inline,
      workers: 1,
      prefetch: async (checks) => {
        asked.push(...checks);
        return checks.map(() => null);
      },
    };
    const chain = new TestChain({ extensionsFrom: 1, verifier });
    await openMarket(chain, "500000000");
    const carol = chain.account(2);
    const keys = [await keyOf("secp256k1", "account 0"), await keyOf("secp256k1", "account 1")];
    const documents = [
      await signedDocument(keys[0]!, { owner: chain.account(0).address, side: 1 }, 2),
      await signedDocument(keys[1]!, { owner: chain.account(1).address, side: 2 }),
    ];
    const tx = carol.sign([clearMessage(carol.address, documents)], { gas: 1_000_000 });
    await chain.app.prefill([tx]);
    expect(asked.splice(0)).toHaveLength(1);
    expect(await chain.app.checkTx(tx, "new")).toMatchObject({ log: "" });
    expect(await chain.app.processProposal(chain.proposed([priceTx(chain), tx]))).toBe(true);
    const signatures = asked.map(({ signature }) => bytesToBase64(signature));
    for (const { signature } of documents) expect(signatures).toContain(bytesToBase64(signature));
  });
});

describe("trading keys", () => {
  it.each(["secp256k1", "ed25519"] as const)(
    "of kind %s sign transactions from the grant on, for orders and nothing of the owner's else",
    async (kind) => {
      const { chain } = await opened();
      const alice = chain.account(0);
      const hot = await keyOf(kind, "hot");
      // Three accounts, the fee collector, margin's and the vault's are there.
      const account = { number: 6n, sequence: 0 };
      const early = await txBy(hot, account, [orderFor(hot.address, alice.address)]);
      expect(await chain.app.checkTx(early, "new")).toMatchObject({ codespace: "sdk", code: 9 });
      const grant = alice.sign([grantMessage(alice, hot)]);
      expect((await chain.decide([priceTx(chain), grant])).txResults[1]).toMatchObject({ log: "" });
      expect(await chain.app.checkTx(early, "new")).toMatchObject({ log: "" });
      expect((await chain.decide([priceTx(chain), early])).txResults[1]).toMatchObject({ log: "" });
      const withdraw = await txBy(hot, { ...account, sequence: 1 }, [
        sendMessage(alice.address, hot.address, "5uusdc"),
      ]);
      expect((await chain.decide([priceTx(chain), withdraw])).txResults[1]).toMatchObject({
        codespace: "sdk",
        code: 8,
      });
      const forged = await txBy(
        { ...hot, sign: (await keyOf(kind, "other")).sign },
        { ...account, sequence: 1 },
        [orderFor(hot.address, alice.address)],
      );
      expect((await chain.decide([priceTx(chain), forged])).txResults[1]).toMatchObject({
        codespace: "sdk",
        code: 4,
      });
      const revoke = {
        typeUrl: `${TYPE}MsgRevokeTradingKey`,
        value: tx.MsgRevokeTradingKey.encode({
          sender: alice.address,
          trader: hot.address,
        }).finish(),
      };
      const late = await txBy(hot, { ...account, sequence: 1 }, [
        orderFor(hot.address, alice.address),
      ]);
      const results = await chain.decide([priceTx(chain), alice.sign([revoke]), late]);
      expect(results.txResults[2]).toMatchObject({ codespace: "derivatives", code: 75 });
      expect(chain.app.brokenInvariant()).toBeNull();
    },
  );

  it("of ed25519 stay unsupported for accounts that no grant has made", async () => {
    const { chain } = await opened();
    const key = await keyOf("ed25519", "stranger");
    const pay = chain
      .account(0)
      .sign([sendMessage(chain.account(0).address, key.address, "5uusdc")]);
    await chain.decide([priceTx(chain), pay]);
    const own = await txBy(key, { number: 6n, sequence: 0 }, [
      sendMessage(key.address, chain.account(0).address, "1uusdc"),
    ]);
    const { log, code } = await chain.app.checkTx(own, "new");
    expect([code, log]).toEqual([8, "ED25519 public keys are unsupported: invalid pubkey"]);
  });
});
