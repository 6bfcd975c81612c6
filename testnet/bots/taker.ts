/** Noise: small market orders on either side, leaning against its own position so that it never grows large. */
import { timesStep } from "@keel/client/decimal";
import { type Bot, type BotOptions, botSubmit, least, startBot } from "./bot.ts";
import { lotsOf } from "./maker.ts";
import { lotsFor } from "./trader.ts";

export interface TakerOptions extends BotOptions {
  /** Collateral it starts with, in quanta. */
  readonly collateral: bigint;
  /** Largest order, in quanta of notional; sizes are uniform up to it. */
  readonly notionalMax: bigint;
}

const FINE = 1_000_000;

export function startTaker(options: TakerOptions): Bot {
  return startBot(options, {
    step: async ({ client, market: symbol, random, stats }) => {
      const market = await client.chain.market(symbol);
      if (market.status !== "active" || !market.markFresh) return;
      const { equity, positions } = await client.account();
      if (equity * 4n < options.collateral) {
        const amount = least(options.collateral, await client.balance());
        if (amount <= 0n) return;
        await client.deposit(amount, botSubmit);
        stats.txs++;
      }
      const held = positions.find((position) => position.market === symbol);
      const lots = held === undefined ? 0n : lotsOf(held.size, market);
      // Even odds when flat, three to one towards flat otherwise.
      const buyShare = lots === 0n ? 0.5 : lots > 0n ? 0.25 : 0.75;
      const side = random.next() < buyShare ? "buy" : "sell";
      const share = BigInt(Math.floor(random.next() * FINE));
      const size = lotsFor((options.notionalMax * share) / BigInt(FINE), market);
      if (size <= 0n) return;
      await client.place(
        { market: symbol, side, size: timesStep(size, market.lotSize) },
        botSubmit,
      );
      stats.txs++;
      stats.orders++;
    },
  });
}
