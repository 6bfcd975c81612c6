/** The vault through signed transactions and blocks: what modules/vault tests by itself, on the wired chain. */
import { moduleAddress } from "@keel/modules/kit/addresses";
import { defaultTerms } from "@keel/modules/vault/params";
import { marketAccount } from "@keel/modules/vault/state";
import { TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  QueryQuotesRequest,
  QueryQuotesResponse,
  QuerySharesRequest,
  QuerySharesResponse,
  QueryVaultRequest,
  QueryVaultResponse,
} from "@keel/proto/gen/keel/vault/v1/query";
import { MsgDepositToVault, MsgRequestWithdrawal } from "@keel/proto/gen/keel/vault/v1/tx";
import { VaultMarketTerms } from "@keel/proto/gen/keel/vault/v1/types";
import { describe, expect, it } from "vitest";
import { exportGenesis, messageToJson } from "./genesis.ts";
import { TestChain } from "./testing/chain.ts";
import { vaultParamsJson } from "./testing/market-genesis.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";
import { createModuleWorld } from "./testing/module-world.ts";
import type { TestSigner } from "./testing/signer.ts";

const terms = messageToJson(
  "keel.vault.v1.VaultMarketTerms",
  VaultMarketTerms.encode({
    ...defaultTerms(),
    capitalPpm: 1_000_000n,
    orderSizePpm: 200_000n,
    activationMin: "1000000",
  }).finish(),
);
const appState = {
  vault: { params: vaultParamsJson, markets: [{ market: 1, terms, contributed: "0" }] },
};

const deposit = (owner: TestSigner, amount: string) => ({
  typeUrl: "/keel.vault.v1.MsgDepositToVault",
  value: MsgDepositToVault.encode({
    sender: owner.address,
    denom: "uusdc",
    amount,
    sharesMin: "",
  }).finish(),
});
const withdraw = (owner: TestSigner, shares: string) => ({
  typeUrl: "/keel.vault.v1.MsgRequestWithdrawal",
  value: MsgRequestWithdrawal.encode({ sender: owner.address, shares }).finish(),
});

describe("the vault on the chain", () => {
  it("takes a deposit, quotes before the next block's transactions, trades with them and pays who leaves", async () => {
    const chain = new TestChain({ extensionsFrom: 1, appState });
    await openMarket(chain, "300000000");
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const logs = async (...txs: Uint8Array[]): Promise<string[]> => {
      const { txResults, events } = await chain.decide([priceTx(chain), ...txs]);
      expect(events.filter(({ type }) => type === "invariant_broken")).toEqual([]);
      return txResults.map(({ log }) => log);
    };
    const ask = async (name: string, data: Uint8Array): Promise<Uint8Array> => {
      const path = `/keel.vault.v1.Query/${name}`;
      const response = await chain.app.query({ path, data, height: 0, prove: false });
      expect(response.log).toBe("");
      return response.value;
    };
    expect(await logs(alice.sign([deposit(alice, "400000000")]))).toEqual(["", ""]);
    const buy = orderMessage(bob, {
      side: "buy",
      price: "65200",
      size: "0.001",
      timeInForce: TimeInForce.TIME_IN_FORCE_IOC,
    });
    const { txResults, events } = await chain.decide([priceTx(chain), bob.sign([buy])]);
    expect(txResults.map(({ log }) => log)).toEqual(["", ""]);
    expect(txResults[1]?.events.some(({ type }) => type === "trade")).toBe(true);
    expect(events.some(({ type }) => type === "vault_capital")).toBe(true);
    const { quotes } = QueryQuotesResponse.decode(
      await ask("Quotes", QueryQuotesRequest.encode({ market: "" }).finish()),
    );
    expect(quotes.length).toBeGreaterThan(0);
    const held = QuerySharesResponse.decode(
      await ask("Shares", QuerySharesRequest.encode({ owner: alice.address }).finish()),
    );
    for (let i = 0; i < 10; i++) await logs();
    expect(await logs(alice.sign([withdraw(alice, held.shares)]))).toEqual(["", ""]);
    for (let i = 0; i < 5; i++) await logs();
    const vault = QueryVaultResponse.decode(
      await ask("Vault", QueryVaultRequest.encode({}).finish()),
    );
    expect(vault.shares).toBe("1000000000");
    expect(vault.queuedShares).toBe("0");
    expect(chain.faults).toEqual([]);
  });

  it("takes no coins but by a deposit", async () => {
    const chain = await new TestChain({ appState }).start();
    const { keel } = createModuleWorld(chain.appState());
    const sent = chain
      .account(0)
      .send({ address: keel.addresses.format(moduleAddress("vault")) } as TestSigner, "5uusdc");
    const { txResults } = await chain.decide([sent]);
    expect(txResults[0]?.log).toContain("is not allowed to receive funds");
  });

  it("comes back from an exported genesis as it was", () => {
    const world = createModuleWorld(new TestChain({ accounts: 1, appState }).appState());
    world.setPrice(6_500_000n);
    const owner = new Uint8Array(20).fill(9);
    world.keel.bank.mint(world.ctx, owner, { denom: "uusdc", amount: 10_000_000_000n });
    world.keel.vault.deposit(world.ctx, owner, 5_000_000_000n, 0n);
    world.ctx.nextBlock();
    world.setPrice(6_500_000n);
    for (const module of world.keel.beginBlock) module.beginBlock?.(world.ctx);
    const openOrders = () => world.keel.derivatives.openOrders(world.ctx, marketAccount(1), 1);
    expect(openOrders()).toHaveLength(4);
    const exported = exportGenesis(world.ctx, world.keel.genesis);
    const again = createModuleWorld(exported);
    expect(exportGenesis(again.ctx, again.keel.genesis)).toEqual(exported);
    again.ctx.nextBlock();
    expect(again.violation()).toBeNull();
    expect(world.violation()).toBeNull();
  });
});
