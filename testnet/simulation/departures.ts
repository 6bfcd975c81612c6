/** Which orders must have gone by the end of a block, read from its events: those of a dead man's sub-account, and the other one of a pair. */
import type { Event } from "@keel/consensus/wire/abci";
import { ModuleError } from "@keel/modules/kit/errors";
import {
  QueryOrderRequest,
  QueryOrderResponse,
  QueryOrdersRequest,
  QueryOrdersResponse,
  QueryWaitingOrdersRequest,
  QueryWaitingOrdersResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { type At, ask } from "./operation.ts";

type State = Pick<At, "keel" | "ctx">;

const QUERY = "/keel.derivatives.v1.Query/";
/** An order that leaves so takes the other one of its pair with it. */
const TAKES_BOTH: ReadonlySet<string> = new Set(["user", "expired"]);

function attribute({ attributes }: Event, name: string): string {
  return attributes.find(({ key }) => key === name)?.value ?? "";
}

function openOrder(state: State, market: string, orderId: bigint): QueryOrderResponse | null {
  const question = QueryOrderRequest.fromPartial({ market, orderId });
  try {
    return ask(state, `${QUERY}Order`, [QueryOrderRequest, QueryOrderResponse], question);
  } catch (error) {
    if (error instanceof ModuleError) return null;
    throw error;
  }
}

/** Resting and waiting, in every market but those where a cancel of all of them waits for its round. */
function ordersOf(state: State, account: string, cancelling: ReadonlySet<string>): number {
  const [owner = "", subaccount = ""] = account.split("/");
  const question = { owner, subaccount: Number(subaccount), market: "" };
  const resting = ask(
    state,
    `${QUERY}Orders`,
    [QueryOrdersRequest, QueryOrdersResponse],
    question,
  ).orders;
  const waiting = ask(
    state,
    `${QUERY}WaitingOrders`,
    [QueryWaitingOrdersRequest, QueryWaitingOrdersResponse],
    question,
  ).orders;
  const names = [...resting.map(({ market }) => market), ...waiting.map(({ market }) => market)];
  return names.filter((market) => !cancelling.has(`${market} ${account}`)).length;
}

export class Departures {
  /** Market and id of an order that waits or waited, to the id of the other one of its pair. */
  readonly #partners = new Map<string, bigint>();

  /** Null: all that had to go has gone. `state` is that after the block. */
  fault(events: readonly Event[], state: State): string | null {
    const cancelling = new Set(
      events
        .filter(({ type }) => type === "cancel_accepted")
        .filter(
          (event) => attribute(event, "client_id") === "" && attribute(event, "order_id") === "0",
        )
        .map((event) => `${attribute(event, "market")} ${attribute(event, "account")}`),
    );
    for (const event of events) {
      const { type } = event;
      if (type === "dead_man_fired") {
        const account = attribute(event, "account");
        const left = ordersOf(state, account, cancelling);
        if (left > 0) return `the dead man of ${account} has fired and left ${left} orders`;
      }
      if (type === "order_cancelled" && TAKES_BOTH.has(attribute(event, "reason"))) {
        const left = this.#stillThere(event, state);
        if (left !== null) return left;
      }
    }
    for (const event of events) this.#learn(event, state);
    return null;
  }

  #stillThere(event: Event, state: State): string | null {
    const market = attribute(event, "market");
    const id = attribute(event, "order_id");
    const partner = this.#partners.get(`${market}/${id}`);
    if (partner === undefined || openOrder(state, market, partner) === null) return null;
    return `order ${id} of ${market} left as ${attribute(event, "reason")} without ${partner}, its pair`;
  }

  #learn(event: Event, state: State): void {
    const market = attribute(event, "market");
    if (event.type === "market_removed") {
      // The next market of this name counts its orders anew.
      for (const key of this.#partners.keys())
        if (key.startsWith(`${market}/`)) this.#partners.delete(key);
    }
    if (event.type !== "order_waiting") return;
    const id = BigInt(attribute(event, "order_id"));
    const partner = openOrder(state, market, id)?.waiting?.ocoId ?? 0n;
    if (partner === 0n) return;
    this.#partners.set(`${market}/${id}`, partner);
    this.#partners.set(`${market}/${partner}`, id);
  }
}
