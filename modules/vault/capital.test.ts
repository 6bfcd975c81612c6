import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { VaultMarketStatus } from "@keel/proto/gen/keel/vault/v1/types";
import { expect, it } from "vitest";
import { createVaultWorld, PERP } from "../testing/vault-world.ts";
import { BTC } from "../testing/world.ts";
import { capitalMove } from "./capital.ts";
import { defaultTerms } from "./params.ts";
import { IDLE_ACCOUNT, marketAccount } from "./state.ts";

const terms = { ...defaultTerms(), status: VaultMarketStatus.VAULT_MARKET_STATUS_QUOTING };
const record = { market: 1, terms, contributed: 1_000n };
const room = { idle: 10_000n, free: 0n };

it("capital is put into a market that lacks some, and none into one below zero, whose loss is not the vault's to pay", () => {
  expect(capitalMove({ equity: 400n, lots: 1n, record }, 1_000n, room)).toBe(600n);
  expect(capitalMove({ equity: 0n, lots: 0n, record }, 1_000n, room)).toBe(1_000n);
  expect(capitalMove({ equity: -1n, lots: 1n, record }, 1_000n, room)).toBe(0n);
});

it("no capital is put into a market that owes what insurance funds have paid for it, and none of its worth that they take counts as the vault's", () => {
  const world = createVaultWorld();
  const { ctx, margin, vault } = world;
  world.setMarket({ leverageMaxPpm: 20_000_000n });
  world.share(1, 100_000n);
  const buyer = world.funded(3, 1_000_000n);
  world.block(1);
  for (let i = 0; i < 6; i++) {
    world.place(PERP, buyer, "buy 1 @ 62000 ioc");
    world.block(1);
  }
  const account = marketAccount(1);
  const setStatus = (status: MarketStatus): void =>
    world.keeper.updateMarket(ctx, PERP, { status, terms: undefined });
  // Set anew: it is not stopped by what it has lost.
  const known = vault.state.markets.get(ctx, 1);
  if (known === undefined) throw new Error("no market");
  vault.state.markets.set(ctx, 1, { ...known, contributed: 0n });
  setStatus(MarketStatus.MARKET_STATUS_HALTED);
  for (const price of ["75000", "90000", "110000", "115000"]) {
    world.block(1, () => world.setPrice(BTC, price));
  }
  world.block(1);
  const owed = margin.keeper.owedToFunds(ctx, account);
  expect(owed > 0n).toBe(true);
  const idle = world.collateral(IDLE_ACCOUNT);
  let worth = 0n;
  world.block(1, () => {
    setStatus(MarketStatus.MARKET_STATUS_ACTIVE);
    world.setPrice(BTC, "114000");
    worth = margin.keeper.health(ctx, account)?.equity ?? 0n;
  });
  expect(worth > 0n && worth < owed).toBe(true);
  expect([world.collateral(IDLE_ACCOUNT), world.equity()]).toEqual([idle, idle]);
  world.block(1);
  // The funds have had what it was worth and nothing of the depositors, and it starts anew.
  const returned = world.eventsOf("advance_returned").map(({ amount }) => amount);
  expect(returned).toEqual([worth.toString()]);
  expect(margin.keeper.owedToFunds(ctx, account)).toBe(0n);
  expect(world.equity()).toBe(idle);
  expect(world.eventsOf("vault_capital").length).toBe(2);
  expect(world.violation()).toBeNull();
});
