import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLogger } from "./logger.ts";
import { rotatingFile } from "./rotating-file.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keel-log-"));
  path = join(directory, "keeld.log");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (suffix = ""): string => readFileSync(`${path}${suffix}`, "utf8");

it("begins a new file before one would pass its bound, keeps so many, and splits no line", () => {
  const file = rotatingFile(path, { bytesMax: 20, kept: 2 });
  for (let i = 0; i < 9; i++) file.write(`line ${i}..\n`);
  expect(readdirSync(directory).sort()).toEqual(["keeld.log", "keeld.log.1", "keeld.log.2"]);
  expect([read(".2"), read(".1"), read()]).toEqual([
    "line 4..\nline 5..\n",
    "line 6..\nline 7..\n",
    "line 8..\n",
  ]);
});

it("goes on in the file that is there, and counts what it holds", () => {
  writeFileSync(path, "from before\n");
  const file = rotatingFile(path, { bytesMax: 20, kept: 1 });
  file.write("now\n");
  file.write("and later\n");
  expect([read(".1"), read()]).toEqual(["from before\nnow\n", "and later\n"]);
});

it("writes a line that is longer than the bound whole, and keeps nothing else where nothing is to be kept", () => {
  const file = rotatingFile(path, { bytesMax: 10, kept: 0 });
  file.write("first\n");
  file.write("a line of its own\n");
  expect(read()).toBe("a line of its own\n");
  expect(existsSync(`${path}.1`)).toBe(false);
});

it("loses lines, not the node, when the place is gone", () => {
  const file = rotatingFile(path, { bytesMax: 10, kept: 1 });
  file.write("one line\n");
  rmSync(directory, { recursive: true });
  expect(() => {
    file.write("two lines\n");
    file.write("three lines\n");
  }).not.toThrow();
});

it("takes what a logger writes", () => {
  const stream = rotatingFile(path, { bytesMax: 1_000, kept: 1 });
  createLogger({ level: "info", format: "plain", stream }).info("committed", { height: 5 });
  expect(read()).toMatch(/INF committed height=5\n$/);
});
