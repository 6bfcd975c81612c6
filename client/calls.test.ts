import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { keelTypes } from "./registry.ts";

function sourcesBut(left: RegExp): readonly string[] {
  const folder = new URL(".", import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && !left.test(file))
    .map((file) => readFileSync(new URL(file, folder), "utf8"));
}

test("every message of the chain is built by some call of this library", () => {
  // These name all messages, and build none.
  const sources = sourcesBut(/^(registry|amino|gas)\.ts$|\.test\.ts$/);
  const isBuilt = (typeUrl: string): boolean => {
    const name = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
    const built = new RegExp(`"${typeUrl}"|\\}${name}\``);
    return sources.some((text) => built.test(text));
  };
  expect(keelTypes.map(([typeUrl]) => typeUrl).filter((typeUrl) => !isBuilt(typeUrl))).toEqual([]);
  expect(isBuilt("/keel.derivatives.v1.MsgNothing")).toBe(false);
});

test("every query of the chain has a method here", () => {
  const folder = new URL("../proto/keel/", import.meta.url);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".proto"))
    .map((file) => readFileSync(new URL(file, folder), "utf8"))
    .flatMap((text) => {
      const [, name = ""] = /^package ([\w.]+);/m.exec(text) ?? [];
      const services = [...text.matchAll(/^service (\w*Query) \{$([\s\S]*?)^\}$/gm)];
      return services.flatMap(([, service = "", body = ""]) =>
        [...body.matchAll(/rpc (\w+)\(/g)].map(([, method]) => `/${name}.${service}/${method}`),
      );
    });
  expect(paths.length).toBeGreaterThan(60);
  const sources = sourcesBut(/\.test\.ts$/);
  const isAsked = (path: string): boolean => sources.some((text) => text.includes(`"${path}"`));
  expect(paths.filter((path) => !isAsked(path))).toEqual([]);
  expect(isAsked("/keel.derivatives.v1.Query/Nothing")).toBe(false);
});
