import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeDirectory } from "./directories.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keel-directories-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("a directory", () => {
  it("is made with all its parents, and kept when it is there", () => {
    const path = join(directory, "a", "b", "c");
    makeDirectory(path);
    writeFileSync(join(path, "kept"), "");
    makeDirectory(path);
    expect(statSync(path).isDirectory()).toBe(true);
    expect(existsSync(join(path, "kept"))).toBe(true);
  });

  it("is refused in one sentence where a file is in its way", () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    expect(() => makeDirectory(file)).toThrow(
      `the directory ${file} cannot be made: there is a file in its way`,
    );
    const below = join(file, "below");
    expect(() => makeDirectory(below)).toThrow(
      `the directory ${below} cannot be made: there is a file in its way`,
    );
  });

  it.runIf(existsSync("/proc/self"))("is refused, not waited for, where none can be made", () => {
    expect(() => makeDirectory("/proc/keel/node0")).toThrow(
      "the directory /proc/keel/node0 cannot be made: that file system takes no new directories",
    );
  });
});
