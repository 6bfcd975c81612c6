import { QueryAccountRequest } from "cosmjs-types/cosmos/auth/v1beta1/query";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { sendMessage } from "./testing/signer.ts";

const fee = [{ denom: "ukeel", amount: "2000" }];

async function setUp(options = {}) {
  const chain = await new TestChain(options).start();
  const [alice, bob, carol] = [chain.account(0), chain.account(1), chain.account(2)];
  return { chain, alice, bob, carol };
}

const types = (events: readonly { type: string; attributes: readonly { key: string }[] }[]) =>
  events.map(({ type, attributes }) => `${type}:${attributes.map(({ key }) => key).join(",")}`);

describe("a transaction", () => {
  it("emits the SDK's events in the SDK's order, message events with their index last", async () => {
    const { chain, alice, bob } = await setUp();
    const { txResults } = await chain.decide([alice.send(bob, "5uusdc", { fee })]);
    expect(types(txResults[0]?.events ?? [])).toEqual([
      "coin_spent:spender,amount",
      "coin_received:receiver,amount",
      "transfer:recipient,sender,amount",
      "message:sender",
      "tx:fee,fee_payer",
      "tx:acc_seq",
      "tx:signature",
      "message:action,sender,module,msg_index",
      "coin_spent:spender,amount,msg_index",
      "coin_received:receiver,amount,msg_index",
      "transfer:recipient,sender,amount,msg_index",
      "message:sender,msg_index",
    ]);
    expect(txResults[0]?.events[7]?.attributes.map(({ value }) => value)).toEqual([
      "/cosmos.bank.v1beta1.MsgSend",
      alice.address,
      "bank",
      "0",
    ]);
    expect(txResults[0]?.gasUsed).toBeLessThanOrEqual(100_000n);
  });

  it("keeps fee, sequence and ante events when its message fails, and nothing else", async () => {
    const { chain, alice, bob } = await setUp();
    const { txResults } = await chain.decide([
      alice.send(bob, "2000000000uusdc", { fee, gas: 99_000 }),
    ]);
    const [result] = txResults;
    expect(result).toMatchObject({
      code: 5,
      codespace: "sdk",
      log: "failed to execute message; message index: 0: spendable balance 1000000000uusdc is smaller than 2000000000uusdc: insufficient funds",
    });
    expect(result?.data).toHaveLength(0);
    expect(types(result?.events ?? []).at(-1)).toBe("tx:signature");
    expect(result?.gasUsed).toBeGreaterThan(40_000n);
    expect(result?.gasUsed).toBeLessThanOrEqual(99_000n);
    const state = chain.app.exportGenesis() as {
      auth: { accounts: { address: string; sequence: string }[] };
      bank: { balances: { address: string; coins: { amount: string }[] }[] };
    };
    expect(state.auth.accounts.find((one) => one.address === alice.address)?.sequence).toBe("1");
    const coins = state.bank.balances.find((one) => one.address === alice.address)?.coins;
    expect(coins?.map((coin) => coin.amount)).toEqual(["999998000", "1000000000"]);
  });

  it("is refused with the SDK's codes and words", async () => {
    const { chain, alice, bob, carol } = await setUp({
      app: { minGasPrices: [{ denom: "ukeel", attoPerGas: 10n ** 16n }] },
    });
    const refusal = async (tx: Uint8Array) => {
      const { code, codespace, log } = await chain.app.checkTx(tx, "new");
      return [codespace, code, log];
    };
    const chainId = "keel-test-1";
    expect(await refusal(alice.send(bob, "5uusdc", { fee, sequence: 4n }))).toEqual([
      "sdk",
      32,
      "account sequence mismatch, expected 0, got 4: incorrect account sequence",
    ]);
    expect(
      await refusal(alice.send(bob, "5uusdc", { fee, sequence: 0n, chainId: "other" })),
    ).toEqual([
      "sdk",
      4,
      `signature verification failed; please verify account number (0) and chain-id (${chainId}): (unable to verify single signer signature): unauthorized`,
    ]);
    expect(await refusal(alice.send(bob, "5uusdc", { sequence: 0n }))).toEqual([
      "sdk",
      13,
      "insufficient fees; got:  required: 2000ukeel: insufficient fee",
    ]);
    expect((await refusal(alice.send(bob, "5uusdc", { fee, sequence: 0n, gas: 1 })))[2]).toMatch(
      /^out of gas in location: ReadFlat; gasWanted: 1, gasUsed: \d+: out of gas$/,
    );
    expect(
      await refusal(alice.send(bob, "5uusdc", { fee, sequence: 0n, memo: "m".repeat(257) })),
    ).toEqual([
      "sdk",
      12,
      "maximum number of characters is 256 but received 257 characters: memo too large",
    ]);
    const message = sendMessage(alice.address, bob.address, "-5uusdc");
    expect((await refusal(alice.sign([message], { fee, sequence: 0n })))[1]).toBe(10);
    expect(
      await refusal(
        alice.sign([{ typeUrl: "/x.y.Z", value: new Uint8Array(0) }], { fee, sequence: 0n }),
      ),
    ).toEqual(["sdk", 2, "unable to resolve type URL /x.y.Z: tx parse error"]);
    expect((await refusal(Uint8Array.of(1, 2, 3)))[1]).toBe(2);
    expect((await refusal(new Uint8Array(2_000_000)))[1]).toBe(21);
    const theirs = sendMessage(alice.address, bob.address, "5uusdc");
    expect((await refusal(carol.sign([theirs], { fee, sequence: 0n })))[1]).toBe(8);
    expect(
      await refusal(alice.send(bob, "5uusdc", { fee, sequence: 0n, timeoutHeight: 1n })),
    ).toEqual(["", 0, ""]);
  });

  it("passes its timeout height, later not", async () => {
    const { chain, alice, bob } = await setUp();
    await chain.decide([]);
    const { txResults } = await chain.decide([alice.send(bob, "5uusdc", { timeoutHeight: 1n })]);
    expect(txResults[0]).toMatchObject({
      code: 30,
      log: "block height: 2, timeout height: 1: tx timeout height",
    });
  });

  it("queues behind its sender's others in CheckTx, and the check state is reset by a commit", async () => {
    const { chain, alice, bob } = await setUp();
    const [first, second] = [alice.send(bob, "1uusdc"), alice.send(bob, "2uusdc")];
    expect((await chain.app.checkTx(second, "new")).code).toBe(32);
    expect((await chain.app.checkTx(first, "new")).code).toBe(0);
    expect((await chain.app.checkTx(second, "new")).code).toBe(0);
    await chain.decide([]);
    expect((await chain.app.checkTx(second, "new")).code).toBe(32);
    await chain.decide([first]);
    expect((await chain.app.checkTx(second, "recheck")).code).toBe(0);
  });

  it("runs unordered once, needs no sequence, and is refused again until long after its timeout", async () => {
    const { chain, alice, bob } = await setUp();
    const unorderedUntilNs = chain.timeNs() + 60_000_000_000n;
    const tx = alice.send(bob, "1uusdc", { unorderedUntilNs });
    const other = alice.send(bob, "1uusdc", { unorderedUntilNs: unorderedUntilNs + 1n });
    const { txResults } = await chain.decide([tx, tx, other]);
    expect(txResults.map(({ code }) => code)).toEqual([0, 18, 0]);
    const again = await chain.decide([tx]);
    expect(again.txResults[0]?.code).toBe(18);
    const late = alice.send(bob, "1uusdc", { unorderedUntilNs: chain.timeNs() - 1_000_000_000n });
    expect((await chain.decide([late])).txResults[0]?.log).toContain("already passed");
    const far = alice.send(bob, "1uusdc", { unorderedUntilNs: chain.timeNs() + 601_000_000_000n });
    expect((await chain.decide([far])).txResults[0]?.log).toBe(
      "unordered tx ttl exceeds 10m0s: invalid request",
    );
    for (let i = 0; i < 61; i++) await chain.decide([]);
    expect((await chain.decide([tx])).txResults[0]?.log).toContain("already passed");
  });

  it("beyond the block's gas keeps only what its ante did", async () => {
    const { chain, alice, bob, carol } = await setUp({ maxGas: 100_000n });
    const { txResults } = await chain.decide([
      alice.send(bob, "1uusdc", { gas: 100_000, fee }),
      carol.send(bob, "1uusdc", { gas: 100_000, fee }),
      carol.send(bob, "1uusdc", { gas: 100_001 }),
    ]);
    expect(txResults.map(({ code }) => code)).toEqual([0, 11, 41]);
    expect(txResults[1]?.events.length).toBeGreaterThan(0);
  });

  it("is simulated with infinite gas, without a signature, at its right sequence", async () => {
    const { chain, alice, bob } = await setUp();
    const query = (tx: Uint8Array) =>
      chain.app.query({
        path: "/cosmos.tx.v1beta1.Service/Simulate",
        data: Uint8Array.from([0x12, (tx.length & 127) | 128, tx.length >> 7, ...tx]),
        height: 0,
        prove: false,
      });
    expect((await query(alice.send(bob, "1uusdc"))).code).toBe(18);
    await chain.decide([]);
    alice.sequence = 0n;
    const tx = alice.send(bob, "1uusdc", { gas: 0 });
    const simulated = await query(tx);
    expect(simulated.log).toBe("");
    const { SimulateResponse } = await import("cosmjs-types/cosmos/tx/v1beta1/service");
    const { gasInfo } = SimulateResponse.decode(simulated.value);
    expect(gasInfo?.gasWanted).toBe((1n << 64n) - 1n);
    alice.sequence = 0n;
    const gas = Number(((gasInfo?.gasUsed ?? 0n) * 14n) / 10n);
    const { txResults } = await chain.decide([alice.send(bob, "1uusdc", { gas, fee })]);
    expect(txResults[0]?.code).toBe(0);
    const wrong = await query(alice.send(bob, "1uusdc", { sequence: 7n }));
    expect(wrong.log).toBe(
      "rpc error: code = Unknown desc = account sequence mismatch, expected 1, got 7: incorrect account sequence",
    );
  });
});

describe("a query", () => {
  it("for a missing account reads as gRPC's NotFound, with the height it was answered at", async () => {
    const { chain, alice } = await setUp();
    await chain.decide([]);
    const stranger = alice.address.replace(/.$/, "");
    const ask = (address: string) =>
      chain.app.query({
        path: "/cosmos.auth.v1beta1.Query/Account",
        data: QueryAccountRequest.encode({ address }).finish(),
        height: 0,
        prove: false,
      });
    const { createAddresses } = await import("@keel/modules/kit/addresses");
    const missing = createAddresses("keel").format(new Uint8Array(20).fill(7));
    expect(await ask(missing)).toMatchObject({
      code: 22,
      codespace: "sdk",
      height: 1,
      log: `rpc error: code = NotFound desc = account ${missing} not found: key not found`,
    });
    expect((await ask(stranger)).code).toBe(18);
    const malformed = await chain.app.query({
      path: "/cosmos.bank.v1beta1.Query/Balance",
      data: Uint8Array.of(0x0a, 0x7f, 1),
      height: 0,
      prove: false,
    });
    expect(malformed.code).toBe(18);
    const future = await chain.app.query({
      path: "/x",
      data: new Uint8Array(0),
      height: 9,
      prove: false,
    });
    expect(future.code).toBe(18);
  });
});
