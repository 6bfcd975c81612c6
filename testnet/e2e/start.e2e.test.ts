/** `npm start` as a script uses it: READY, a faucet, Ctrl-C, going on from the same height, and one sentence for what is wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StargateClient } from "@cosmjs/stargate";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { roles } from "../keys/roles.ts";
import type { NetworkInfo } from "../network/banner.ts";
import { FAUCET_CREDITS } from "../network/local-market.ts";
import { heightOf } from "../network/network.ts";
import { assertPortsFree } from "../network/ports.ts";
import { rpcCall } from "../network/rpc.ts";
import { commonHeight, expectUnbroken, lastSigned, readHistory } from "./chain-history.ts";
import type { Started } from "./harness.ts";
import { runEntry, startEntry } from "./harness.ts";

const ENTRY = "testnet/main.ts";
const WAIT_MS = 60_000;
const VALIDATORS = 2;
/** As many as there are without a flag. */
const VALIDATORS_MOST = 4;

const directory = mkdtempSync(join(tmpdir(), "keel-start-e2e-"));
const json = join(directory, "info", "network.json");
let basePort: number;
let running: Started | null = null;

beforeAll(async () => {
  basePort = await freeBasePort();
});
afterEach(async () => {
  running?.kill("SIGTERM");
  await running?.ended;
  running = null;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const flags = (state: string = "state", validators: number = VALIDATORS): string[] => [
  ...["--persist", join(directory, state), "--json", json],
  ...["--validators", String(validators), "--base-port", String(basePort), "--no-bots"],
];
const portsFrom = (base: number): number[] =>
  Array.from({ length: VALIDATORS_MOST * 10 }, (_, i) => base + i);

/** Below the ports the system gives to outgoing connections. */
async function freeBasePort(): Promise<number> {
  for (let base = 20_000 + (process.pid % 200) * 40; ; base += 40) {
    if (base > 32_000) throw new Error("no free ports");
    const isFree = await assertPortsFree(portsFrom(base)).then(
      () => true,
      () => false,
    );
    if (isFree) return base;
  }
}

/** Resolves with the JSON once the one line is there. */
async function start(args: readonly string[] = flags()): Promise<NetworkInfo> {
  const started = startEntry(ENTRY, args);
  running = started;
  const early = started.ended.then((ran) => {
    throw new Error(`ended: ${ran.stderr}`);
  });
  await Promise.race([waitFor(() => started.stdout().includes("\n")), early]);
  expect(started.stdout()).toBe(`READY http://127.0.0.1:${basePort + 1} ${json}\n`);
  return JSON.parse(readFileSync(json, "utf8")) as NetworkInfo;
}

/** Ctrl-C, and nothing of it is left. */
async function interrupt(info: NetworkInfo): Promise<void> {
  const pids = info.validators.map(({ pid }) => pid as number);
  expect(pids.every(isAlive)).toBe(true);
  running?.kill("SIGINT");
  const ran = await running?.ended;
  running = null;
  expect([ran?.code, ran?.stderr]).toEqual([0, ""]);
  expect(ran?.stdout.split("\n")).toHaveLength(2);
  expect(pids.filter(isAlive)).toEqual([]);
  await assertPortsFree(portsFrom(basePort));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const rpcOf = (info: NetworkInfo): string => info.validators[0]?.rpc as string;

async function blockHash(info: NetworkInfo, height: number): Promise<string> {
  const { block_id } = await rpcCall<{ block_id: { hash: string } }>(rpcOf(info), "block", {
    height,
  });
  return block_id.hash;
}

async function genesisOf(info: NetworkInfo): Promise<unknown> {
  return (await rpcCall<{ genesis: unknown }>(rpcOf(info), "genesis")).genesis;
}

async function credit(info: NetworkInfo): Promise<void> {
  const [denom, amount] = Object.entries(FAUCET_CREDITS)[0] as [string, bigint];
  const { address } = info.accounts.find(({ name }) => name === "bob") as { address: string };
  const reader = await StargateClient.connect(rpcOf(info));
  const before = BigInt((await reader.getBalance(address, denom)).amount);
  const answer = await fetch(`${info.faucet}/credit`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ denom, address }),
  });
  expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
  const after = BigInt((await reader.getBalance(address, denom)).amount);
  reader.disconnect();
  expect(after - before).toBe(amount);
}

describe("a kept network", () => {
  it(
    "says READY once, credits, ends on Ctrl-C with nothing left, and goes on from its height",
    async () => {
      const info = await start();
      expect(info.validators.map(({ rpc }) => rpc)).toEqual(
        [basePort + 1, basePort + 11].map((port) => `http://127.0.0.1:${port}`),
      );
      expect(info.faucet).toBe(`http://127.0.0.1:${basePort + 9}`);
      expect(info.accounts.map(({ mnemonic }) => mnemonic)).toEqual(
        roles.map(({ mnemonic }) => mnemonic),
      );
      expect(info.accounts).toHaveLength(10);
      await credit(info);
      await waitFor(async () => ((await heightOf(rpcOf(info))) ?? 0) >= 2);
      const height = (await heightOf(rpcOf(info))) as number;
      const kept = [await blockHash(info, 1), await blockHash(info, height), await genesisOf(info)];
      await interrupt(info);

      const again = await start();
      expect(await heightOf(rpcOf(again))).toBeGreaterThanOrEqual(height);
      await waitFor(async () => ((await heightOf(rpcOf(again))) ?? 0) > height);
      expect([
        await blockHash(again, 1),
        await blockHash(again, height),
        await genesisOf(again),
      ]).toEqual(kept);
      expect(again.chainId).toBe(info.chainId);
      await interrupt(again);
    },
    WAIT_MS * 2,
  );
});

/** kill -9 for every validator at the same moment; the one that started them then gives up. */
async function killValidators(info: NetworkInfo): Promise<void> {
  for (const { pid } of info.validators) process.kill(pid as number, "SIGKILL");
  const ran = await running?.ended;
  running = null;
  expect(ran?.code).toBe(1);
  expect(ran?.stderr).toContain("every validator has ended");
}

describe("a kept network of four, killed with SIGKILL", () => {
  it(
    "goes on with no height lost and nobody signing twice",
    async () => {
      const args = flags("killed", VALIDATORS_MOST);
      const info = await start(args);
      const looks = info.validators.map(({ rpc, home }) => ({ rpc, home }));
      await waitFor(async () => (await commonHeight(looks)) >= 4);
      const height = await commonHeight(looks);
      const before = await readHistory(looks, height);
      await killValidators(info);
      const signed = lastSigned(looks);

      const again = await start(args);
      expect(again.chainId).toBe(info.chainId);
      await waitFor(async () => (await commonHeight(looks)) >= height + 4);
      expectUnbroken(before, await readHistory(looks, await commonHeight(looks)));
      for (const [index, at] of lastSigned(looks).entries())
        expect(at).toBeGreaterThan(signed[index] as number);
    },
    WAIT_MS * 2,
  );
});

describe("bad input", () => {
  it("is one sentence: a busy port, a bad line of prices, a flag", async () => {
    const taken = basePort + 11;
    const server = createServer().listen(taken, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const busy = await runEntry(ENTRY, flags(), WAIT_MS);
    await new Promise((resolve) => server.close(resolve));
    expect(busy).toEqual({
      code: 1,
      stdout: "",
      stderr: `keel: port ${taken} on 127.0.0.1 is in use; stop the other program or choose another --base-port\n`,
    });

    const file = join(directory, "prices.csv");
    const rows = ["0,1,2,1,2", "60000,2,3,1,2", "120000,2,3,1,nan", "180000,2,3,1,2"];
    writeFileSync(file, ["open_time_ms,open,high,low,close", ...rows].join("\n"));
    const bad = await runEntry(ENTRY, ["--prices", file, "--json", json], WAIT_MS);
    expect(bad).toEqual({
      code: 1,
      stdout: "",
      stderr: `keel: ${file}:4: expected a decimal as close, got "nan"\n`,
    });

    // Node's own recursive mkdir never comes back from there.
    const nowhere = await runEntry(ENTRY, ["--persist", "/proc/keel", "--json", json], WAIT_MS);
    expect(nowhere).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "keel: the directory /proc/keel cannot be made: that file system takes no new directories\n",
    });

    const flag = await runEntry(ENTRY, ["--block-time", "soon"], WAIT_MS);
    expect([flag.code, flag.stdout]).toEqual([1, ""]);
    expect(flag.stderr).toMatch(/^keel: .*Expected 50ms to 60s, such as 500ms or 2s\.\n$/);
  }, 60_000);
});
