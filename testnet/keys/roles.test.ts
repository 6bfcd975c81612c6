import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { expect, test } from "vitest";
import { roles, roleWallets, traderWallets } from "./roles.ts";

// Published: a change here breaks every script that knows them.
const addresses: Readonly<Record<string, string>> = {
  alice: "keel1s5lm740f2ylp78anvp5r3qj980wltrwel6v0qu",
  bob: "keel1xr6tysusajryvxlrk7c522v5ewwcasytpat3tq",
  faucet: "keel1yjdqmfwku6a07eran0u8eemjr6cm9h4xe8c6gq",
  "maker-1": "keel1dkkv2hp0xz6jvujznvhgav20mqfw8h60jqn2jm",
  "maker-2": "keel179exh6r724wvmc8zqkmvu2eqfg9mptaruwhh6a",
  traders: "keel13zpnxutuz80amkhwzzk9tsjwucrzl5cy6avs02",
  "validator-1": "keel1enplaaqewvyv03qrhz82l4n9sp0pk59k542f55",
  "validator-2": "keel1g2fx8mhzm79fhmskgzfpvxt8quvm9sztfxutpq",
  "validator-3": "keel1xwlpscyke44gphk5tdw0jw26dsy2hp9wr64xcj",
  "validator-4": "keel18z0xn8g02sppcqmw4ys8whnf2d8xyk2eqrzjxl",
};

test("the ten role accounts are distinct, valid and derived as any Cosmos wallet would", async () => {
  const wallets = await roleWallets();
  expect(wallets).toHaveLength(10);
  expect(new Set(wallets.map(({ address }) => address)).size).toBe(10);
  for (const { name, mnemonic } of roles.slice(4, 6)) {
    const stock = await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix: "keel" });
    const [account] = await stock.getAccounts();
    expect(wallets.find((wallet) => wallet.name === name)?.address).toBe(account?.address);
  }
  expect(Object.fromEntries(wallets.map(({ name, address }) => [name, address]))).toEqual(
    addresses,
  );
});

test("numbered traders are the same on every run, and a longer list begins with the shorter one", async () => {
  const three = await traderWallets(3);
  const five = await traderWallets(5);
  expect(five.slice(0, 3).map(({ address }) => address)).toEqual(
    three.map(({ address }) => address),
  );
  expect(new Set(five.map(({ address }) => address)).size).toBe(5);
});

test("the prefix is the chain's", async () => {
  const [first] = await traderWallets(1, { prefix: "other" });
  expect(first?.address).toMatch(/^other1/);
});
