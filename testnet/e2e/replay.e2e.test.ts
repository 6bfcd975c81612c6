/** The replay as a person runs it: a short generated crash always, the three real ones when their files are there. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { ReplayReport } from "../replay/report.ts";
import type { Ran } from "./harness.ts";
import { isFull, runEntry } from "./harness.ts";

const directory = mkdtempSync(join(tmpdir(), "keel-replay-e2e-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const DATA = new URL("../../../shared/data/", import.meta.url).pathname;
const CRASHES = ["2020-03-12", "2021-05-19", "2025-10-10"];
const dataOf = (day: string): string => join(DATA, `btcusdt-1m-${day}.csv`);
const hasData = CRASHES.every((day) => existsSync(dataOf(day)));
if (isFull && !hasData) console.warn(`skipped: no price files in ${DATA}`);

async function replay(
  args: readonly string[],
  timeoutMs: number,
): Promise<Ran & { readonly report: ReplayReport; readonly file: string }> {
  const file = join(directory, `report-${args.join("").replaceAll(/[^a-z0-9]/gi, "")}.json`);
  const ran = await runEntry("testnet/replay/main.ts", [...args, "--report", file], timeoutMs);
  if (!existsSync(file)) throw new Error(`no report\n${ran.stdout}\n${ran.stderr}`);
  return { ...ran, file, report: JSON.parse(readFileSync(file, "utf8")) as ReplayReport };
}

// Seed 2046: calm for four minutes, then 16 % down within eight.
it("lives through a short generated crash with a validator killed in it, and balances", async () => {
  const args = ["--seed", "2046", "--minutes", "9", "--setup", "25", "--kill"];
  const { code, stdout, report, file } = await replay(args, 200_000);
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(code, stdout).toBe(0);
  expect(report.traders).toBe(60);
  expect(report.openedTraders).toBeGreaterThanOrEqual(57);
  expect(report.liquidations.count).toBeGreaterThan(0);
  expect(report.liquidatedTraders).toBeGreaterThanOrEqual(report.traders / 10);
  // How many deficits there are depends on the pace of blocks, and so on the machine; what there is the fund pays, and the other side is closed at mark.
  expect(Number(report.deleveraged.loss)).toBe(0);
  // Everyone deposits and opens; the makers quote.
  expect(report.txs.count).toBeGreaterThan(120);

  const again = await runEntry("testnet/replay/main.ts", ["--recheck", file], 30_000);
  expect([again.code, again.stderr]).toEqual([0, ""]);
  // One quantum out of the vault, and the same sums fail.
  const text = readFileSync(file, "utf8");
  const tampered = text.replace(
    /("vault": ")([0-9]+)n/,
    (_all, name: string, vault: string) => `${name}${BigInt(vault) - 1n}n`,
  );
  expect(tampered).not.toBe(text);
  writeFileSync(file, tampered);
  const broken = await runEntry("testnet/replay/main.ts", ["--recheck", file], 30_000);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain("A CHECK FAILED");
}, 220_000);

// Validators that book one quantum more than was deposited. What the checks say must come from the chain they read.
it("exits 1 when the chain makes money out of nothing", async () => {
  const built = new URL("../../.keel/build/", import.meta.url).pathname;
  const leaking = join(built, `keeld-leaking-${process.pid}.js`);
  const honest = "const collateral = account.collateral + amount;";
  const source = readFileSync(join(built, "keeld.js"), "utf8");
  expect(source.split(honest)).toHaveLength(2);
  writeFileSync(
    leaking,
    source.replace(honest, "const collateral = account.collateral + amount + 1n;"),
  );
  process.env["KEEL_KEELD"] = leaking;
  try {
    const { code, stdout, report } = await replay(["--minutes", "1", "--setup", "10"], 120_000);
    expect(code, stdout).toBe(1);
    const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(failed).toContain(
      "money conserved: vault = equity of all accounts at mark + insurance + fees held",
    );
    expect(failed).toContain("collateral of all accounts = running total");
  } finally {
    delete process.env["KEEL_KEELD"];
    rmSync(leaking, { force: true });
  }
}, 140_000);

it("says in one sentence what is wrong with its input", async () => {
  const missing = await runEntry(
    "testnet/replay/main.ts",
    ["--prices", "/nonexistent.csv"],
    30_000,
  );
  expect([missing.code, missing.stderr]).toEqual([1, "replay: /nonexistent.csv: no such file\n"]);
  const scale = await runEntry("testnet/replay/main.ts", ["--scale", "fast"], 30_000);
  expect([scale.code, scale.stderr]).toEqual([
    1,
    "replay: option '--scale <n>' argument 'fast' is invalid. Expected a whole number of 1 to 200.\n",
  ]);
}, 60_000);

it.runIf(isFull && hasData).each(CRASHES)(
  "lives through the crash of %s: traders liquidated, deficits paid, nothing lost",
  async (day) => {
    const kill = day === CRASHES[0] ? ["--kill"] : [];
    const { code, stdout, report } = await replay(["--prices", dataOf(day), ...kill], 400_000);
    expect(code, stdout).toBe(0);
    expect(report.liquidatedTraders).toBeGreaterThanOrEqual(report.traders / 10);
    expect(report.insurance.deficitsPaid).toBeGreaterThan(0);
  },
  420_000,
);

it.runIf(isFull && hasData)(
  "reaches auto-deleveraging with a small fund and still balances",
  async () => {
    const args = ["--prices", dataOf("2020-03-12"), "--fund", "100", "--minutes", "45"];
    const { code, stdout, report } = await replay(args, 300_000);
    expect(code, stdout).toBe(0);
    expect(report.deleveraged.count).toBeGreaterThan(0);
    // Not only closed at mark: the fund has nothing left to pay for that.
    expect(Number(report.deleveraged.loss)).toBeGreaterThan(0);
  },
  320_000,
);
