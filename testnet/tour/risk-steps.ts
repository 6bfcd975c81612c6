/** The clearing house at work: what protects the market, one portfolio, the funds and who pays, and a fall that is stopped, closes an account, and is explained. */
import { loosen } from "@keel/client/authority";
import { explain } from "@keel/client/explain";
import { guardMoves, guardRules, tighten, withdrawalLimits } from "@keel/client/guard";
import {
  giveInsuranceNotice,
  insuranceState,
  underwriteInsurance,
  underwriterState,
} from "@keel/client/insurance";
import { priceWatch } from "@keel/client/oracle";
import { requirement, setMarginMode } from "@keel/client/portfolio-margin";
import { methods } from "@keel/client/queries";
import { deleverageRanks, fundTargets, resilience } from "@keel/client/waterfall";
import { RestrictionLevel } from "@keel/proto/gen/keel/guard/v1/types";
import { PriceLevel } from "@keel/proto/gen/keel/oracle/v1/guard";
import { SETTLEMENT_DENOM } from "../network/local-market.ts";
import { blockResults } from "../network/rpc.ts";
import { fate } from "./order-steps.ts";
import type { Steps } from "./steps.ts";
import {
  AUCTION,
  FUTURE,
  INDEX,
  INDEX_FEED,
  PERPETUAL,
  START_PRICE,
  type TourNetwork,
} from "./tour-network.ts";

/** Sub-accounts of both that nothing else uses. */
const HEDGED = 40;
const LEVERAGED = 41;
const PRICE = `${START_PRICE}`;
const RISEN = "60150";
/** 6.9 % down: beyond the range of a minute, within that of ten. */
const FALLEN = 56_000;
const WAIT_MS = 30_000;

type Work = () => Promise<string>;

/** At the price that the steps before have left. */
export async function riskSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  await guardSteps(tour, steps);
  await fundSteps(tour, steps);
  await fallSteps(tour, steps);
}

async function guardSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, authority, chain, guardian, soon } = tour;
  const step = (what: string, expected: string, work: Work) =>
    steps.step("guard", what, expected, work);
  await step("rules of the market", "3 ranges, a cap, a raise", async () => {
    const [view] = await guardRules(chain, PERPETUAL);
    const { ranges = [], openInterest, margin } = view?.rules ?? {};
    const parts = [openInterest && "a cap", margin && "a raise"].filter(Boolean);
    return [`${ranges.length} ranges`, ...parts].join(", ");
  });
  await step("what may leave the vault", "2 windows, open", async () => {
    const { limits, closedUntilMs } = await withdrawalLimits(chain, SETTLEMENT_DENOM);
    return `${limits.length} windows, ${closedUntilMs === 0n ? "open" : "closed"}`;
  });
  await step("how far the price may be relied on", "fresh, closes accounts", async () => {
    const { level, liquidates } = await priceWatch(chain, INDEX);
    const fresh = level === PriceLevel.PRICE_LEVEL_FRESH ? "fresh" : `level ${level}`;
    return `${fresh}, ${liquidates ? "closes accounts" : "closes nobody"}`;
  });
  await step("margin follows volatility", "within its ceiling", async () => {
    const { feeds } = await chain.ask(methods.dynamicMargin, { feedId: INDEX_FEED });
    const { terms, state } = feeds[0] ?? {};
    const bounded =
      terms !== undefined && state !== undefined && state.initialPpm <= terms.multiplierMaxPpm;
    return bounded ? "within its ceiling" : "beyond it";
  });
  await step("the emergency key closes a market to new risk", "refused: CLOSE_ONLY", async () => {
    const untilMs = Number(await soon(1_800));
    const level = RestrictionLevel.RESTRICTION_LEVEL_CLOSE_ONLY;
    await tighten(guardian, { market: AUCTION, level, untilMs, reason: "a drill" });
    const order = { market: AUCTION, side: "buy", price: PRICE, size: "0.1" } as const;
    return fate(await alice.place({ ...order, clientId: "drill" }));
  });
  await step("which the authority takes back", "1 ended", async () => {
    const { ended } = await loosen(authority, { market: AUCTION });
    return `${ended} ended`;
  });
}

/** While the future lasts, at the price of the beginning. */
export async function portfolioSteps(
  { alice, bob, chain }: TourNetwork,
  steps: Steps,
): Promise<void> {
  const step = (what: string, expected: string, work: Work) =>
    steps.step("portfolio", what, expected, work);
  await Promise.all([alice, bob].map((client) => client.deposit("20000", { subaccount: HEDGED })));
  const hedge = { size: "0.2", price: PRICE, subaccount: HEDGED } as const;
  for (const [market, side, other] of [
    [PERPETUAL, "buy", "sell"],
    [FUTURE, "sell", "buy"],
  ] as const) {
    await step(`${market}, ${side}`, "filled, filled 0.2", async () => {
      await bob.place({ ...hedge, market, side: other, postOnly: true });
      return fate(await alice.place({ ...hedge, market, side, timeInForce: "ioc" }));
    });
  }
  await step("judged as one, the hedge needs less than half", "keel-s35, less", async () => {
    const before = await alice.account(HEDGED);
    await setMarginMode(alice, { portfolio: true, subaccount: HEDGED });
    const after = await alice.account(HEDGED);
    const { model } = await requirement(chain, alice.address, HEDGED);
    const less = after.initialRequirement * 2n < before.initialRequirement;
    return `${model}, ${less ? "less" : `${before.initialRequirement}, ${after.initialRequirement}`}`;
  });
  await step("a second one of the same owner", "refused: SECOND_PORTFOLIO", async () => {
    await setMarginMode(alice, { portfolio: true });
    return "accepted";
  });
}

async function fundSteps({ alice, chain, until }: TourNetwork, steps: Steps): Promise<void> {
  const step = (what: string, expected: string, work: Work) =>
    steps.step("funds", what, expected, work);
  let worth = 0n;
  let before = 0n;
  await step("funds and what they should hold", "btc and shared, half each", async () => {
    const { funds } = await fundTargets(chain);
    const classes = funds.map(({ riskClass }) => riskClass || "shared").sort();
    const btc = await insuranceState(chain, undefined, "btc");
    const shared = await insuranceState(chain);
    const half = btc.fund.funded === shared.fund.funded;
    return `${classes.join(" and ")}${half ? ", half each" : ""}`;
  });
  await step("a share of the insurance fund", "worth what it cost", async () => {
    const { shares } = await underwriteInsurance(alice, "1000");
    worth = (await underwriterState(chain, alice.address)).value;
    before = await alice.balance();
    await giveInsuranceNotice(alice, shares);
    // Less than a unit of a millionth is lost to rounding.
    return worth > 999_999_998n ? "worth what it cost" : `worth ${worth}`;
  });
  await step("given notice, it leaves by itself", "paid, nothing left", async () => {
    const paid = async (): Promise<bigint> => (await alice.balance()) - before;
    await until("the end of a notice", async () => (await paid()) !== 0n, WAIT_MS);
    const got = await paid();
    return got === worth ? "paid, nothing left" : `paid ${got} for ${worth}`;
  });
  await step("the move that would exhaust them", "btc, both ways", async () => {
    const { curve, riskClass } = await resilience(chain, INDEX_FEED);
    const [low, high] = [curve[0], curve.at(-1)];
    const both = low !== undefined && high !== undefined && low.movePpm < 0n && high.movePpm > 0n;
    return `${riskClass}, ${both ? "both ways" : "one way"}`;
  });
  await step("how near deleveraging is", "ranked", async () => {
    const [rank] = await deleverageRanks(chain, alice.address, { subaccount: HEDGED });
    const { accounts = 0, rank: place = 0 } = rank ?? {};
    return place >= 1 && place <= accounts ? "ranked" : `${place} of ${accounts}`;
  });
}

async function fallSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, bob, chain, moveTo, until } = tour;
  const step = (what: string, expected: string, work: Work) =>
    steps.step("fall", what, expected, work);
  const order = { market: PERPETUAL, subaccount: LEVERAGED } as const;
  const size = "0.5";
  await Promise.all([
    alice.deposit("2400", { subaccount: LEVERAGED }),
    bob.deposit("100000", { subaccount: LEVERAGED }),
  ]);
  await step("long at twelve times its collateral", "filled, filled 0.5", async () => {
    await bob.place({ ...order, side: "sell", price: RISEN, size, postOnly: true });
    const bought = { ...order, side: "buy", price: RISEN, size, timeInForce: "ioc" } as const;
    return fate(await alice.place(bought));
  });
  const fromHeight = await chain.height();
  await step(`the price falls to ${FALLEN}: the market stops`, "price_range: auction", async () => {
    await moveTo(FALLEN);
    // The controllers move on, too.
    const moves = await guardMoves(chain, { market: PERPETUAL, limit: 50 });
    const stop = moves.find(({ what }) => what === "price_range");
    return `${stop?.what}: ${stop?.after.split(" ")[0]}`;
  });
  await bob.place({ ...order, side: "buy", price: `${FALLEN - 50}`, size, clientId: "bid" });
  await step("and opens by itself", "opened", async () => {
    const opened = async (): Promise<boolean> => (await chain.auction(PERPETUAL)).openingMs === 0n;
    await until("the opening", opened, WAIT_MS);
    return "opened";
  });
  let height = fromHeight;
  await step("the account is closed to its target", "liquidated", async () => {
    const found = async (): Promise<boolean> => {
      for (const last = await chain.height(); height <= last; height++) {
        const { events } = await blockResults(chain.endpoints.current, height);
        if (events.some(({ type }) => type === "liquidation")) return true;
      }
      return false;
    };
    await until("a liquidation", found, WAIT_MS);
    return "liquidated";
  });
  await step("which the node explains", "its account, with rule and figures", async () => {
    const event = (await explain(chain, height)).find(({ type }) => type === "liquidation");
    const { rule = "", inputs = [], results = [] } = event?.explanation ?? {};
    const whole = rule !== "" && inputs.length > 0 && results.length > 0;
    const own = event?.attributes["account"] === `${alice.address}/${LEVERAGED}`;
    return `${own ? "its account" : "another"}, ${whole ? "with rule and figures" : "without reason"}`;
  });
}
