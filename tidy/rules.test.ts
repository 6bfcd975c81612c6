import { describe, expect, test } from "vitest";
import { foldersWithoutReadme, rules } from "./rules.ts";
import { codeOf, importsOf } from "./source.ts";

const failing: Record<string, [path: string, text: string][]> = {
  "pure zones are synchronous and ordered": [
    ["consensus/core/a.ts", "export async function f() {}"],
    ["consensus/light/a.ts", "export const f = async () => 1;"],
    ["modules/bank/a.ts", "const x = await y;"],
    ["modules/bank/a.ts", "for (const key in record) {}"],
    ["modules/bank/a.ts", "keys.sort();"],
    ["modules/bank/a.ts", "const y = keys.toSorted( );"],
    ["modules/bank/a.ts", "const half = 0.5;"],
    ["modules/bank/a.ts", "const s = `${await y}`;"],
  ],
  "files are short": [["node/a.ts", "x;\n".repeat(401)]],
  "nothing is left unfinished": [
    ["node/a.ts", `// ${"TO" + "DO"}: later`],
    ["node/README.md", `${"FIX" + "ME"} soon`],
    ["proto/keel/a.proto", `// ${"XX" + "X"}`],
  ],
  "exports are named": [
    ["node/a.ts", "export default function f() {}"],
    ["node/a.ts", "export { f as default };"],
  ],
  "no path of one machine": [
    ["node/a.ts", `const home = "${"/ho" + "me"}/alice/data";`],
    ["node/README.md", `see ${"/Us" + "ers"}/alice`],
    ["node/a.json", `{"a":"${"C:" + "\\\\"}Users"}`],
  ],
  "names are kebab-case": [
    ["node/appHash.ts", ""],
    ["node/app_store/hash.ts", ""],
    ["node/Store.test.ts", ""],
  ],
  "no barrels": [["modules/bank/index.ts", ""]],
  "relative imports stay inside their zone": [
    ["node/app/a.ts", 'import { x } from "../../modules/bank/keeper.ts";'],
    ["consensus/core/a.ts", 'import { x } from "../wire/types.ts";'],
    ["consensus/core/a.ts", 'import type {\n  X,\n} from "../limits.ts";'],
    ["modules/kit/a.ts", 'export { x } from "../bank/keeper.ts";'],
    ["modules/margin/a.ts", 'import { x } from "../bank/keeper.ts";'],
    ["modules/margin/a.ts", 'import { x } from "../testing/world.ts";'],
    ["node/a.ts", 'import { x } from "./b";'],
    ["node/a.ts", 'export { b } from "./b.js";'],
  ],
};

const passing: Record<string, [path: string, text: string][]> = {
  "pure zones are synchronous and ordered": [
    ["modules/bank/a.ts", "// async, await and 0.5 in a comment\nkeys.sort(compare);"],
    ["modules/bank/a.ts", 'const s = "async await"; const r = /a.sort()/; const t = `await 1.5`;'],
    ["modules/bank/a.test.ts", "await x; keys.sort();"],
    ["consensus/host/a.ts", "await x;"],
  ],
  "files are short": [
    ["node/a.ts", "x;\n".repeat(400)],
    ["proto/gen/a.ts", "x;\n".repeat(900)],
  ],
  "nothing is left unfinished": [["node/a.ts", "const todoList = 1; // XXXX"]],
  "exports are named": [["vitest.config.ts", "export default {};"]],
  "no path of one machine": [["node/a.ts", 'fetch("/status"); // proto/home/tmp/x']],
  "names are kebab-case": [
    ["modules/margin/black-scholes.prop.test.ts", ""],
    ["proto/gen/keel/v1/crypto_keys.ts", ""],
  ],
  "no barrels": [["node/store/index-map.ts", ""]],
  "relative imports stay inside their zone": [
    ["consensus/core/sub/a.ts", 'import { x } from "../types.ts";'],
    ["consensus/core/a.test.ts", 'import { x } from "../sim/world.ts";'],
    ["modules/margin/a.ts", 'import { x } from "../kit/module.ts";'],
    ["modules/testing/world.ts", 'import { x } from "../margin/module.ts";'],
    ["consensus/host/a.ts", 'import { x } from "../core/types.ts";'],
  ],
};

describe.each(Object.entries(rules))("%s", (name, rule) => {
  test.each(failing[name] ?? [])("refuses %s: %s", (path, text) => {
    expect(rule({ path, text })).toHaveLength(1);
  });
  test.each(passing[name] ?? [])("accepts %s", (path, text) => {
    expect(rule({ path, text })).toEqual([]);
  });
  test("has an example on both sides", () => {
    expect(failing[name]?.length).toBeGreaterThan(0);
    expect(passing[name]?.length).toBeGreaterThan(0);
  });
});

test("a folder with code and no README is named, an empty one is not", () => {
  const paths = [
    "node/app/app.ts",
    "modules/README.md",
    "modules/bank/keeper.ts",
    "client/package.json",
  ];
  expect(foldersWithoutReadme(paths)).toEqual(["modules/bank", "node"]);
  expect(foldersWithoutReadme([...paths, "node/README.md", "modules/bank/README.md"])).toEqual([]);
});

test("code keeps its lines and its divisions and loses its literals", () => {
  const text =
    'a = b / c; d = e / f; // x\nconst s = "y"; `t${u({ v: 1 })}w`;\n/* z\n */ g = h(/q"/) / 2;';
  const code = codeOf(text);
  expect(code.length).toBe(text.length);
  expect(code.split("\n")).toHaveLength(text.split("\n").length);
  expect(code.replace(/[^a-z]/g, "")).toBe("abcdefconstsuvgh");
});

test("imports are found in every form", () => {
  const text =
    'import "./a.ts";\nimport type { B } from "./b.ts";\nexport * from "./c.ts";\nconst d = import("./d.ts");\nimport {\n  e,\n} from "./e.ts";';
  expect(importsOf(text)).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts"]);
});
