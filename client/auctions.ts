/** What an auction made of a collected order, read from the events of blocks: the transaction only says that it was accepted. */
import { KeelConnectionError } from "./errors.ts";
import { AUCTION_POLL_MS, IDLE_BLOCKS_MAX } from "./limits.ts";
import type { TxEvent } from "./tx-result.ts";

/** The order in whose events we are interested. */
export interface AuctionOrder {
  readonly market: string;
  /** "keel1…/0" */
  readonly account: string;
  readonly clientId: string;
}

export interface AuctionFate {
  /** "collected": it is not in the book yet; "waiting": for its trigger. */
  readonly status: "collected" | "waiting" | "open" | "filled" | "cancelled";
  /** 0 while it is collected. */
  readonly orderId: bigint;
  /** Decimal text, of this auction; "0" without a fill. */
  readonly filledSize: string;
  /** The one price of the auction; empty without a fill. */
  readonly price: string;
  readonly fee: string;
  /** Rests in the book, or waits; "0" unless open or waiting. */
  readonly remainingSize: string;
  /** Why it was cancelled; empty otherwise. */
  readonly reason: string;
}

export const collectedFate: AuctionFate = {
  status: "collected",
  orderId: 0n,
  filledSize: "0",
  price: "",
  fee: "0",
  remainingSize: "0",
  reason: "",
};

/** The fate after one more block, from that block's own events. */
export function fateAfter(
  before: AuctionFate,
  order: AuctionOrder,
  events: readonly TxEvent[],
): AuctionFate {
  let fate = before;
  for (const { type, attributes } of events) {
    const value = (key: string): string =>
      attributes.find((attribute) => attribute.key === key)?.value ?? "";
    if (value("market") !== order.market || value("account") !== order.account) continue;
    // Against own orders, or with the position: it names the order by its id alone.
    if (type === "order_reduced" && value("order_id") === `${fate.orderId}`)
      fate = { ...fate, remainingSize: value("remaining") };
    if (value("client_id") !== order.clientId) continue;
    if (type === "order_waiting") {
      const orderId = BigInt(value("order_id"));
      fate = { ...fate, status: "waiting", orderId, remainingSize: value("size") };
    } else if (type === "order_triggered") {
      fate = { ...fate, status: "collected" };
    } else if (type === "order_placed") {
      const orderId = BigInt(value("order_id"));
      fate = { ...fate, status: "open", orderId, remainingSize: value("size") };
    } else if (type === "auction_fill") {
      const remainingSize = value("remaining");
      const filled = { filledSize: value("size"), price: value("price"), fee: value("fee") };
      const status = remainingSize === "0" ? "filled" : "open";
      fate = { ...fate, ...filled, status, orderId: BigInt(value("order_id")), remainingSize };
    } else if (type === "order_cancelled") {
      fate = { ...fate, status: "cancelled", remainingSize: "0", reason: value("reason") };
    }
  }
  return fate;
}

/**
 * Whether an order's auction has been held: in the block that accepted it or, where inclusion lists give rounds, in that of its round or, when that
 * is put off, at the latest in the one that idle blocks before it can no longer leave it open to. An order that is still collected then waits for a fresh price.
 * With `untilFilled` only when it is filled or gone.
 */
export function isDecided(
  { round }: { readonly round: bigint },
  untilFilled: boolean,
): (fate: AuctionFate, height: number) => boolean {
  return ({ filledSize, status }, height) => {
    if (untilFilled) return filledSize !== "0" || status === "cancelled";
    return (
      status !== "collected" || round === 0n || BigInt(height) > round + BigInt(IDLE_BLOCKS_MAX)
    );
  };
}

/** Reads block after block from `fromHeight` until the fate is what is waited for. */
export async function awaitFate(
  events: (height: number) => Promise<readonly TxEvent[]>,
  order: AuctionOrder,
  wait: {
    readonly fromHeight: number;
    readonly until: (fate: AuctionFate, height: number) => boolean;
    readonly timeoutMs: number;
  },
): Promise<AuctionFate & { readonly height: number }> {
  let fate = collectedFate;
  return await readUntil(events, wait, (found, height) => {
    fate = fateAfter(fate, order, found);
    return wait.until(fate, height) ? { ...fate, height } : null;
  });
}

/** Which order a cancel names: by client id, or by id. */
export interface CancelledName extends Omit<AuctionOrder, "clientId"> {
  readonly clientId?: string | undefined;
  readonly orderId?: bigint | undefined;
}

/**
 * What a cancel took out that waits for its round, or the order's own end before it; null: nothing, in the last block that its round can be held in. Reads block after
 * block from `fromHeight`.
 */
export async function awaitCancelled(
  events: (height: number) => Promise<readonly TxEvent[]>,
  order: CancelledName,
  wait: { readonly fromHeight: number; readonly round: bigint; readonly timeoutMs: number },
): Promise<{ readonly orderId: bigint; readonly cancelledSize: string } | null> {
  const last = wait.round + BigInt(IDLE_BLOCKS_MAX);
  const read = await readUntil(events, wait, (found, height) => {
    const cancelled = found.map((event) => cancelledBy(event, order)).find((one) => one !== null);
    if (cancelled !== undefined) return { cancelled };
    return BigInt(height) >= last ? { cancelled: null } : null;
  });
  return read.cancelled;
}

function cancelledBy({ attributes, type }: TxEvent, order: CancelledName) {
  const value = (key: string): string =>
    attributes.find((attribute) => attribute.key === key)?.value ?? "";
  const { account, clientId, market, orderId } = order;
  if (type !== "order_cancelled" || value("market") !== market || value("account") !== account)
    return null;
  const named =
    clientId === undefined ? value("order_id") === `${orderId}` : value("client_id") === clientId;
  return named ? { orderId: BigInt(value("order_id")), cancelledSize: value("size") } : null;
}

/** Reads block after block until `visit` has found something. `what` has not come to pass when there is no time left. */
export async function readUntil<T>(
  events: (height: number) => Promise<readonly TxEvent[]>,
  wait: { readonly fromHeight: number; readonly timeoutMs: number; readonly what?: string },
  visit: (events: readonly TxEvent[], height: number) => T | null,
): Promise<T> {
  const { fromHeight, timeoutMs, what = "no auction came to pass" } = wait;
  const deadline = Date.now() + timeoutMs;
  for (let height = fromHeight; ; height++) {
    const found = visit(await readWhenThere(events, height, { deadline, what }), height);
    if (found !== null) return found;
  }
}

async function readWhenThere(
  events: (height: number) => Promise<readonly TxEvent[]>,
  height: number,
  { deadline, what }: { readonly deadline: number; readonly what: string },
): Promise<readonly TxEvent[]> {
  for (;;) {
    try {
      return await events(height);
    } catch (error) {
      // A node that has no such block yet says so by an error of its RPC.
      const early = error instanceof KeelConnectionError && error.code === "rpc";
      if (!early) throw error;
      if (Date.now() >= deadline)
        throw new KeelConnectionError("not-included-in-time", `${what} up to height ${height}`);
    }
    await new Promise((resolve) => setTimeout(resolve, AUCTION_POLL_MS));
  }
}
