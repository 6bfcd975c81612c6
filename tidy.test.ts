// The house rules applied to every file of the repository, tracked or about to be.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foldersWithoutReadme, rules } from "./tidy/rules.ts";

const root = import.meta.dirname;
const texts = /\.(ts|mjs|js|json|md|proto|sh|ya?ml|toml)$/;

const paths = execFileSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 64 << 20,
})
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const files = paths
  .filter((path) => texts.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

test("the repository is found", () => {
  expect(paths).toContain("package.json");
});

test.each(Object.entries(rules))("%s", (_name, rule) => {
  const broken = files.flatMap((file) => rule(file).map((reason) => `${file.path}: ${reason}`));
  expect(broken).toEqual([]);
});

test("every workspace and module with code has a README.md", () => {
  expect(foldersWithoutReadme(paths)).toEqual([]);
});
