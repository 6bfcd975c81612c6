/** The liquidity vault: shares in it, its quotes in a market matched by auction, a trade with them, and a share given back. */
import { setVaultMarket } from "@keel/client/authority";
import {
  depositToVault,
  requestVaultWithdrawal,
  vaultMarkets,
  vaultQuotes,
  vaultShares,
  vaultWithdrawals,
} from "@keel/client/vault";
import { VaultMarketStatus, VaultMarketTerms } from "@keel/proto/gen/keel/vault/v1/types";
import type { Steps } from "./steps.ts";
import { AUCTION, type TourNetwork } from "./tour-network.ts";

const UNIT = 1_000_000n;
const DEPOSIT_UNITS = 100_000n;

/** Two layers a side of a tenth of a fifth of the vault, 10 bp from mark. */
const TERMS = VaultMarketTerms.fromPartial({
  status: VaultMarketStatus.VAULT_MARKET_STATUS_QUOTING,
  capitalPpm: 200_000n,
  layers: 2,
  spreadMinPpm: 1_000n,
  sampleMs: 60_000n,
  sampleWeightPpm: 60_000n,
  skewPpm: 2_000_000n,
  orderSizePpm: 100_000n,
  orderExpiryMs: 600_000n,
  refreshPpm: 200n,
  leverageMaxPpm: 2_000_000n,
  activationMin: `${1_000n * UNIT}`,
  concessionMaxPpm: 1_000n,
  lossMaxPpm: 500_000n,
  backstopLossPpm: 100_000n,
  backstopRangePpm: 200_000n,
  backstopOpenInterestPpm: 250_000n,
  backstopLeverageMaxPpm: 5_000_000n,
});

export async function vaultSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, authority, bob, chain, until } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("vault", what, expected, work);
  await step("shares of it", "worth what was paid, locked", async () => {
    await setVaultMarket(authority, AUCTION, TERMS);
    const { shares } = await depositToVault(alice, `${DEPOSIT_UNITS}`);
    const own = await vaultShares(chain, alice.address);
    // A share of the penalties of liquidations may have come to it in the same block.
    const worth = own.value + UNIT > DEPOSIT_UNITS * UNIT ? "what was paid" : `${own.value}`;
    const locked = own.shares === shares && own.unlockedShares === 0n ? "locked" : "not locked";
    return `worth ${worth}, ${locked}`;
  });
  await step("quotes in the market matched by auction", "2 bids, 2 asks, resting", async () => {
    const resting = async () =>
      (await vaultQuotes(chain, AUCTION)).filter(({ orderId }) => orderId > 0n);
    await until("four quotes", async () => (await resting()).length === 4);
    const bids = (await resting()).filter(({ side }) => side === "buy");
    return `${bids.length} bids, ${4 - bids.length} asks, resting`;
  });
  const before = await vaultShares(chain, alice.address);
  await step("who buys from it pays its spread", "filled 0.01, shares worth more", async () => {
    const { markPrice } = await chain.market(AUCTION);
    const price = `${Math.ceil(Number(markPrice) * 1.01)}`;
    const order = { market: AUCTION, side: "buy", price, size: "0.01", clientId: "v" } as const;
    const { filledSize, status } = await bob.placeInAuction(order, { untilFilled: true });
    const { value } = await vaultShares(chain, alice.address);
    return `${status} ${filledSize}, shares worth ${value > before.value ? "more" : "no more"}`;
  });
  await step("which is its position now", "-10 lots of 0.001", async () => {
    const [market] = await vaultMarkets(chain);
    return `${market?.lots} lots of 0.001`;
  });
  await step("half of it back, after lockup and queue", "paid, a half left", async () => {
    const unlocked = async () => (await vaultShares(chain, alice.address)).unlockedShares;
    await until("the end of the lockup", async () => (await unlocked()) > 0n);
    const had = await alice.balance();
    const shares = (await unlocked()) / 2n;
    await requestVaultWithdrawal(alice, shares);
    await until(
      "its turn",
      async () => (await vaultWithdrawals(chain, alice.address)).length === 0,
    );
    const paid = (await alice.balance()) > had + (DEPOSIT_UNITS * UNIT * 49n) / 100n;
    const left = (await vaultShares(chain, alice.address)).shares;
    return `${paid ? "paid" : "not paid"}, ${left === before.shares - shares ? "a half" : `${left}`} left`;
  });
}
