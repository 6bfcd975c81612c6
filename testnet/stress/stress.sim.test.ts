import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultParams } from "@keel/modules/margin/params";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import { messageToJson } from "@keel/node/app/genesis";
import { Params } from "@keel/proto/gen/keel/margin/v1/types";
import { FeedGuard } from "@keel/proto/gen/keel/oracle/v1/guard";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openingOf, populate } from "./agents/population.ts";
import { listings } from "./chain/markets.ts";
import { tryProposal } from "./chain/proposal.ts";
import { keelInitial, runOnChain } from "./chain/run.ts";
import { dynamicOfAll, VARIANTS } from "./chain/variants.ts";
import { GENESIS_MS, openWorld } from "./chain/world.ts";
import type { Plan } from "./plan.ts";
import { generate } from "./tape/generators.ts";
import type { Tape } from "./tape/tape.ts";

const SEED = 3;

/** Some minutes of a tape. */
function part(tape: Tape, from: number, to: number): Tape {
  const steps = tape.steps.filter(({ atMs }) => atMs >= from * 60_000 && atMs < to * 60_000);
  return { ...tape, steps: steps.map((step) => ({ ...step, atMs: step.atMs - from * 60_000 })) };
}

const options = { accounts: 120, seed: SEED, blockMs: 20_000, scanEvery: 1, fund: 20_000 };
const VAULT = 100_000;
const variant = { vault: VAULT, dynamic: dynamicOfAll() };
const recommended = VARIANTS["keel"]?.of(VAULT) ?? variant;

describe("a crash on the real modules", () => {
  it.each([
    ["without ladder and guard", variant],
    ["as recommended", recommended],
  ])(
    "keeps every invariant, sums to zero in every block and loss, and says who paid (%s)",
    async (_name, rules) => {
      const tape = part(generate("flash-crash", 3, SEED), 12, 18);
      const first = await runOnChain({ ...options, tape, variant: rules });
      expect(first.broken).toBeNull();
      expect(first.quarantined).toEqual([]);
      expect(first.contained).toEqual([]);
      expect(first.accountsLiquidated).toBeGreaterThan(10);
      expect(first.badDebt).toBeGreaterThan(0);
      expect(first.losses).toBeGreaterThan(0);
      const borne = first.paidByFund + first.paidByDeleveraging + first.unpaid;
      expect(borne).toBeCloseTo(first.badDebt, 3);
      expect(first.manipulatorShift).toBeLessThan(0.0001);
      expect(first.gainedInOneBlock).toBeLessThanOrEqual(0);
      const isRecommended = rules === recommended;
      expect(first.throttled > 0).toBe(isRecommended);
      expect(first.rangesLeft > 0).toBe(isRecommended);
      expect(first.blocksHalted > 0).toBe(isRecommended);
      const again = await runOnChain({ ...options, tape, variant: rules });
      expect(again).toEqual(first);
    },
  );

  it("sells to bidders what the book leaves", async () => {
    const tape = part(generate("grind", 3, SEED), 4, 20);
    const rules = { ...recommended, brakes: undefined };
    const outcome = await runOnChain({ ...options, tape, variant: rules });
    expect(outcome.broken).toBeNull();
    expect(outcome.auctionedNotional).toBeGreaterThan(0);
  });

  it("survives a halt in which all positions gap, and a feed that stands still", async () => {
    for (const name of ["gap", "oracle-lag"] as const) {
      const tape = part(generate(name, 2, SEED), 3, 17);
      const outcome = await runOnChain({ ...options, tape, variant: recommended });
      expect([name, outcome.broken]).toEqual([name, null]);
      expect(outcome.outages).toBe(name === "gap" ? 1 : 0);
    }
  });
});

describe("a proposal on an exported chain", () => {
  let directory = "";
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "keel-proposal-"));
    const agents = populate(60, SEED);
    const opening = openingOf(agents, keelInitial);
    const listed = listings(GENESIS_MS);
    const world = await openWorld({ agents, opening, listings: listed, fund: 50_000, variant });
    const document = {
      ...{ genesis_time: new Date(GENESIS_MS).toISOString(), initial_height: "3" },
      app_state: JSON.parse(JSON.stringify(world.chain.app.exportGenesis())),
    };
    writeFileSync(join(directory, "state.json"), JSON.stringify(document));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const plan: Plan = {
    ...{ seed: SEED, seeds: 1, accounts: 60, sizes: [3], generators: ["flash-crash"], prices: [] },
    ...{
      rules: [],
      alternatives: false,
      chain: false,
      variants: [],
      variantAccounts: 60,
      model: false,
    },
    ...{ blockMs: 60_000, scanEvery: 4, fund: 0, vault: 0 },
  };

  function proposal(change: Partial<Params>): string {
    const file = join(directory, "proposal.json");
    const params = messageToJson(
      "keel.margin.v1.Params",
      Params.encode({ ...defaultParams("uusdc"), ...change }).finish(),
    );
    const message = { "@type": "/keel.margin.v1.MsgUpdateParams", authority: "gov", params };
    writeFileSync(file, JSON.stringify({ messages: [message] }));
    return file;
  }

  it("shows every tape before and after", async () => {
    const state = join(directory, "state.json");
    const file = proposal({ liquidationTargetPpm: 5_000_000n });
    const [result] = await tryProposal(plan, { state, proposal: file }, () => undefined);
    expect(result?.broken).toEqual([]);
    const [before, after] = [result?.rules["as it is"], result?.rules["with the proposal"]];
    expect(before?.accountsLiquidated).toBeGreaterThan(0);
    expect(after?.liquidatedNotional).not.toBe(before?.liquidatedNotional);
  });

  it("plays the tape on a chain whose feeds are guarded, too: nobody in the copy lies", async () => {
    const document = JSON.parse(readFileSync(join(directory, "state.json"), "utf8"));
    const guard = messageToJson(
      "keel.oracle.v1.FeedGuard",
      FeedGuard.encode(defaultGuard()).finish(),
    );
    for (const feed of document.app_state.oracle.feeds) feed.guard = guard;
    const state = join(directory, "guarded.json");
    writeFileSync(state, JSON.stringify(document));
    const file = proposal({ liquidationTargetPpm: 5_000_000n });
    const [result] = await tryProposal(plan, { state, proposal: file }, () => undefined);
    expect(result?.broken).toEqual([]);
    expect(result?.rules["as it is"]?.accountsLiquidated).toBeGreaterThan(0);
  });

  it("reports the words with which the chain refuses one", async () => {
    const state = join(directory, "state.json");
    const file = proposal({ liquidationsPerBlockMax: 0 });
    const [result] = await tryProposal(plan, { state, proposal: file }, () => undefined);
    expect(result?.broken[0]).toContain("expected 1 to 1000 liquidations per block, got 0");
  });
});
