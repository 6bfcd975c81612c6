import type { MessageRoute, ModuleDefinition } from "@keel/modules/kit/module";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import type { Keel } from "./app.ts";
import { executorBench } from "./testing/executor-bench.ts";
import { depositMessage } from "./testing/market-load.ts";

const module = (parts: Partial<ModuleDefinition>): ModuleDefinition => ({
  name: "stray",
  version: 1,
  messages: [],
  queries: [],
  genesis: { kind: "json", init: () => undefined, export: () => null },
  invariants: { running: {}, full: {} },
  ...parts,
});

/** The handler of deposits replaced by one that fails in its own way. */
const failing = (error: () => Error) => (keel: Keel) => {
  const typeUrl = "/keel.margin.v1.MsgDeposit";
  const route = keel.messages.get(typeUrl) as MessageRoute;
  const broken: MessageRoute = {
    ...route,
    handle(ctx, message) {
      route.handle(ctx, message);
      throw error();
    },
  };
  return { messages: new Map([...keel.messages, [typeUrl, broken]]) };
};

describe("a fault", () => {
  it("in a message reverts it and costs its whole gas limit; the block goes on", () => {
    const { chain, run, faults, keel, context } = executorBench(
      failing(() => new TypeError("a bug")),
    );
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const { txResults } = run([
      alice.sign([depositMessage(alice, "1000")], { gas: 300_000 }),
      bob.send(alice, "1uusdc"),
    ]);
    expect(
      txResults.map(({ codespace, code, gasUsed }) => [codespace, code, gasUsed === 300_000n]),
    ).toEqual([
      ["undefined", 111_222, true],
      ["", 0, false],
    ]);
    expect(txResults[0]?.log).toBe("internal error");
    expect(faults).toEqual(["message /keel.margin.v1.MsgDeposit: a bug"]);
    expect(keel.bank.balance(context(), COLLATERAL_VAULT, "uusdc")).toBe(0n);
    expect(keel.auth.account(context(), alice.bytes)?.sequence).toBe(1n);
  });

  it("of the machine is not contained", () => {
    const { chain, run } = executorBench(failing(() => new RangeError("out of memory")));
    const alice = chain.account(0);
    expect(() => run([alice.sign([depositMessage(alice, "1000")])])).toThrow(RangeError);
  });

  it("in a hook reverts the hook and stops clearing, and says so", () => {
    const stray = (keel: Keel): ModuleDefinition =>
      module({
        endBlock(ctx) {
          keel.bank.mint(ctx, new Uint8Array(20).fill(3), { denom: "ukeel", amount: 5n });
          throw new TypeError("hook bug");
        },
      });
    const { run, faults, keel, context } = executorBench((real) => ({ endBlock: [stray(real)] }));
    run([]);
    expect(faults).toEqual(["endBlock stray: hook bug"]);
    expect(keel.bank.balance(context(), new Uint8Array(20).fill(3), "ukeel")).toBe(0n);
    expect(keel.derivatives.terms(context(), 1)?.market.status).toBe(
      MarketStatus.MARKET_STATUS_QUARANTINED,
    );
  });

  it("in a hook before the transactions stops clearing before they run", () => {
    const stray = module({
      beginBlock(ctx) {
        if (ctx.header.height === 1) throw new TypeError("hook bug");
      },
    });
    let statusInBlock: number | undefined;
    const { chain, run, faults } = executorBench((real) => {
      const typeUrl = "/keel.margin.v1.MsgDeposit";
      const route = real.messages.get(typeUrl) as MessageRoute;
      const watching: MessageRoute = {
        ...route,
        handle(ctx, message) {
          statusInBlock = real.derivatives.terms(ctx, 1)?.market.status;
          return route.handle(ctx, message);
        },
      };
      return {
        beginBlock: [stray, ...real.beginBlock],
        messages: new Map([...real.messages, [typeUrl, watching]]),
      };
    });
    const alice = chain.account(0);
    const { events, txResults } = run([alice.sign([depositMessage(alice, "1000")])]);
    expect(txResults[0]?.log).toBe("");
    expect(faults).toEqual(["beginBlock stray: hook bug"]);
    expect(statusInBlock).toBe(MarketStatus.MARKET_STATUS_QUARANTINED);
    const stopped = events.filter(({ type }) => type === "market_quarantined");
    expect(stopped.length).toBeGreaterThan(0);
  });

  it("that breaks an invariant at the end of a block is undone, and clearing stops", () => {
    const thief = (keel: Keel): ModuleDefinition =>
      module({
        endBlock(ctx) {
          keel.bank.transfer(ctx, COLLATERAL_VAULT, new Uint8Array(20).fill(3), "uusdc", 1n);
        },
      });
    const { chain, run, faults, keel, context } = executorBench((real) => ({
      endBlock: [...real.endBlock, thief(real)],
    }));
    const alice = chain.account(0);
    const { events, txResults } = run([alice.sign([depositMessage(alice, "1000")])]);
    expect(txResults[0]?.log).toBe("");
    expect(faults[0]).toMatch(/^invariant margin\/vault-backed: /);
    expect(events.map(({ type }) => type)).toContain("invariant_broken");
    expect(keel.bank.balance(context(), COLLATERAL_VAULT, "uusdc")).toBe(1000n);
    expect(keel.derivatives.terms(context(), 1)?.market.status).toBe(
      MarketStatus.MARKET_STATUS_QUARANTINED,
    );
  });
});

describe("a block hook", () => {
  it("may say more than a call has room for arguments", () => {
    const loud = module({
      endBlock(ctx) {
        for (let i = 0; i < 300_000; i++) ctx.emit("order_cancelled", { id: String(i) });
      },
    });
    const { run, faults } = executorBench(() => ({ endBlock: [loud] }));
    const { events } = run([]);
    expect(events.filter(({ type }) => type === "order_cancelled")).toHaveLength(300_000);
    expect(faults).toEqual([]);
  });
});

describe("the composition", () => {
  it("lists every module with a hook exactly once in that hook's order", () => {
    const { keel } = executorBench(() => ({}));
    for (const hook of ["beginBlock", "endBlock"] as const) {
      const having = keel.genesis.filter((one) => one[hook] !== undefined);
      expect(new Set(keel[hook])).toEqual(new Set(having));
      expect(keel[hook]).toHaveLength(having.length);
    }
  });

  it("has every store it declares, and no other", async () => {
    const { keel } = executorBench(() => ({}));
    const { storeNames } = await import("./app.ts");
    const used = new Set(keel.registry.collections.map(({ store }) => store));
    expect([...used].sort()).toEqual([...storeNames]);
  });
});
