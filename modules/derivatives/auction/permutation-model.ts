/**
 * The same block of a market matched by auction, its messages in two orders: random histories of ten sub-accounts, with everything they may send there.
 * Every message must be answered alike, and events, fills, accounts and stored state be the same. `comparePermutations` throws at a difference.
 */
import {
  MsgBatchOrders,
  MsgCancelAll,
  MsgCancelOrder,
  MsgPlaceOco,
  MsgPlaceOrder,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { atomically } from "../../kit/atomically.ts";
import { AssertionError, assert, ModuleError } from "../../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createRandom, type Random } from "../random.ts";
import { createTestVenue, SYMBOL, TEST_ADDRESSES, type TestVenue, testMarket } from "../testing.ts";

/** Blocks of a history, so auctions. */
export const BLOCKS = 5;
const REASONS = [
  "margin",
  "self_trade",
  "reduce_only",
  "immediate",
  "oco",
  "open_interest_cap",
] as const;

interface Message {
  readonly typeUrl: string;
  readonly bytes: Uint8Array;
}

interface Plan {
  /** By block, then by sub-account: that one's messages in the order it sent them. */
  readonly blocks: readonly (readonly (readonly Message[])[])[];
  readonly prices: readonly number[];
  readonly caps: readonly number[];
  readonly ordersMax: number;
  readonly openInterestMax: number;
}

const ACCOUNTS = 10;
const TYPE = "/keel.derivatives.v1.";

/** Ten sub-accounts of six owners. */
function ownerOf(n: number): { readonly sender: string; readonly subaccount: number } {
  const owner = n < 4 ? 1 + (n >> 1) : n;
  return {
    sender: TEST_ADDRESSES.format(new Uint8Array(20).fill(owner)),
    subaccount: n < 4 ? n & 1 : 0,
  };
}

/** Around the prices of a history. */
function triggerOf(random: Random) {
  const kind = (1 + random.below(3)) as 1 | 2 | 3;
  const trail = `${5 + random.below(20)}`;
  if (kind === 3) return { kind, price: "", trail, trailPpm: 0 };
  return { kind, price: `${59_980 + random.below(9) * 5}`, trail: "", trailPpm: 0 };
}

/** With names that the account's other orders have, too. */
function bracketOf(random: Random, side: number) {
  const [above, below] = [1, -1].map((way) => ({
    triggerPrice: `${60_000 + way * 5 * (1 + random.below(6))}`,
    price: random.below(2) === 0 ? "" : `${60_000 + way * 5 * random.below(6)}`,
    clientId: random.below(2) === 0 ? "" : `n${random.below(6)}${way}`,
  }));
  const [takeProfit, stopLoss] = side === 1 ? [above, below] : [below, above];
  const parts = random.below(3);
  return {
    takeProfit: parts === 1 ? undefined : takeProfit,
    stopLoss: parts === 2 ? undefined : stopLoss,
  };
}

function order(random: Random, id: string): NewOrder {
  const plain = plainOrder(random, id);
  if (random.below(6) === 0) {
    const twap = { slices: 2 + random.below(4), intervalMs: BigInt(1000 + random.below(2) * 1000) };
    return NewOrder.fromPartial({ ...plain, trigger: undefined, twap });
  }
  const { reduceOnly, side, timeInForce, type } = plain;
  const iceberg = type === 1 && timeInForce === 0 && random.below(5) === 0;
  const bracketed = !reduceOnly && random.below(5) === 0;
  return NewOrder.fromPartial({
    ...plain,
    ...(iceberg ? { size: `${2 + random.below(5)}`, displaySize: "1" } : {}),
    ...(bracketed ? { bracket: bracketOf(random, side) } : {}),
  });
}

/** Of one size, each resting or with a trigger, often two ways out of a position. */
function pair(random: Random, ids: readonly [string, string]): NewOrder[] {
  const size = `${1 + random.below(6)}`;
  const exit = random.below(2) === 0 ? { side: 1 + random.below(2), reduceOnly: true } : {};
  return ids.map((id) =>
    NewOrder.fromPartial({
      ...plainOrder(random, id),
      type: 1,
      timeInForce: 0,
      size,
      ...exit,
    } as NewOrder),
  );
}

function plainOrder(random: Random, id: string): NewOrder {
  return NewOrder.fromPartial({
    ...(random.below(6) === 0 ? { trigger: triggerOf(random) } : {}),
    market: SYMBOL,
    side: random.below(2) === 0 ? 1 : 2,
    type: random.below(8) === 0 ? 2 : 1,
    price: `${59_950 + random.below(21) * 5}`,
    size: `${1 + random.below(6)}`,
    timeInForce: random.below(4) === 0 ? 2 : 0,
    postOnly: false,
    reduceOnly: random.below(5) === 0,
    clientId: id,
    goodTilMs: 0n,
    selfTradePrevention: 0,
  });
}

function message(random: Random, n: number): Message {
  const from = ownerOf(n);
  const id = (): string => `n${random.below(6)}`;
  const dice = random.below(12);
  if (dice < 6) {
    const value = MsgPlaceOrder.fromPartial({ ...from, ...order(random, id()) });
    return { typeUrl: `${TYPE}MsgPlaceOrder`, bytes: MsgPlaceOrder.encode(value).finish() };
  }
  if (dice < 8) {
    const orders = [order(random, id()), order(random, id())];
    const cancels = [{ market: SYMBOL, clientId: id() }];
    const value = MsgBatchOrders.fromPartial({ ...from, cancels, orders });
    return { typeUrl: `${TYPE}MsgBatchOrders`, bytes: MsgBatchOrders.encode(value).finish() };
  }
  if (dice < 9) {
    const value = MsgCancelOrder.fromPartial({ ...from, market: SYMBOL, clientId: id() });
    return { typeUrl: `${TYPE}MsgCancelOrder`, bytes: MsgCancelOrder.encode(value).finish() };
  }
  if (dice < 11) {
    const at = random.below(6);
    const legs = pair(random, [`n${at}`, `n${(at + 1 + random.below(5)) % 6}`]);
    const value = MsgPlaceOco.fromPartial({ ...from, legs });
    return { typeUrl: `${TYPE}MsgPlaceOco`, bytes: MsgPlaceOco.encode(value).finish() };
  }
  const value = MsgCancelAll.fromPartial({ ...from, market: SYMBOL });
  return { typeUrl: `${TYPE}MsgCancelAll`, bytes: MsgCancelAll.encode(value).finish() };
}

function plan(random: Random): Plan {
  const blocks = Array.from({ length: BLOCKS }, () =>
    Array.from({ length: ACCOUNTS }, (_, n) =>
      Array.from({ length: random.below(4) }, () => message(random, n)),
    ),
  );
  return {
    blocks,
    prices: blocks.map(() => 59_980 + random.below(41)),
    caps: Array.from({ length: ACCOUNTS }, () => 6000 + random.below(30_000)),
    ordersMax: [1, 3, 1000][random.below(3)] as number,
    openInterestMax: random.below(2) * (4000 + random.below(12_000)),
  };
}

/** One after another, or the accounts' messages mixed at random, each account's own in its sequence. */
function sequence(streams: readonly (readonly Message[])[], mix: Random | null): Message[] {
  const left = streams.map((stream) => [...stream]);
  if (mix === null) return left.flat();
  const out: Message[] = [];
  for (;;) {
    const open = left.filter((stream) => stream.length > 0);
    if (open.length === 0) return out;
    out.push((open[mix.below(open.length)] as Message[]).shift() as Message);
  }
}

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}` : value;

function stateOf(venue: TestVenue, collections: number): string {
  const entries: string[] = [];
  for (let id = 0; id < collections; id++) {
    venue.ctx.state.range(id, "", undefined, (key, value) => {
      entries.push(`${id} ${key} ${JSON.stringify(value, plain)}`);
    });
  }
  return entries.join("\n");
}

function run(one: Plan, mix: Random | null) {
  const auction = { ...defaultAuctionTerms(), ordersMax: one.ordersMax, interruptionMs: 0n };
  const terms = { ...defaultTerms(), openInterestMaxLots: BigInt(one.openInterestMax), auction };
  const venue = createTestVenue(testMarket({ terms }));
  const { clearing, ctx, keeper, module } = venue;
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => {
    const { sender, subaccount } = ownerOf(n);
    const owner = TEST_ADDRESSES.parse(sender);
    return venue.account(owner[0] as number, subaccount);
  });
  for (const [n, account] of accounts.entries())
    clearing.limit(account, BigInt(one.caps[n] as number));
  const results = new Map<Message, string>();
  const ends: string[] = [];
  for (const [height, streams] of one.blocks.entries()) {
    venue.setPrice(one.prices[height] as number);
    keeper.beginBlock(ctx);
    // What an account may hold shrinks now and then, so that fills are refused.
    const poor = accounts[height] as (typeof accounts)[number];
    for (const sent of sequence(streams, mix)) {
      const route = module.messages.find(({ typeUrl }) => typeUrl === sent.typeUrl);
      if (route === undefined) throw new Error(sent.typeUrl);
      const decoded = route.decode(sent.bytes);
      try {
        route.validate(decoded);
        const answer = atomically(ctx, (inner) => route.handle({ ...inner, signers: [] }, decoded));
        results.set(sent, JSON.stringify([...answer]));
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error;
        results.set(sent, `${error.codespace} ${error.code}`);
      }
    }
    clearing.limit(poor, 2000n);
    ctx.events.length = 0;
    keeper.endBlock(ctx);
    ends.push(JSON.stringify(ctx.events));
    const violation = venue.violation();
    assert(violation === null, `${violation}`);
    ctx.nextBlock(1);
  }
  return {
    results: one.blocks.flat(2).map((sent) => results.get(sent)),
    ends,
    state: stateOf(venue, 10),
    auctions: JSON.stringify(clearing.auctions, plain),
    accounts: accounts.map((id) => JSON.stringify(clearing.account(ctx, id), plain)),
    status: keeper.terms(ctx, 1)?.status,
  };
}

/** What the histories came to, so that a test can ask for enough of each. */
export interface Permuted {
  readonly fills: number;
  readonly refused: number;
  /** Slices of TWAPs. */
  readonly slices: number;
  readonly reasons: Readonly<Record<(typeof REASONS)[number], number>>;
  /** Parts that icebergs showed next, and orders that began to wait: of triggers and brackets. */
  readonly refills: number;
  readonly waiting: number;
}

/** Compares `histories` random ones. Throws AssertionError, with the number of the history, at a difference. */
export function comparePermutations(seed: number, histories: number): Permuted {
  let fills = 0;
  let refused = 0;
  let refills = 0;
  let waiting = 0;
  let slices = 0;
  const reasons = {
    margin: 0,
    self_trade: 0,
    reduce_only: 0,
    immediate: 0,
    oco: 0,
    open_interest_cap: 0,
  };
  for (let at = 0; at < histories; at++) {
    const own = seed * 1_000_003 + at;
    const one = plan(createRandom(own));
    const first = run(one, null);
    const second = run(one, createRandom(own + 1));
    for (const part of Object.keys(first) as (keyof typeof first)[]) {
      if (`${first[part]}` !== `${second[part]}`)
        throw new AssertionError(`history ${at}: another order of messages gives other ${part}`);
    }
    assert(first.status === "active", `history ${at}: the market is ${first.status}`);
    const events = first.ends.join("");
    fills += countOf(events, "auction_fill");
    refills += countOf(events, "order_refilled");
    waiting += countOf(events, "order_waiting");
    refused += first.results.filter((answer) => answer?.startsWith("[") !== true).length;
    slices += countOf(events, "twap_slice");
    for (const reason of REASONS) reasons[reason] += countOf(events, reason);
  }
  return { fills, refills, refused, reasons, slices, waiting };
}

function countOf(events: string, name: string): number {
  return events.split(`"${name}"`).length - 1;
}
