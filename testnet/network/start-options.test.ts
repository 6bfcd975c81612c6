import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { pacingValues } from "./pacing.ts";
import { FAUCET_PORT_DEFAULT, readStartOptions } from "./start-options.ts";

const options = (...args: string[]) => readStartOptions(["node", "main.ts", ...args]);
const pacing = (...args: string[]) => pacingValues(options(...args).blockTimeMs);

it("takes a stated block time as the pace of every block, with transactions or without", () => {
  for (const [text, ms] of [
    ["2s", "2000ms"],
    ["50ms", "50ms"],
    ["1s", "1000ms"],
  ] as const) {
    expect(pacing("--block-time", text)).toEqual({
      "consensus.min_block_interval": ms,
      "consensus.empty_block_interval": ms,
    });
  }
});

it("lets transactions hurry the blocks when no block time is stated", () => {
  expect(pacing()).toEqual({
    "consensus.min_block_interval": "200ms",
    "consensus.empty_block_interval": "1000ms",
  });
});

it("has the faucet where the client's first example looks for it", () => {
  expect(options().faucetPort).toBe(FAUCET_PORT_DEFAULT);
  for (const file of ["README.md", "examples/first-trade.ts"]) {
    const text = readFileSync(new URL(`../../client/${file}`, import.meta.url), "utf8");
    const ports = [...text.matchAll(/faucet\("http:\/\/127\.0\.0\.1:([0-9]+)"\)/g)];
    expect(
      ports.map(([, port]) => Number(port)),
      file,
    ).toEqual([FAUCET_PORT_DEFAULT]);
    expect(text).toContain(`"http://127.0.0.1:${options().basePort + 1}"`);
  }
});

it("moves the faucet along with the other ports", () => {
  expect(options("--base-port", "30000").faucetPort).toBe(30_009);
  expect(options("--base-port", "26656").faucetPort).toBe(26_665);
});
