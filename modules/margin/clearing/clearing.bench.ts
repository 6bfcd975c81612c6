/** `margin::clear`: one fill between two accounts that hold positions already. Run: npx vitest bench modules/margin */
import { bench, describe } from "vitest";
import { BTC, btcTerms, createWorld, ETH } from "../testing/world.ts";

const world = createWorld();
const { ctx, margin, markets } = world;
markets.list(ctx, btcTerms());
markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
for (const market of [BTC, ETH]) markets.setMark(ctx, market, 50_000n);
const ids = Array.from({ length: 1_000 }, (_, i) => world.funded(i + 1, 10n ** 14n));
let turn = 0;

function fill(): void {
  const buyer = ids[turn % ids.length];
  const seller = ids[(turn * 7 + 1) % ids.length];
  turn += 1;
  if (buyer === undefined || seller === undefined || buyer === seller) return;
  const result = margin.keeper.clear(ctx, {
    market: turn % 2 === 0 ? BTC : ETH,
    priceTicks: 50_000n,
    lots: 3n,
    buyer: { account: buyer, feeQuanta: 75_000n, orderId: null },
    seller: { account: seller, feeQuanta: -15_000n, orderId: null },
    taker: "buy",
    kind: "order",
  });
  if (!result.ok) throw new Error(result.reason);
  if (turn % 1_000 === 0) ctx.state.clearJournal();
}

describe("margin", () => {
  bench("margin::clear/accounts=1000", fill);
  bench("margin::end-block/accounts=1000", () => {
    margin.keeper.endBlock(ctx);
  });
});
