import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { keelTypes } from "./registry.ts";

test("every message of the chain is built by some call of this library", () => {
  const folder = new URL(".", import.meta.url);
  // These name all messages, and build none.
  const lists = /^(registry|amino|gas)\.ts$|\.test\.ts$/;
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && !lists.test(file))
    .map((file) => readFileSync(new URL(file, folder), "utf8"));
  const isBuilt = (typeUrl: string): boolean => {
    const name = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
    const built = new RegExp(`"${typeUrl}"|\\}${name}\``);
    return sources.some((text) => built.test(text));
  };
  expect(keelTypes.map(([typeUrl]) => typeUrl).filter((typeUrl) => !isBuilt(typeUrl))).toEqual([]);
  expect(isBuilt("/keel.derivatives.v1.MsgNothing")).toBe(false);
});
