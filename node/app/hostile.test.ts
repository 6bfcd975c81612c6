/** What a hostile sender may try on the application: everything is an answer, nothing is thrown. */
import { makeAuthInfoBytes } from "@cosmjs/proto-signing";
import { createAddresses } from "@keel/modules/kit/addresses";
import type { MessageRoute } from "@keel/modules/kit/module";
import { Branch } from "@keel/modules/kit/store";
import { TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { describe, expect, it } from "vitest";
import { createVerifier } from "../crypto/verifier.ts";
import { fillBlock, type LaneClass, type LanedTx } from "./lanes.ts";
import { QUERY_GAS_MAX } from "./limits.ts";
import { createRouter } from "./router.ts";
import { TestChain } from "./testing/chain.ts";
import { sendMessage, type TestSigner } from "./testing/signer.ts";
import { createTxReader } from "./transactions.ts";

const none: Uint8Array = new Uint8Array(0);
const signer = createAddresses("keel").format(new Uint8Array(20).fill(5));

/** Works for as long as its gas lasts, which is bounded here only so that the test ends. */
const endless: MessageRoute = {
  typeUrl: "/test.v1.MsgWork",
  responseTypeUrl: "/test.v1.MsgWorkResponse",
  decode: () => ({}),
  encode: () => none,
  validate: () => undefined,
  signers: () => [signer],
  lane: () => 3,
  handle(ctx) {
    for (let i = 0; i < 5_000; i++) ctx.gas.consume(1_000_000, "work");
    return none;
  },
};

/** Unsigned, with a public key of the sender's choosing. */
function withKey(from: TestSigner, typeUrl: string, value: Uint8Array): Uint8Array {
  const body = TxBody.fromPartial({
    messages: [sendMessage(from.address, from.address, "1ukeel")],
  });
  return TxRaw.encode({
    bodyBytes: TxBody.encode(body).finish(),
    authInfoBytes: makeAuthInfoBytes(
      [{ pubkey: { typeUrl, value }, sequence: 0 }],
      [],
      200_000,
      undefined,
      undefined,
    ),
    signatures: [new Uint8Array(64)],
  }).finish();
}

describe("a hostile transaction", () => {
  it("with a malformed public key does not disturb the batch it is prepared with", async () => {
    const real = createVerifier({ backend: "native", workers: 0 });
    const asked: number[] = [];
    const verifier = {
      ...real,
      workers: 1,
      prefetch: async (checks: readonly unknown[]) => {
        asked.push(checks.length);
        return checks.map(() => null);
      },
    };
    const chain = await new TestChain({ verifier }).start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const type = "/cosmos.crypto.secp256k1.PubKey";
    const nested = Uint8Array.from({ length: 3000 }, () => 0x0b);
    const bad = [Uint8Array.of(0x0a, 2, 1, 2), Uint8Array.of(0x0a, 0xff), nested].map((value) =>
      withKey(alice, type, value),
    );
    const good = bob.send(alice, "1ukeel");
    await chain.app.prefill([...bad, good]);
    expect(asked).toEqual([1]);
    expect(await chain.app.processProposal(chain.proposed([...bad, good]))).toBe(true);
    const codes = await Promise.all(
      bad.map(async (tx) => (await chain.app.checkTx(tx, "new")).code),
    );
    expect(codes.every((code) => code !== 0)).toBe(true);
  });

  it("cannot have more simulated than a query may cost", async () => {
    const chain = await new TestChain().start();
    const alice = chain.account(0);
    const router = createRouter({
      ante: {
        run: () => undefined,
        beginBlock: () => undefined,
        endBlock: () => undefined,
        restore: () => undefined,
      },
      addresses: createAddresses("keel"),
      minGasPrices: [],
      onFault: () => undefined,
    });
    const readable = createTxReader(
      new Map([[endless.typeUrl, endless]]),
      createAddresses("keel"),
    ).read(alice.sign([{ typeUrl: endless.typeUrl, value: none }], { gas: 1 }));
    const result = router({
      tx: readable,
      mode: "simulate",
      header: { chainId: "keel-test-1", height: 1, timeNs: 0n, proposer: "" },
      state: Branch.empty(0),
      blockGasMax: null,
      blockGasLeft: null,
    });
    expect([result.codespace, result.code]).toEqual(["sdk", 11]);
    expect(result.gasUsed).toBeLessThan(QUERY_GAS_MAX + 2_000_000n);
  });
});

describe("a block in the making", () => {
  const tx = (size: number, sender: number, lane: LaneClass = 3): LanedTx => ({
    bytes: new Uint8Array(size).fill(sender),
    lane,
    gasLimit: 1n,
    signers: [Uint8Array.of(sender)],
  });
  const fill = (txs: readonly LanedTx[]) =>
    fillBlock(txs, {
      ...{ named: [], bytesMax: 1_000, blockBytes: 1_000 },
      ...{ gasMax: null, countMax: 100 },
    })?.map((bytes) => [bytes[0], bytes.length]);

  it("passes over a transaction that never fits and its sender's later ones, and nobody else's", () => {
    expect(fill([tx(900, 1), tx(50, 1), tx(60, 2), tx(70, 3)])).toEqual([
      [2, 60],
      [3, 70],
    ]);
  });
});
