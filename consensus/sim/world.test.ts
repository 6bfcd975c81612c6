import { describe, expect, it } from "vitest";
import { createNetwork } from "./network.ts";
import { createRandom } from "./prng.ts";
import { createWorld } from "./world.ts";

describe("the world", () => {
  it("runs events by time, and those of one instant in the order they were asked for", () => {
    const world = createWorld();
    const seen: string[] = [];
    for (const [delayMs, name] of [
      [30, "d"],
      [10, "a"],
      [20, "b"],
      [20, "c"],
    ] as const) {
      world.after(delayMs, () => seen.push(`${name}@${world.nowMs()}`));
    }
    expect(world.run({ untilMs: 20 })).toBe(false);
    expect(seen).toEqual(["a@10", "b@20", "c@20"]);
    expect(world.run({ untilMs: 100, done: () => seen.length === 4 })).toBe(true);
    expect(world.nowMs()).toBe(30);
  });

  it("keeps a thousand random events in order", () => {
    const world = createWorld();
    const random = createRandom(7);
    const times: number[] = [];
    for (let count = 0; count < 1000; count += 1)
      world.after(random.between(0, 500), () => times.push(world.nowMs()));
    world.run({ untilMs: 1000 });
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times).toHaveLength(1000);
  });
});

describe("the network", () => {
  const perfect = { delayMinMs: 1, delayMaxMs: 1, lossPpm: 0, duplicatePpm: 0 };

  function network(conditions = perfect) {
    const world = createWorld();
    const got: string[] = [];
    const net = createNetwork<string>({
      world,
      random: createRandom(1),
      conditions,
      deliver: (to, message) => got.push(`${to}:${message}`),
    });
    return { world, got, net };
  }

  it("cuts one way only, until it is mended", () => {
    const { world, got, net } = network();
    net.cut([0], [1]);
    net.send({ from: 0, to: 1 }, "lost");
    net.send({ from: 1, to: 0 }, "back");
    net.mend();
    net.send({ from: 0, to: 1 }, "again");
    world.run({ untilMs: 10 });
    expect(got).toEqual(["0:back", "1:again"]);
  });

  it("loses, duplicates and jams as it is told", () => {
    const { world, got, net } = network({ ...perfect, lossPpm: 500_000, duplicatePpm: 1_000_000 });
    for (let count = 0; count < 100; count += 1) net.send({ from: 0, to: 1 }, "m");
    world.run({ untilMs: 10 });
    expect(got.length % 2).toBe(0);
    expect(got.length).toBeGreaterThan(60);
    expect(got.length).toBeLessThan(140);
    const jam = network();
    jam.net.jam((message) => message === "x");
    for (let count = 0; count < 100; count += 1)
      for (const m of ["x", "y"]) jam.net.send({ from: 0, to: 1 }, m);
    jam.world.run({ untilMs: 10 });
    expect(jam.got.filter((m) => m === "1:y")).toHaveLength(100);
    expect(jam.got.filter((m) => m === "1:x").length).toBeLessThan(50);
  });
});

describe("chance", () => {
  it("is the same for the same seed and another for another", () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 20 }, () => random.between(0, 1_000_000));
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });
});
