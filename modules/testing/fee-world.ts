/** A world with one future at 60,000, owners by number, and fee parameters in one line; for tests of fees on the real ledger. */
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { QueryTraderResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { defaultTerms } from "../derivatives/defaults.ts";
import { sendMessage } from "../derivatives/external/testing.ts";
import { defaultFeeParams, validateFeeParams } from "../derivatives/fees/params.ts";
import { createTestVenue } from "../derivatives/testing.ts";
import type { AccountId } from "../kit/account-id.ts";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  START_MS,
  type World,
  type WorldOptions,
} from "./world.ts";

export const SYMBOL = "BTC-FUT";
const { order: orderOf } = createTestVenue();

export interface FeeWorld extends World {
  setFees(params: Partial<FeeParams>): void;
  /** As an order of the owner's sub-account 0, through its message. */
  send(owner: number, text: string, builder?: tx.NewOrder["builder"]): tx.MsgPlaceOrderResponse;
  message<R>(name: string, message: object, response: Parameters<typeof sendMessage<R>>[3]): R;
  trader(owner: number, market?: string): QueryTraderResponse;
  /** Ends the block and begins the next, days later, at the same price. */
  days(days: number): void;
}

/** Owners 1 to 9 have a million units each. */
export function createFeeWorld(
  terms: Partial<MarketTerms> = {},
  options: WorldOptions = {},
): FeeWorld {
  const world = createWorld(options);
  world.setPrice(BTC, "60000");
  const end = maturity(START_MS + 1000 * HOUR_MS);
  world.list({ ...futureMarket(SYMBOL, end), terms: { ...defaultTerms(), ...terms } });
  for (let n = 1; n < 10; n++) world.funded(n, 1_000_000n);
  const message: FeeWorld["message"] = (name, content, response) =>
    sendMessage(world, name, content, response);
  return {
    ...world,
    setFees(change) {
      const params = { ...defaultFeeParams(), ...change };
      validateFeeParams(params);
      world.venue.state.fees.params.set(world.ctx, params);
    },
    send: (owner, text, builder) =>
      message(
        "MsgPlaceOrder",
        {
          sender: world.address(owner),
          subaccount: 0,
          ...orderOf(text),
          market: SYMBOL,
          builder,
        },
        tx.MsgPlaceOrderResponse,
      ),
    message,
    trader(owner, market = "") {
      const route = world.module.queries.find(({ path }) => path.endsWith("/Trader"));
      const request = { owner: world.address(owner), market };
      const bytes = query.QueryTraderRequest.encode(request).finish();
      if (route === undefined) throw new Error("no route Trader");
      return query.QueryTraderResponse.decode(route.handle(world.ctx, bytes));
    },
    days(days) {
      world.block(days * 86_400, () => world.setPrice(BTC, "60000"));
    },
  };
}

/** Held by the venue, in quanta. */
export function feesHeld({ ctx, margin }: FeeWorld): bigint {
  return margin.keeper.totals(ctx).feesHeld;
}

export function tier(
  volumeUnits: number,
  takerFactorPpm: number,
  makerDiscountPpm: number,
): FeeParams["tiers"][number] {
  return { volume: `${BigInt(volumeUnits) * 1_000_000n}`, takerFactorPpm, makerDiscountPpm };
}

export function accountOf(world: FeeWorld, owner: number): AccountId {
  return world.venue.accounts.of(world.address(owner), 0);
}
