/**
 * What several hundred traders send: half of it resting orders around the middle, a third cancels of older ones, the rest takers that
 * cross. Seeded, so that two runs send the same.
 */
import { createRandom } from "@keel/modules/derivatives/random";
import { MsgCancelOrder, MsgPlaceOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgDeposit } from "@keel/proto/gen/keel/margin/v1/tx";
import type { Trader } from "./trader.ts";
import type { Message } from "./tx-bytes.ts";

export interface FlowOptions {
  readonly seed: number;
  readonly market: string;
  /** In ticks of 0.1. */
  readonly middleTicks: number;
  /** A cancel names an order sent at least so many messages before, so that it rests by then. */
  readonly cancelLag: number;
}

export interface Sent {
  readonly trader: Trader;
  readonly message: Message;
}

const PLACE_PERCENT = 50;
const CANCEL_PERCENT = 35;
/** Resting orders stand 0.5 to 600 from the middle, denser near it; takers reach as far as 600. */
const DISTANCE_MIN_TICKS = 5;
const DISTANCE_TICKS = 6_000;
/** Orders nearer than this are left to the takers. */
const CANCELLED_BEYOND_TICKS = 500;
const SIZES = ["0.001", "0.002", "0.003", "0.004"] as const;

export class OrderFlow {
  readonly #traders: readonly Trader[];
  readonly #options: FlowOptions;
  readonly #random: ReturnType<typeof createRandom>;
  readonly #resting: { readonly trader: Trader; readonly clientId: string; readonly at: number }[] =
    [];
  #sent = 0;

  constructor(traders: readonly Trader[], options: FlowOptions) {
    this.#traders = traders;
    this.#options = options;
    this.#random = createRandom(options.seed);
  }

  next(): Sent {
    const dice = this.#random.below(100);
    this.#sent++;
    if (dice < PLACE_PERCENT) return this.#place();
    if (dice < PLACE_PERCENT + CANCEL_PERCENT) return this.#cancel() ?? this.#place();
    return this.#take();
  }

  /** Resting orders only, to fill a book with. */
  maker(): Sent {
    this.#sent++;
    return this.#place();
  }

  #place(): Sent {
    const trader = this.#trader();
    const side = this.#side();
    const distance =
      DISTANCE_MIN_TICKS + this.#random.below(1 + this.#random.below(DISTANCE_TICKS));
    const clientId = `b${this.#sent}`;
    if (distance > CANCELLED_BEYOND_TICKS) this.#resting.push({ trader, clientId, at: this.#sent });
    return {
      trader,
      message: order(trader, {
        market: this.#options.market,
        side,
        price: this.#price(side === Side.SIDE_BUY ? -distance : distance),
        size: this.#size(),
        timeInForce: TimeInForce.TIME_IN_FORCE_GTC,
        postOnly: true,
        clientId,
      }),
    };
  }

  #take(): Sent {
    const trader = this.#trader();
    const side = this.#side();
    return {
      trader,
      message: order(trader, {
        market: this.#options.market,
        side,
        price: this.#price(side === Side.SIDE_BUY ? DISTANCE_TICKS : -DISTANCE_TICKS),
        size: this.#size(),
        timeInForce: TimeInForce.TIME_IN_FORCE_IOC,
      }),
    };
  }

  /** null while nothing is old enough. */
  #cancel(): Sent | null {
    const index = this.#random.below(Math.max(1, this.#resting.length));
    const one = this.#resting[index];
    if (one === undefined || this.#sent - one.at < this.#options.cancelLag) return null;
    this.#resting[index] = this.#resting[this.#resting.length - 1] as typeof one;
    this.#resting.pop();
    const { trader, clientId } = one;
    return {
      trader,
      message: {
        typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
        value: MsgCancelOrder.encode(
          MsgCancelOrder.fromPartial({
            sender: trader.address,
            market: this.#options.market,
            clientId,
          }),
        ).finish(),
      },
    };
  }

  #trader(): Trader {
    return this.#traders[this.#random.below(this.#traders.length)] as Trader;
  }

  #side(): Side {
    return this.#random.below(2) === 0 ? Side.SIDE_BUY : Side.SIDE_SELL;
  }

  #size(): string {
    return SIZES[this.#random.below(SIZES.length)] as string;
  }

  #price(offsetTicks: number): string {
    const ticks = this.#options.middleTicks + offsetTicks;
    const whole = Math.trunc(ticks / 10);
    return ticks % 10 === 0 ? `${whole}` : `${whole}.${ticks % 10}`;
  }
}

export function deposit(trader: Trader, amount: string): Message {
  return {
    typeUrl: "/keel.margin.v1.MsgDeposit",
    value: MsgDeposit.encode(
      MsgDeposit.fromPartial({ sender: trader.address, denom: "uusdc", amount }),
    ).finish(),
  };
}

function order(
  trader: Trader,
  terms: {
    readonly market: string;
    readonly side: Side;
    readonly price: string;
    readonly size: string;
    readonly timeInForce: TimeInForce;
    readonly postOnly?: boolean;
    readonly clientId?: string;
  },
): Message {
  return {
    typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
    value: MsgPlaceOrder.encode(
      MsgPlaceOrder.fromPartial({
        sender: trader.address,
        type: OrderType.ORDER_TYPE_LIMIT,
        ...terms,
      }),
    ).finish(),
  };
}
