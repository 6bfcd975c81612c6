import { Branch } from "@keel/modules/kit/store";
import { describe, expect, it } from "vitest";
import { createVerifier } from "../crypto/verifier.ts";
import { createKeel } from "./app.ts";
import { DerivedTime, OldHeights } from "./derived-time.ts";
import { NEWEST_TIME, OLD_HEIGHTS_TIME } from "./limits.ts";
import { answerQuery } from "./query.ts";
import type { CommittedView } from "./state.ts";

const BUILD_MS = 400;
const book = {};

/** Heights 1 to 9; a book is made of a height when it is asked for, and takes its time. */
function scene() {
  const clock = { ms: 0 };
  const views = new Map<number, CommittedView>();
  for (let height = 1; height <= 9; height++) {
    const header = { chainId: "c", height, timeNs: BigInt(height), proposer: "" };
    views.set(height, { header, branch: Branch.empty(1) });
  }
  const oldHeights = new OldHeights(new DerivedTime(OLD_HEIGHTS_TIME, () => clock.ms));
  const newest = new DerivedTime(NEWEST_TIME, () => clock.ms);
  const route = (derives: boolean) => ({
    path: "",
    requestType: "",
    responseType: "",
    derives,
    handle: ({ state }: { readonly state: { readonly derived: WeakMap<object, unknown> } }) => {
      if (derives && !state.derived.has(book)) clock.ms += BUILD_MS;
      if (derives) state.derived.set(book, true);
      return new Uint8Array(0);
    },
  });
  const options = {
    oldHeights,
    newest,
    routes: new Map([
      ["/Orders", route(true)],
      ["/Price", route(false)],
    ]),
    version: "1",
    latest: () => views.get(9) ?? null,
    viewAt: (height: number) => views.get(height) ?? null,
  } as unknown as Parameters<typeof answerQuery>[0];
  const ask = (path: string, height: number) =>
    answerQuery(options, { path, data: new Uint8Array(0), height, prove: false });
  return { ask, clock, views };
}

describe("a query that makes a book anew", () => {
  it("takes at most a tenth of the thread's time at earlier heights, whoever asks", async () => {
    const { ask, clock } = scene();
    let answered = 0;
    for (const began = clock.ms; clock.ms - began < 60_000; clock.ms += 10) {
      const { code, log } = await ask("/Orders", 1 + (answered % 8));
      if (code === 0) answered += 1;
      else expect([code, log]).toEqual([11, expect.stringContaining("ResourceExhausted")]);
    }
    expect(answered * BUILD_MS).toBeLessThan(60_000 / 10 + 2 * BUILD_MS);
    expect(answered).toBeGreaterThan(10);
    // The newest, and what needs no book, is answered all the same.
    expect(await ask("/Orders", 1)).toMatchObject({ code: 11, codespace: "sdk" });
    for (const height of [0, 9]) expect((await ask("/Orders", height)).code).toBe(0);
    expect((await ask("/Price", 1)).code).toBe(0);
  });

  it("takes at most a quarter of it at the newest height, however fast blocks come and whoever asks", async () => {
    const { ask, clock, views } = scene();
    let answered = 0;
    for (const began = clock.ms; clock.ms - began < 60_000; clock.ms += 10) {
      // The next block.
      views.get(9)?.branch.forgetDerived();
      const { code, log } = await ask("/Orders", 9);
      if (code === 0) answered += 1;
      else expect([code, log]).toEqual([11, expect.stringContaining("ResourceExhausted")]);
    }
    expect(answered * BUILD_MS).toBeLessThan(60_000 / 4 + 1_000 + 2 * BUILD_MS);
    expect(answered).toBeGreaterThan(30);
    expect((await ask("/Price", 9)).code).toBe(0);
  });

  it("is answered again at the same height, and keeps no other's", async () => {
    const { ask, clock, views } = scene();
    const isKept = (height: number) => views.get(height)?.branch.derived.has(book);
    await ask("/Orders", 3);
    clock.ms += 10_000;
    const before = clock.ms;
    for (let n = 0; n < 100; n++) expect((await ask("/Orders", 3)).code).toBe(0);
    expect(clock.ms).toBe(before);
    await ask("/Orders", 4);
    expect([3, 4].map(isKept)).toEqual([false, true]);
  });

  it("is one of these", async () => {
    const verifier = createVerifier({ backend: "native", workers: 0 });
    const keel = createKeel({ addressPrefix: "keel", verifier });
    const names = [...keel.queries.values()].flatMap(({ derives, path }) => (derives ? path : []));
    expect(names.sort()).toEqual([
      "/keel.derivatives.v1.Query/Auction",
      "/keel.derivatives.v1.Query/Order",
      "/keel.derivatives.v1.Query/Orders",
      "/keel.derivatives.v1.Query/WaitingOrders",
      "/keel.vault.v1.Query/Quotes",
    ]);
  });
});
