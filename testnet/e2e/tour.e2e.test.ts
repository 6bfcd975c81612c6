import { expect, it } from "vitest";
import { runEntry } from "./harness.ts";

it("every order type, match, transfer, key and expiry is answered by a running network as it should be", async () => {
  const { code, stdout, stderr } = await runEntry("testnet/tour/main.ts", [], 150_000);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const [, steps, right, wrong] =
    /(\d+) steps in \d+ s, (\d+) as expected, (\d+) not/.exec(stdout) ?? [];
  expect([Number(steps) > 80, right === steps, wrong]).toEqual([true, true, "0"]);
}, 160_000);
