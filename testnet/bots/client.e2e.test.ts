/** The client library, the faucet and the bots against one running validator. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ics23 } from "@confio/ics23";
import { Secp256k1HdWallet } from "@cosmjs/amino";
import { KeelInputError, KeelTxError } from "@keel/client/errors";
import { KeelClient } from "@keel/client/keel-client";
import { isProved, KeelLightError, LightClient } from "@keel/client/light";
import { KeelSigningClient } from "@keel/client/signing-client";
import { walletFromMnemonic } from "@keel/client/wallet";
import { seededRandom } from "@keel/node/feeds/random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Faucet, startFaucet } from "../faucet/server.ts";
import { roleWallet } from "../keys/roles.ts";
import { startMaker } from "./maker.ts";
import { type OneValidator, ROLE_MONEY, startOneValidator } from "./one-validator.ts";
import { startTaker } from "./taker.ts";
import { startTrader } from "./trader.ts";

const market = "BTC-USD-PERP";
const million = 1_000_000_000_000n;

let validator: OneValidator;
let chain: KeelClient;
let faucet: Faucet;
let alice: KeelSigningClient;
let bob: KeelSigningClient;

async function signer(name: Parameters<typeof roleWallet>[0]): Promise<KeelSigningClient> {
  return await KeelSigningClient.connectWithSigner(chain, (await roleWallet(name)).signer);
}

async function mark(): Promise<number> {
  for (;;) {
    const { markPrice, markFresh } = await chain.market(market);
    if (markPrice !== undefined && markFresh) return Number(markPrice);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In ticks of 0.1, spelled as the client spells prices: 60000, not 60000.0. */
const onTick = (price: number): string => `${Number(price.toFixed(1))}`;

beforeAll(async () => {
  validator = await startOneValidator();
  chain = await KeelClient.connect(validator.rpc);
  alice = await signer("alice");
  bob = await signer("bob");
  faucet = await startFaucet({
    client: await signer("faucet"),
    credits: { uusdc: 10_000_000_000n, ukeel: 1_000_000n },
    port: 0,
  });
  await mark();
});

afterAll(async () => {
  await faucet?.stop();
  chain?.disconnect();
  await validator?.stop();
});

describe("the client library", () => {
  it("moves money between wallet and sub-accounts, and says what is left", async () => {
    const before = await alice.balance();
    expect((await alice.deposit("50000.5")).collateral).toBe(50_000_500_000n);
    expect(await alice.balance()).toBe(before - 50_000_500_000n);
    await alice.transfer({ from: 0, to: 7, amount: 500_000n });
    expect((await alice.account(7)).equity).toBe(500_000n);
    expect((await alice.withdraw("0.5", { subaccount: 7 })).collateral).toBe(0n);
    expect((await alice.account()).collateral).toBe(50_000_000_000n);
    const sent = await alice.send(bob.address, [{ denom: "uusdc", amount: "3" }]);
    expect(await bob.balance()).toBe(ROLE_MONEY + 3n);
    expect((await chain.comet.block(sent.height)).block.txs.length).toBeGreaterThan(1);
  });

  it("places, fills and cancels, with the fate of every order in the answer", async () => {
    await bob.deposit(50_000_000_000n);
    const price = onTick(await mark());
    const resting = await alice.place({
      market,
      side: "sell",
      price,
      size: "0.50",
      postOnly: true,
      clientId: "first",
    });
    expect(resting).toMatchObject({ status: "open", remainingSize: "0.5", fills: 0 });
    expect(await alice.openOrders()).toMatchObject([{ clientId: "first", side: "sell", price }]);
    expect((await chain.orderBook(market)).asks[0]).toEqual({ price, size: "0.5", orders: 1 });
    const taken = await bob.place({ market, side: "buy", size: "0.2" });
    expect(taken).toMatchObject({ status: "filled", filledSize: "0.2", averagePrice: price });
    expect(await bob.positions()).toMatchObject([{ market, size: "0.2", entryPrice: price }]);
    expect(await alice.positions()).toMatchObject([{ market, size: "-0.2" }]);
    expect((await chain.allPositions()).map(({ size }) => size).sort()).toEqual(["-0.2", "0.2"]);
    const batch = await alice.batch({
      cancels: [
        { market, clientId: "first" },
        { market, clientId: "unknown" },
      ],
      orders: [{ market, side: "buy", price: onTick(Number(price) - 500), size: "0.1" }],
    });
    expect(batch.cancels).toMatchObject([
      { ok: true, cancelledSize: "0.3" },
      { ok: false, codespace: "derivatives", codeName: "UNKNOWN_ORDER" },
    ]);
    expect(batch.orders).toMatchObject([{ ok: true, status: "open" }]);
    expect((await alice.cancelAll()).cancelled).toBe(1);
    expect(await alice.openOrders()).toEqual([]);
  });

  it("refuses bad input before sending, and names what the chain refuses", async () => {
    await expect(
      alice.place({ market, side: "buy", price: "100.05", size: "1" }),
    ).rejects.toMatchObject({ name: KeelInputError.name, code: "price-off-tick", field: "price" });
    await expect(alice.place({ market: "X", side: "buy", size: "1" })).rejects.toMatchObject({
      code: "unknown-market",
    });
    const refused = await alice.withdraw(million).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(KeelTxError);
    expect(refused).toMatchObject({ codespace: "margin", codeName: "INSUFFICIENT_COLLATERAL" });
    expect((refused as KeelTxError).height).toBeGreaterThan(0);
    await expect(
      alice.send(bob.address, [{ denom: "uusdc", amount: "1" }], { gas: 1000 }),
    ).rejects.toMatchObject({ codespace: "sdk", codeName: "out of gas" });
    // A simulated limit is enough for the same message.
    await alice.send(bob.address, [{ denom: "uusdc", amount: "1" }], { gas: "simulate" });
  });

  it("keeps many transactions in flight, sequenced and unordered, and loses none", async () => {
    const send = (from: KeelSigningClient, i: number, unordered: boolean) =>
      from
        .submit([from.messages.send(bob.address, [{ denom: "ukeel", amount: `${i + 1}` }])], {
          unordered,
        })
        .then((submitted) => submitted.outcome());
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    const outcomes = await Promise.all([
      ...numbers.map((i) => send(alice, i, false)),
      ...numbers.map((i) => send(alice, i, true)),
    ]);
    expect(new Set(outcomes.map(({ hash }) => hash)).size).toBe(60);
  });

  it("goes on after another program has used the same account", async () => {
    const other = await signer("alice");
    for (const client of [alice, other, alice, other])
      await client.send(bob.address, [{ denom: "ukeel", amount: "1" }]);
  });

  it("verifies a balance and an account against the validators' signatures, and refuses a forged header", async () => {
    const light = await LightClient.create(chain, { trust: "first-use" });
    const balance = await light.balance(alice.address, "uusdc");
    expect(balance.value).toBe(await alice.balance());
    expect((await light.balance(alice.address, "unknown")).value).toBe(0n);
    const account = await light.account(alice.address);
    expect(account.value?.positions.map(({ lots }) => lots)).toEqual([-2000n]);
    expect(light.trusted.height).toBe(account.height + 1);
    await expect(
      LightClient.create(chain, { trust: { height: 2, hash: "00".repeat(32) } }),
    ).rejects.toBeInstanceOf(KeelLightError);
  });

  it("holds no proof good after a bit of it, of the value, the key or the app hash was changed", async () => {
    const light = await LightClient.create(chain, { trust: "first-use" });
    const store = "margin";
    const key = Uint8Array.of(0);
    const {
      proof,
      value,
      height = 0,
    } = await chain.comet.abciQuery({
      path: `/store/${store}/key`,
      data: key,
      prove: true,
    });
    const ops = proof?.ops ?? [];
    while ((await chain.height()) <= height) await new Promise((done) => setTimeout(done, 20));
    const { appHash } = (await light.follow(height + 1)).signedHeader.header;
    const honest = { appHash, store, key, value, ops };
    const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
      bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(isProved(honest)).toBe(true);
    expect(isProved({ ...honest, appHash: flipped(appHash, 3) })).toBe(false);
    expect(isProved({ ...honest, value: flipped(value, 3) })).toBe(false);
    expect(isProved({ ...honest, value: undefined })).toBe(false);
    expect(isProved({ ...honest, key: Uint8Array.of(1) })).toBe(false);
    expect(isProved({ ...honest, store: "bank" })).toBe(false);
    expect(isProved({ ...honest, ops: ops.slice(0, 1) })).toBe(false);
    const proofOf = (data: Uint8Array): unknown => ics23.CommitmentProof.decode(data).toJSON();
    for (const [number, op] of ops.entries())
      for (let at = 0; at < op.data.length; at++) {
        const data = flipped(op.data, at);
        const held = isProved({ ...honest, ops: ops.with(number, { ...op, data }) });
        // Wire types and enum bytes can be written in several ways: that is the same proof still.
        if (held) expect(proofOf(data)).toEqual(proofOf(op.data));
      }
  });

  it("signs every kind of order message as amino JSON, as Ledger devices do", async () => {
    const { mnemonic } = await roleWallet("bob");
    const wallet = await Secp256k1HdWallet.fromMnemonic(mnemonic, { prefix: "keel" });
    const ledger = await KeelSigningClient.connectWithSigner(chain, wallet);
    await ledger.deposit("12.5", { subaccount: 3 });
    await ledger.transfer({ from: 3, to: 4, amount: "2.5" });
    await ledger.withdraw("10", { subaccount: 3 });
    const price = onTick((await mark()) - 900);
    const order = { market, side: "buy", price, size: "0.01", postOnly: true } as const;
    await ledger
      .place({ ...order, clientId: "a<b>&c", goodTilMs: 4_000_000_000_000n })
      .catch((error: unknown) => expect(error).toMatchObject({ codeName: "INVALID_GOOD_TIL" }));
    const { orderId } = await ledger.place({ ...order, clientId: "a<b>&c" });
    await ledger.cancel({ market, orderId });
    const batch = await ledger.batch({ orders: [order, { ...order, reduceOnly: true }] });
    expect(batch.orders.map(({ ok }) => ok)).toEqual([true, false]);
    expect((await ledger.cancelAll({ market })).cancelled).toBe(1);
    await expect(ledger.deposit("1", { unordered: true })).rejects.toMatchObject({
      code: "unsupported-signer",
    });
  });
});

describe("the faucet", () => {
  it("pays CosmJS's request, once per cool-down", async () => {
    const { address } = await walletFromMnemonic((await roleWallet("maker-2")).mnemonic, {
      index: 9,
    });
    const credit = (body: string): Promise<Response> =>
      fetch(`${faucet.url}/credit`, { method: "POST", body });
    const body = JSON.stringify({ denom: "ukeel", address });
    expect((await credit(body)).status).toBe(200);
    expect(await chain.balance(address, "ukeel")).toBe(1_000_000n);
    expect((await credit(body)).status).toBe(429);
    expect((await credit("{")).status).toBe(400);
    expect((await credit("x".repeat(5_000))).status).toBe(413);
    expect((await fetch(`${faucet.url}/credit`)).status).toBe(405);
    expect(await (await fetch(`${faucet.url}/status`)).json()).toMatchObject({
      status: "ok",
      chainId: validator.chainId,
      availableTokens: expect.arrayContaining(["ukeel", "uusdc"]),
    });
  });
});

describe("the bots", () => {
  it("make a market, trade in it, survive a restart of the node, and leave nothing resting", async () => {
    const common = async (name: Parameters<typeof roleWallet>[0], seed: number) => ({
      name,
      client: await signer(name),
      market,
      random: seededRandom(seed),
      intervalMs: 300,
    });
    const maker = startMaker({ ...(await common("maker-1", 1)), collateral: 5n * million });
    const taker = startTaker({
      ...(await common("maker-2", 2)),
      collateral: million / 10n,
      notionalMax: 5_000_000_000n,
    });
    const trader = startTrader({
      ...(await common("traders", 3)),
      side: "buy",
      leverageMilli: 5_000,
      stake: 2_000_000_000n,
    });
    const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!(await done())) {
        expect(performance.now()).toBeLessThan(deadline);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await until(async () => (await chain.orderBook(market)).bids.length >= 5);
    await until(() => taker.stats.orders >= 3 && trader.stats.orders >= 1);
    await runFirstTrade();
    await validator.restart();
    const { txs } = maker.stats;
    await until(() => maker.stats.txs > txs + 2 && taker.stats.orders >= 5);
    await Promise.all([maker.stop(), taker.stop(), trader.stop()]);
    expect(await chain.openOrders(maker.address)).toEqual([]);
    expect((await chain.positions(trader.address))[0]?.size).not.toMatch(/^-/);
  });
});

/** The first trade of client/README.md, as it stands there but for the addresses, in a process of its own. */
async function runFirstTrade(): Promise<void> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const readme = readFileSync(`${root}client/README.md`, "utf8");
  const snippet = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(snippet).toBe(readFileSync(`${root}client/examples/first-trade.ts`, "utf8"));
  const folder = `${root}client/dist/examples`;
  const file = `${folder}/first-trade-${process.pid}.ts`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    snippet
      .replace("http://127.0.0.1:26657", validator.rpc)
      .replace("http://127.0.0.1:8000", faucet.url),
  );
  const source = ["--conditions=source", "--import", `${root}scripts/source.mjs`];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...source, file], {
      cwd: root,
      timeout: 60_000,
    });
    expect(stdout).toMatch(/^filled 0\.01 at \d+(\.\d+)? \[/);
  } finally {
    rmSync(file);
  }
}
