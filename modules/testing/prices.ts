/** An oracle for worlds without validators: prices are set by the test, and are state, since what is computed from them is kept while state stands. */
import type { OraclePort, OraclePrice } from "../derivatives/ports.ts";
import { u32Key, type ValueCodec } from "../kit/collections/codecs.ts";
import type { Registry } from "../kit/collections/schema.ts";
import type { WriteContext } from "../kit/context.ts";

/** Their store. */
export const TEST_PRICES = "test_prices";

const priceValue: ValueCodec<OraclePrice> = {
  encode: () => new Uint8Array(0),
  decode() {
    throw new Error("prices of a test are never read back from bytes");
  },
  size: () => 0,
};

export interface TestPrices extends Pick<OraclePort, "price"> {
  set(ctx: WriteContext, feed: number, price: OraclePrice): void;
}

export function createTestPrices(registry: Registry): TestPrices {
  const prices = registry.schema(TEST_PRICES).map(0, "prices", u32Key, priceValue);
  return {
    price: (ctx, feed) => prices.get(ctx, feed),
    set: (ctx, feed, price) => prices.set(ctx, feed, price),
  };
}
