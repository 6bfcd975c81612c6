import { describe, expect, it } from "vitest";
import { TEST_ADDRESSES } from "../derivatives/testing.ts";
import { createWorld } from "../testing/world.ts";
import { defaultParams, validateParams } from "./params.ts";

describe("the parameters of the guard", () => {
  it("come out of genesis as they went in, with the governance account where none was named", () => {
    const world = createWorld();
    const authority = world.guard.state.params.require(world.ctx).authority;
    expect(authority).not.toBe("");
    const copy = createWorld({ from: { genesis: world.exported(), header: world.ctx.header } });
    expect(copy.stored()).toEqual(world.stored());
  });

  it("take an emergency key only with a time of at most three days", () => {
    const key = TEST_ADDRESSES.format(new Uint8Array(20).fill(3));
    const check = (change: object) =>
      validateParams({ ...defaultParams(), ...change }, TEST_ADDRESSES);
    check({ emergencyKey: key, emergencyMaxMs: 3n * 86_400_000n });
    expect(() => check({ emergencyKey: key })).toThrow("with its time");
    expect(() => check({ emergencyKey: key, emergencyMaxMs: 259_200_001n })).toThrow("at most");
  });
});
