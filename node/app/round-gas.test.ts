import { COLLECTED_ORDER_GAS } from "@keel/modules/derivatives/limits";
import { type GasMeter, unlimitedGas } from "@keel/modules/kit/gas";
import { MsgPlaceOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side } from "@keel/proto/gen/keel/derivatives/v1/types";
import { expect, it } from "vitest";
import { roundsMarketState } from "./testing/auction-load.ts";
import { TestChain } from "./testing/chain.ts";
import { createModuleWorld } from "./testing/module-world.ts";

/** What a round that takes in so many orders would use if it paid. */
function roundGas(count: number, reduceOnly: boolean): number {
  const chain = new TestChain({ accounts: 1, appState: roundsMarketState() });
  const { ctx, fund, handle, keel, setPrice } = createModuleWorld(chain.appState());
  const owner = new Uint8Array(20).fill(7);
  setPrice(6_500_000n);
  fund(owner, 0, 10_000_000_000n);
  for (let n = 0; n < count; n++) {
    const order = MsgPlaceOrder.fromPartial({
      sender: keel.addresses.format(owner),
      market: "BTC-PERP",
      side: Side.SIDE_SELL,
      type: OrderType.ORDER_TYPE_LIMIT,
      price: "66000",
      size: "0.001",
      reduceOnly,
      clientId: `an-order-with-a-long-name-${n}`,
    });
    handle("/keel.derivatives.v1.MsgPlaceOrder", MsgPlaceOrder.encode(order).finish());
  }
  ctx.nextBlock(1);
  const metered = ctx as { gas: GasMeter };
  metered.gas = unlimitedGas();
  keel.derivatives.endRound(ctx);
  return Number(metered.gas.used);
}

it("an order of a round pays when it is accepted for what its entry would use, and no less where it only reduces and is refused then", () => {
  const each = (reduceOnly: boolean): number =>
    (roundGas(61, reduceOnly) - roundGas(11, reduceOnly)) / 50;
  expect(each(false)).toBeLessThan(COLLECTED_ORDER_GAS);
  expect(each(false)).toBeGreaterThan(0.9 * COLLECTED_ORDER_GAS);
  expect(each(true)).toBeLessThan(COLLECTED_ORDER_GAS);
});
