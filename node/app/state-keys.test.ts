/** The table of state keys in FORMATS.md against what the modules declare. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { executorBench } from "./testing/executor-bench.ts";

/** Prefixes stand there as hex, or as the text they are. */
function hexOf(cell: string): string {
  return /^[0-9a-f]{2}([0-9a-f]{2})*$/.test(cell) ? cell : Buffer.from(cell).toString("hex");
}

function documented(): string[] {
  const text = readFileSync(new URL("../../FORMATS.md", import.meta.url), "utf8");
  const section = text.split("\n## State keys\n")[1]?.split("\n## ")[0] ?? "";
  let store = "";
  const found: string[] = [];
  for (const [, name, prefix] of section.matchAll(/^\| (?:`([a-z]+)` )?\| `([^`]+)` \|/gm)) {
    store = name ?? store;
    found.push(`${store} ${hexOf(prefix ?? "")}`);
  }
  return found;
}

it("FORMATS.md names the keys of every committed collection, and of no other", () => {
  const { keel } = executorBench(() => ({}));
  const committed = keel.registry.collections.flatMap(({ store, prefix }) =>
    prefix === null ? [] : [`${store} ${Buffer.from(prefix, "latin1").toString("hex")}`],
  );
  expect(documented().sort()).toEqual(committed.sort());
});
