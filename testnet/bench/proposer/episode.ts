/**
 * One episode: makers quote around the mark; the mark jumps; makers cancel and quote anew, takers buy or sell with a limit, an arbitrageur takes
 * what is mispriced; one more block of quotes follows. The proposer of the middle block may order, add and hold back what it likes within the rules.
 */
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import {
  earned,
  hasRounds,
  isAuction,
  type Order,
  type Pending,
  ROLES,
  type Stage,
  type VoteSplit,
} from "./stage.ts";

export const strategies = [
  "snipe",
  "sandwich",
  "hold back cancels",
  "hold back cancels, alone",
  "hold back takers",
  "hold back makers",
  "straddle",
  "choose votes",
] as const;
export type Strategy = (typeof strategies)[number];

/** `power`: the proposer places its orders and the others' as suits it. `none`: it sends the same orders, and somebody honest makes the block. */
export type Standing = "power" | "none";

interface Scene {
  readonly before: number;
  readonly mark: number;
  readonly takers: readonly Order[];
  /** Maker's distances from mark, ticks, and lots of each level, by maker. */
  readonly levels: readonly (readonly { readonly distance: number; readonly lots: number }[])[];
}

const PPM = 1_000_000;
/** What an immediate order pays at the default terms, and what a resting one does. */
const CONTINUOUS_PPM = { taker: 500, maker: 100 } as const;
const AUCTION_PPM = { taker: 300, maker: 300 } as const;

function feePpm(stage: Stage): { readonly taker: number; readonly maker: number } {
  return isAuction(stage.rules) ? AUCTION_PPM : CONTINUOUS_PPM;
}

function ticksAway(mark: number, ppm: number): number {
  return Math.round((mark * ppm) / PPM);
}

function scene(random: Random): Scene {
  const before = 640_000 + random.below(20_001);
  const jump = ticksAway(before, random.below(6001) - 3000);
  const mark = before + jump;
  const takers = ROLES.takers.map((): Order => {
    const side = random.below(2) === 0 ? "buy" : "sell";
    const slippage = ticksAway(mark, 2000 + random.below(4001));
    const ticks = side === "buy" ? mark + slippage : mark - slippage;
    return { side, ticks, lots: 10 + random.below(51), kind: "immediate" };
  });
  const levels = ROLES.makers.map(() => {
    let distance = 400 + random.below(300);
    return [0, 1, 2, 3].map(() => {
      const level = { distance: ticksAway(mark, distance), lots: 5 + random.below(16) };
      distance += 200 + random.below(1500);
      return level;
    });
  });
  return { before, mark, takers, levels };
}

function quoting(stage: Stage, { levels }: Scene, mark: number): Pending[] {
  return ROLES.makers.map((account, at) =>
    stage.quotes(
      account,
      (levels[at] ?? []).flatMap(({ distance, lots }): Order[] => [
        { side: "buy", ticks: mark - distance, lots, kind: "quote" },
        { side: "sell", ticks: mark + distance, lots, kind: "quote" },
      ]),
    ),
  );
}

/** As makers answer news: a cancel of everything and new quotes, or both in one message. */
function requoting(
  stage: Stage,
  set: Scene,
): { readonly cancels: readonly Pending[]; readonly quotes: readonly Pending[] } {
  const cancels = stage.replaces ? [] : ROLES.makers.map((account) => stage.cancelAll(account));
  return { cancels, quotes: quoting(stage, set, set.mark) };
}

/** Takes all that is mispriced by more than its fee. */
function sweep(stage: Stage, account: number, mark: number): Pending[] {
  const fee = ticksAway(mark, feePpm(stage).taker);
  return [
    stage.place(account, { side: "buy", ticks: mark - fee, lots: 100, kind: "immediate" }),
    stage.place(account, { side: "sell", ticks: mark + fee, lots: 100, kind: "immediate" }),
  ];
}

/** As `sweep`, but at the stale prices themselves, where no price above them has to be paid if nobody competes. */
function sweepStale(stage: Stage, account: number, { before, mark, levels }: Scene): Pending[] {
  const fee = ticksAway(mark, feePpm(stage).taker);
  const distances = levels.flat().map(({ distance }) => distance);
  const side = mark > before ? "buy" : "sell";
  const toward = side === "buy" ? 1 : -1;
  // Every level that is still worth its fee; the best of them sets the auction's price when there is nobody else.
  const worth = distances.filter((distance) => (mark - before) * toward - distance > fee);
  if (worth.length === 0) return [];
  const ticks = before + toward * Math.max(...worth);
  return [stage.place(account, { side, ticks, lots: 200, kind: "immediate" })];
}

interface Attack {
  /** In a block before, which nobody knew of in time. */
  readonly ahead?: readonly Pending[];
  readonly first: readonly Pending[];
  /** Of `first`: what some validators had when they voted. */
  readonly split?: VoteSplit;
  /** In the next block. */
  readonly later: readonly Pending[];
}

/**
 * Buys the cheapest levels that a buyer is about to buy and offers them to it one tick below the next level, or at its limit: as many levels as pays
 * best after fees, none when none pays. The other way round for a seller.
 */
function sandwich(stage: Stage, { levels, mark }: Scene, victim: Order, split: boolean): Attack {
  const [taking, giving] = ROLES.proposer;
  const inside = victim.side === "buy" ? -1 : 1;
  const reach = Math.abs(victim.ticks - mark);
  const ladder = levels.flat().sort((a, b) => a.distance - b.distance);
  const fees = ticksAway(mark, feePpm(stage).taker + feePpm(stage).maker);
  let best = { gain: 0, lots: 0, front: 0, offer: 0 };
  let lots = 0;
  let cost = 0;
  for (const [at, level] of ladder.entries()) {
    if (level.distance >= reach) break;
    lots += level.lots;
    cost += level.lots * level.distance;
    const offer = Math.min(reach, (ladder[at + 1]?.distance ?? reach) - 1);
    const sold = Math.min(lots, victim.lots);
    const gain = sold * offer - cost - fees * lots;
    if (gain > best.gain) best = { gain, lots, front: level.distance, offer };
  }
  if (best.lots === 0) return { first: [], later: [] };
  const back = victim.side === "buy" ? "sell" : "buy";
  const front = stage.place(taking, {
    side: victim.side,
    ticks: mark - inside * best.front,
    lots: best.lots,
    kind: "immediate",
  });
  const offer = stage.place(giving, {
    side: back,
    ticks: mark - inside * best.offer,
    lots: best.lots,
    kind: "rests",
  });
  return split ? { first: [front], later: [offer] } : { first: [front, offer], later: [] };
}

/** Offers each taker all it wants at its own limit: worth it when nobody else quotes. */
function serve(stage: Stage, { takers }: Scene): Pending[] {
  return takers.map(({ side, ticks, lots }) =>
    stage.place(ROLES.proposer[1], {
      side: side === "buy" ? "sell" : "buy",
      ticks,
      lots,
      kind: "rests",
    }),
  );
}

/** Buys and sells by two accounts, up to a distance from the mark that nobody expects to move. */
function bothWays(
  stage: Stage,
  { before }: Scene,
  { distance, lots }: { readonly distance: number; readonly lots: number },
): readonly [Pending, Pending] {
  const [buyer, seller] = ROLES.proposer;
  const kind = "immediate";
  return [
    stage.place(buyer, { side: "buy", ticks: before + distance, lots, kind }),
    stage.place(seller, { side: "sell", ticks: before - distance, lots, kind }),
  ];
}

/** Ordered both ways a block ahead, deep into the book; when the news is there, the wrong one of the two is to be cancelled. */
function straddle(stage: Stage, set: Scene): Attack {
  const both = bothWays(stage, set, { distance: ticksAway(set.before, 3000), lots: 100 });
  const wrong = both[set.mark > set.before ? 1 : 0];
  return { ahead: both, first: [stage.cancelAll(wrong.account)], later: [] };
}

/**
 * Ordered both ways, each sent to less than half of the validators just before they vote; when the news is there, the votes are chosen that list the one
 * worth its fee, or none, and what is not listed is cancelled.
 */
function chooseVotes(stage: Stage, set: Scene): Attack {
  const { before, mark } = set;
  const distance = ticksAway(before, 1000);
  const both = bothWays(stage, set, { distance, lots: 40 });
  const worth = Math.abs(mark - before) > distance + ticksAway(mark, feePpm(stage).taker);
  const listed = worth ? [both[mark > before ? 0 : 1]] : [];
  const cancels = both.filter((one) => !listed.includes(one)).map((one) => stage.cancel(one));
  return { first: [...both, ...cancels], split: { sent: both, listed }, later: [] };
}

/** Neighbouring seeds start alike, so the first draws are not used. */
function seeded(seed: number): Random {
  const random = createRandom(seed * 1_000_003);
  for (let i = 0; i < 10; i++) random.below(2);
  return random;
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** Plays one episode on its own seed; answers what the proposer earned, in quanta. */
export async function play(
  stage: Stage,
  seed: number,
  strategy: Strategy | null,
  standing: Standing,
): Promise<bigint> {
  const random = seeded(seed);
  const set = scene(random);
  const { before, mark } = set;
  const late = stage.rules === "rounds late";
  const everyone = [...ROLES.proposer, ...ROLES.makers, ...ROLES.takers];
  await stage.block(
    everyone.map((account) => stage.cancelAll(account)),
    before,
  );
  await stage.block(quoting(stage, set, before), before);

  const { cancels, quotes } = requoting(stage, set);
  const takes = ROLES.takers
    .map((account, at) => ({ account, order: set.takers[at] as Order }))
    .sort((a, b) => b.order.lots - a.order.lots)
    .map(({ account, order }) => stage.place(account, order));
  const alone = strategy === "hold back cancels, alone";
  const arbitrage = alone ? [] : sweep(stage, ROLES.arbitrageur, mark);
  const power = standing === "power";
  const attack = attackOf(stage, set, strategy);
  const start = await stage.holding();
  if (attack.ahead !== undefined) await stage.block(attack.ahead, before, { late: true });

  const leftOut = power ? heldBack(strategy, { cancels, quotes, takes, arbitrage }) : [];
  const kept = (all: readonly Pending[]) => all.filter((one) => !leftOut.includes(one));
  const [makers, takers, others] = [[...cancels, ...quotes], takes, arbitrage].map(kept) as [
    Pending[],
    Pending[],
    Pending[],
  ];
  // An honest block has all in the sequence in which their senders happened to hurry.
  let middle = shuffle([...attack.first, ...makers, ...others, ...takers], random);
  if (power && (strategy === "sandwich" || strategy === "hold back takers"))
    middle = [...makers, ...attack.first, ...takers, ...others];
  else if (power) middle = [...attack.first, ...makers, ...others, ...takers];
  const split = power ? attack.split : undefined;
  await stage.block(middle, mark, { leftOut, late, split });

  // The next block is made by somebody honest, and makers quote as they do in every block: what they sent for the one before is out of date, but where it
  // has a round. What names the quotes it replaces comes first.
  const anew = requoting(stage, set);
  const outdated = (one: Pending) =>
    !hasRounds(stage.rules) && (cancels.includes(one) || quotes.includes(one));
  const held = leftOut.filter((one) => !outdated(one));
  const replaced = stage.replaces ? leftOut.filter((one) => quotes.includes(one)) : [];
  await stage.block(
    [...replaced, ...anew.cancels, ...anew.quotes, ...shuffle([...attack.later, ...held], random)],
    mark,
    { late },
  );
  // For rounds that are still to come.
  for (let more = 0; more < 2; more++) await stage.block([], mark);
  return earned(start, await stage.holding(), mark - before);
}

function attackOf(stage: Stage, set: Scene, strategy: Strategy | null): Attack {
  const victim = [...set.takers].sort((a, b) => b.lots - a.lots)[0] as Order;
  switch (strategy) {
    case null:
      return { first: [], later: [] };
    case "sandwich":
      return sandwich(stage, set, victim, false);
    case "hold back takers":
      return sandwich(stage, set, victim, true);
    case "hold back makers":
      return { first: serve(stage, set), later: [] };
    case "hold back cancels, alone":
      return { first: sweepStale(stage, ROLES.proposer[0], set), later: [] };
    case "straddle":
      return straddle(stage, set);
    case "choose votes":
      return chooseVotes(stage, set);
    default:
      return { first: sweep(stage, ROLES.proposer[0], set.mark), later: [] };
  }
}

/** Of the others' transactions those that a dishonest block does without. */
function heldBack(
  strategy: Strategy | null,
  sent: Readonly<Record<"cancels" | "quotes" | "takes" | "arbitrage", readonly Pending[]>>,
): readonly Pending[] {
  switch (strategy) {
    case "hold back cancels":
    case "hold back cancels, alone":
    case "straddle":
      return [...sent.cancels, ...sent.quotes];
    case "hold back takers":
      return sent.takes;
    case "hold back makers":
      return [...sent.quotes, ...sent.arbitrage];
    default:
      return [];
  }
}
