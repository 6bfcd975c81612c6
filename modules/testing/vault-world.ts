/** A world with a perpetual that the vault quotes, and messages sent as transactions bring them. */
import type { VaultMarketTerms } from "@keel/proto/gen/keel/vault/v1/types";
import { testMarket } from "../derivatives/testing.ts";
import { atomically } from "../kit/atomically.ts";
import { defaultTerms } from "../vault/params.ts";
import { BTC, createWorld, DENOM, UNIT, type World, type WorldOptions } from "./world.ts";

export const PERP = "BTC-USD-PERP";

export interface VaultWorld extends World {
  /** Message of module vault ("DepositToVault"), decoded again; throws what refuses it, with nothing changed. */
  send<R = unknown>(name: string, value: object): R;
  /** Coins of owner n for shares; returns the shares. */
  share(n: number, units: bigint): bigint;
  setMarket(change?: Partial<VaultMarketTerms>, symbol?: string): void;
  equity(): bigint;
  shares(): bigint;
  /** Shares of owner n outside the queue. */
  held(n: number): bigint;
  coins(n: number): bigint;
  /** "b0 119880 x 83, a0 …" by side and layer. */
  quotes(market?: number): string;
}

export function createVaultWorld(options: WorldOptions = {}): VaultWorld {
  const world = createWorld({
    fundUnits: 10_000n,
    ...options,
    vault: { lockupMs: 0n, withdrawalDelayMs: 0n, ...options.vault },
  });
  const { bank, ctx, vault } = world;
  const { authority } = vault.keeper.params(ctx);
  const out: VaultWorld = {
    ...world,
    send(name, value) {
      const typeUrl = `/keel.vault.v1.Msg${name}`;
      const route = vault.module.messages.find((one) => one.typeUrl === typeUrl);
      if (route === undefined) throw new Error(`no message ${name}`);
      const message = route.decode(route.encode(value));
      route.validate(message);
      let answer: unknown;
      const keep = (response: unknown): void => {
        answer = response;
      };
      atomically(ctx, (inner) => keep(route.handle({ ...inner, signers: [] }, message)));
      return answer as never;
    },
    share(n, units) {
      const before = out.held(n);
      bank.mint(ctx, world.owner(n), { denom: DENOM, amount: units * UNIT });
      const amount = `${units * UNIT}`;
      out.send("DepositToVault", { sender: world.address(n), denom: DENOM, amount, sharesMin: "" });
      return out.held(n) - before;
    },
    setMarket(change = {}, symbol = PERP) {
      out.send("SetVaultMarket", {
        authority,
        market: symbol,
        terms: { ...defaultTerms(), ...change },
      });
    },
    equity: () => vault.keeper.valuer.all(ctx).equity,
    shares: () => vault.state.totals.require(ctx).shares,
    held: (n) => vault.state.holders.get(ctx, world.owner(n))?.shares ?? 0n,
    coins: (n) => bank.balance(ctx, world.owner(n), DENOM),
    quotes(market = 1) {
      const { account } = vault.keeper.valuer.one(ctx, {
        market,
        terms: defaultTerms(),
        contributed: 0n,
      });
      return [...world.keeper.openOrders(ctx, account, market)]
        .sort((a, b) => (a.clientId < b.clientId ? -1 : 1))
        .map(({ clientId, lots, ticks }) => `${clientId} ${ticks} x ${lots}`)
        .join(", ");
    },
  };
  if (options.from === undefined) {
    world.setPrice(BTC, "60000");
    world.list(testMarket());
  }
  return out;
}
