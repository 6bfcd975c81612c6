import { describe, expect, test } from "vitest";
import type { ReadContext } from "./context.ts";
import { limitedGas } from "./gas.ts";
import { remembered } from "./remembered.ts";
import { Branch } from "./store.ts";

const PRICES = 0;
const NAMES = 1;
const UNRELATED = 2;

function context(state: Branch, at: { height?: number; timeNs?: bigint } = {}): ReadContext {
  const header = { chainId: "c", height: at.height ?? 1, timeNs: at.timeNs ?? 1n, proposer: "" };
  return { header, state, gas: limitedGas(0n) };
}

function counted() {
  let computed = 0;
  const ask = remembered((ctx: ReadContext, key: string) => {
    computed++;
    const name = ctx.state.get(NAMES, key) as string | undefined;
    const price = name === undefined ? undefined : ctx.state.get(PRICES, name);
    return `${String(price)} at ${ctx.header.timeNs}`;
  });
  return { ask, computed: () => computed };
}

function filled(): Branch {
  const state = Branch.empty(3);
  state.set(NAMES, "a", "x");
  state.set(PRICES, "x", 1);
  return state;
}

describe("what is remembered", () => {
  test("is computed once while nothing it read changes", () => {
    const { ask, computed } = counted();
    const state = filled();
    expect(ask(context(state), "a")).toBe("1 at 1");
    state.set(UNRELATED, "z", 1);
    expect(ask(context(state), "a")).toBe("1 at 1");
    expect(computed()).toBe(1);
  });

  test("follows writes, deletions and what is undone", () => {
    const { ask } = counted();
    const state = filled();
    ask(context(state), "a");
    const before = state.savepoint();
    state.set(PRICES, "x", 2);
    expect(ask(context(state), "a")).toBe("2 at 1");
    state.revert(before);
    expect(ask(context(state), "a")).toBe("1 at 1");
    state.delete(PRICES, "x");
    expect(ask(context(state), "a")).toBe("undefined at 1");
  });

  test("notices what was absent when it was read", () => {
    const { ask } = counted();
    const state = Branch.empty(3);
    expect(ask(context(state), "a")).toBe("undefined at 1");
    state.set(NAMES, "a", "x");
    expect(ask(context(state), "a")).toBe("undefined at 1");
    state.set(PRICES, "x", 3);
    expect(ask(context(state), "a")).toBe("3 at 1");
  });

  test("ends with the block", () => {
    const { ask } = counted();
    const state = filled();
    expect(ask(context(state), "a")).toBe("1 at 1");
    expect(ask(context(state, { timeNs: 2n }), "a")).toBe("1 at 2");
    expect(ask(context(state, { timeNs: 2n, height: 2 }), "a")).toBe("1 at 2");
  });

  test("is each branch's own", () => {
    const { ask } = counted();
    const state = filled();
    ask(context(state), "a");
    const fork = state.fork();
    fork.set(PRICES, "x", 9);
    expect(ask(context(fork), "a")).toBe("9 at 1");
    expect(ask(context(state), "a")).toBe("1 at 1");
  });

  test("costs no gas, computed or not", () => {
    const { ask } = counted();
    const state = filled();
    const ctx = context(state);
    ask(ctx, "a");
    ask(ctx, "a");
    expect(ctx.gas.used).toBe(0n);
  });

  test("may not look at derived structures, which no count of writes covers", () => {
    const ask = remembered((ctx: ReadContext) => ctx.state.derived.get({}));
    expect(() => ask(context(filled()), 0)).toThrow("derived");
  });
});
