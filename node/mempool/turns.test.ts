import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TURN_GAS } from "./limits.ts";
import { Turns } from "./turns.ts";

const entry = (signer: string, n: number, gasWanted: bigint = TURN_GAS) => ({
  ...{ signer, gasWanted },
  hash: `${signer}${n}`,
});
type Entry = ReturnType<typeof entry>;

function first(count: number, turns: Turns<Entry>): string[] {
  const seen: string[] = [];
  for (const { hash } of turns.all()) {
    seen.push(hash);
    if (seen.length === count) break;
  }
  return seen;
}

describe("turns", () => {
  it("bring another's next to the first of a hundred thousand", () => {
    const turns = new Turns<Entry>();
    for (let n = 0; n < 100_000; n++) turns.add(entry("flood", n));
    turns.add(entry("one", 0));
    expect(first(4, turns)).toEqual(["flood0", "one0", "flood1", "flood2"]);
  });

  it("are of gas: large ones wait for as many as they need, small ones share one", () => {
    const turns = new Turns<Entry>();
    for (const n of [0, 1]) turns.add(entry("large", n, 3n * TURN_GAS));
    for (const n of [0, 1, 2, 3]) turns.add(entry("small", n, TURN_GAS / 2n));
    for (const n of [0, 1, 2]) turns.add(entry("usual", n));
    turns.add(entry("free", 0, 0n));
    expect(first(20, turns)).toEqual([
      ...["small0", "usual0", "free0", "small1"],
      ...["usual1", "small2", "small3"],
      ...["large0", "usual2"],
      "large1",
    ]);
  });

  it("hold each once, a signer's own oldest first, and no signer before its gas allows", () => {
    const step = fc.record({
      signer: fc.constantFrom("a", "b", "c"),
      takes: fc.boolean(),
      gas: fc.bigInt(0n, 3n * TURN_GAS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const turns = new Turns<Entry>();
        const held = new Map<string, Entry[]>();
        for (const [n, { gas, signer, takes }] of steps.entries()) {
          const own = held.get(signer) ?? [];
          held.set(signer, own);
          const one = takes ? own.shift() : entry(signer, n, gas);
          if (one === undefined) continue;
          if (takes) turns.remove(one);
          else {
            own.push(one);
            turns.add(one);
          }
        }
        const all = [...turns.all()];
        for (const [signer, own] of held)
          expect(all.filter((one) => one.signer === signer)).toEqual(own);
        const used = new Map<string, bigint>();
        const turnOf = all.map(({ gasWanted, signer }) => {
          const gas = (used.get(signer) ?? 0n) + gasWanted;
          used.set(signer, gas);
          return Number((gas - 1n) / TURN_GAS);
        });
        expect(turnOf).toEqual([...turnOf].sort((a, b) => a - b));
      }),
    );
  });
});
