/**
 * One history of a market in rounds under two proposers: one brings what it gets at once, the other leaves out what it likes for the next block and puts
 * its block in any sequence. `compareProposers` throws when anything but the height of an event differs.
 */
import { assert } from "../../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createRandom, type Random } from "../random.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { parseOco } from "../waiting/pairs.ts";

/** Blocks of a history in which something is sent, so rounds. */
export const BLOCKS = 5;
const ACCOUNTS = 5;
/** Time of the first block. */
const GENESIS_MS = 1_700_000_000_000;
/** Until all that was left out or unnamed has had its round. */
const MORE_BLOCKS = 3;

interface Act {
  readonly account: number;
  /** An order without its name, two of a pair with a "|" between them, "cancel" or "all". */
  readonly text: string;
  readonly clientId: string;
  /** Validators held it before they voted on the block before. */
  readonly early: boolean;
  /** What the second proposer of its block does with it. */
  readonly leftOut: boolean;
  /** Where in the block. */
  readonly place: number;
  /** The round it is of, by when validators had it. */
  readonly round: number;
}

/** Some are good for a few blocks only, never less than until the block after the next: sooner ends are not named. Some wait for a trigger first. */
function orderText(random: Random, block: number): string {
  const side = random.below(2) === 0 ? "buy" : "sell";
  const price = 60_000 + (random.below(13) - 6) / 2;
  const force = ["", "", " ioc", " reduce"][random.below(4)] ?? "";
  const til = GENESIS_MS + (block + 2 + random.below(3)) * 1000 + 500;
  const end = force !== " ioc" && random.below(4) === 0 ? ` til=${til}` : "";
  const trigger = ["stop=59999.5", "stop=60000.5", "profit=60000.5", "trail=0.5", "trail=1"];
  const twaps = ["twap=2/1000", "twap=3/2000"];
  const conditions = [...trigger, ...twaps];
  const condition = random.below(3) === 0 ? ` ${conditions[random.below(conditions.length)]}` : "";
  const isTwap = condition.includes("twap");
  // A TWAP has at least a lot per slice.
  const size = (isTwap ? 3 : 1) + random.below(40);
  const parts =
    !isTwap && force !== " ioc" && size > 9 && random.below(4) === 0 ? " show=0.009" : "";
  const way = side === "buy" ? 1 : -1;
  const [profit, loss] = [way, -way].map((up) => 60_000 + up * ((1 + random.below(3)) / 2));
  const bracket = !isTwap && force !== " reduce" && random.below(4) === 0;
  const protection = bracket ? [` tp=${profit}`, ` sl=${loss}`, ` tp=${profit} sl=${loss}`] : [""];
  const attached = protection[random.below(protection.length)] ?? "";
  return `${side} ${size / 1000} @ ${price}${force}${end}${condition}${parts}${attached}`;
}

/** Two ways out of a position, or two orders that may make one. */
function pairText(random: Random, block: number): string {
  const [first, second] = [orderText(random, block), orderText(random, block)].map((text) =>
    text.replace(/ (ioc|twap=\S+|show=\S+|tp=\S+|sl=\S+)/g, ""),
  );
  const size = `${(1 + random.below(40)) / 1000}`;
  const side = random.below(2) === 0 ? (first ?? "").split(" ")[0] : "";
  const leg = (text = ""): string => {
    const [own, , ...rest] = text.split(" ");
    return [side || own, size, ...rest].join(" ");
  };
  return `${leg(first)}|${leg(second)}`;
}

/** No two orders share a name. A cancel names one of the account's of any block before, or of its own, or none. */
function history(random: Random): Act[][] {
  const names = new Map<number, string[]>();
  return Array.from({ length: BLOCKS }, (_, block) =>
    Array.from({ length: random.below(11) }, (_, n): Act => {
      const account = 1 + random.below(ACCOUNTS);
      const own = names.get(account) ?? [];
      names.set(account, own);
      const kind = random.below(8);
      const order = random.below(4) === 0 ? pairText(random, block) : orderText(random, block);
      const text = kind < 5 ? order : kind < 7 ? "cancel" : "all";
      const clientId = kind < 5 ? `b${block}n${n}` : (own[random.below(own.length + 1)] ?? "none");
      if (kind < 5) own.push(clientId);
      if (kind < 5 && text.includes("|")) own.push(`${clientId}p`);
      const early = random.below(2) === 0;
      return {
        account,
        text,
        clientId,
        early,
        leftOut: random.below(2) === 0,
        place: random.below(1000),
        round: early ? block + 1 : block + 2,
      };
    }),
  );
}

function perform(venue: TestVenue, act: Act): void {
  const { ctx, keeper } = venue;
  const account = venue.account(act.account);
  const { clientId, text } = act;
  if (text === "all") keeper.cancelAll(ctx, account, SYMBOL);
  else if (text === "cancel")
    keeper.cancel(ctx, account, { market: SYMBOL, orderId: 0n, clientId });
  else if (text.includes("|")) {
    const [first, second] = text.split("|");
    const legs = [`${first} id=${clientId}`, `${second} id=${clientId}p`].map(venue.order);
    keeper.placeOco(ctx, account, parseOco({ sender: "", owner: "", subaccount: 0, legs }));
  } else venue.place(account, `${text} id=${clientId}`);
}

function inRound(venue: TestVenue, round: number | undefined, act: Act): void {
  const { ctx } = venue;
  const plain = ctx.header;
  if (round !== undefined) ctx.header = { ...plain, round };
  perform(venue, act);
  ctx.header = plain;
}

interface Outcome {
  /** Events of the auctions and of orders that came, shrank and left. */
  readonly told: readonly string[];
  readonly book: string;
  readonly positions: readonly string[];
}

function play(all: readonly (readonly Act[])[], dishonest: boolean): Outcome {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
  const market = testMarket({ terms: { ...defaultTerms(), auction } });
  const venue = createTestVenue(market, 1_000_000_000n);
  const { ctx, keeper } = venue;
  const told: string[] = [];
  /** Left out of the block before, and late. */
  let brought: readonly Act[] = [];
  for (let block = 0; block < BLOCKS + MORE_BLOCKS; block++) {
    const height = block + 1;
    const fresh = all[block] ?? [];
    const left = fresh.filter(({ leftOut }) => dishonest && leftOut);
    const kept = fresh.filter((act) => !left.includes(act));
    const overdue = left.filter(({ early }) => early);
    const listed = [...brought, ...kept.filter(({ early }) => early)];
    // Nobody named the others: they are of the round after their block.
    const late = kept.filter(({ early }) => !early);
    if (dishonest) for (const acts of [listed, late]) acts.sort((a, b) => a.place - b.place);
    ctx.events.length = 0;
    for (const act of listed) inRound(venue, height, act);
    if (overdue.length === 0) keeper.endRound(ctx);
    for (const act of late) inRound(venue, undefined, act);
    // What the next block begins with.
    for (const act of overdue) inRound(venue, height, act);
    if (overdue.length > 0) keeper.endRound(ctx);
    keeper.endBlock(ctx);
    const fault = venue.violation();
    assert(fault === null, `height ${height}: ${fault}`);
    for (const { type, attributes } of ctx.events) {
      if (
        !/^auction_|^twap_slice|^order_(cancelled|reduced|placed|waiting|triggered|refilled)/.test(
          type,
        )
      )
        continue;
      told.push([type, ...attributes.map(({ key, value }) => `${key}=${value}`)].join(" "));
    }
    brought = left.filter(({ early }) => !early);
    // Prices move with every block: a round that is put off may not choose among them.
    venue.setPrice(60_000 + (block % 3) - 1);
    ctx.nextBlock(1);
    keeper.beginBlock(ctx);
  }
  const positions = Array.from({ length: ACCOUNTS }, (_, n) =>
    String(venue.clearing.positionLots(ctx, venue.account(n + 1), 1)),
  );
  return { told, book: venue.book(), positions };
}

export interface Compared {
  readonly fills: number;
  readonly cancels: number;
  readonly expired: number;
  readonly triggered: number;
  readonly refilled: number;
  /** Taken off an order, or all of it, with what its pair was filled or lost. */
  readonly paired: number;
  /** Slices of TWAPs. */
  readonly slices: number;
  /** Acts that the second proposer left out of a block. */
  readonly leftOut: number;
}

export function compareProposers(seed: number, histories: number): Compared {
  const random = createRandom(seed);
  let [fills, cancels, expired, triggered, leftOut] = [0, 0, 0, 0, 0];
  let [refilled, paired, slices] = [0, 0, 0];
  for (let n = 0; n < histories; n++) {
    const acts = history(random);
    const honest = play(acts, false);
    const dishonest = play(acts, true);
    const [a, b] = [honest, dishonest].map((outcome) => JSON.stringify(outcome, null, 1));
    assert(a === b, `seed ${seed}, history ${n}: ${JSON.stringify(acts)}\n${a}\n${b}`);
    const count = (matches: (line: string) => boolean): number =>
      honest.told.filter(matches).length;
    fills += count((line) => line.startsWith("auction_fill"));
    cancels += count((line) => line.endsWith("reason=user"));
    expired += count((line) => line.endsWith("reason=expired"));
    triggered += count((line) => line.startsWith("order_triggered"));
    refilled += count((line) => line.startsWith("order_refilled"));
    paired += count((line) => line.endsWith("reason=oco"));
    slices += count((line) => line.startsWith("twap_slice"));
    leftOut += acts.flat().filter((act) => act.leftOut).length;
  }
  return { fills, cancels, expired, triggered, refilled, paired, slices, leftOut };
}
