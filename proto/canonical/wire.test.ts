/**
 * Every published message, encoded by an independent implementation, is read by the generated one and written again byte for byte. The
 * hash of all those bytes is kept per type: a change of the format fails here until `KEEL_APPROVE_WIRE=1` says that it is meant.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../bytes/compare.ts";
import { bytesToHexLower } from "../bytes/hex.ts";
import { sha256 } from "../bytes/sha256.ts";
import { drawFrom, randomMessage } from "./random-message.ts";

interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

const SAMPLES = 64;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FIXTURES = join(ROOT, "canonical", "wire-fixtures.json");
const APPROVE = process.env["KEEL_APPROVE_WIRE"] === "1";

const require = createRequire(import.meta.url);
const { FileDescriptorSet } =
  require("protobufjs/ext/descriptor.js") as typeof import("protobufjs/ext/descriptor.js");
const set = FileDescriptorSet.toObject(
  FileDescriptorSet.decode(readFileSync(join(ROOT, "gen", "descriptors.binpb"))),
);
const root = protobuf.Root.fromDescriptor(
  set as Parameters<typeof protobuf.Root.fromDescriptor>[0],
);
root.resolveAll();

function messageTypes(namespace: protobuf.NamespaceBase): protobuf.Type[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Type) return [nested, ...messageTypes(nested)];
    return nested instanceof protobuf.Namespace ? messageTypes(nested) : [];
  });
}

async function generatedCodecs(): Promise<Map<string, Codec>> {
  const codecs = new Map<string, Codec>();
  for (const file of readdirSync(join(ROOT, "gen"), { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith(".ts")) continue;
    const namespace = file.split("/").slice(0, -1).join(".");
    const exported = (await import(join(ROOT, "gen", file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === "object" && value !== null && "encode" in value && "decode" in value) {
        codecs.set(`${namespace}.${name}`, value as Codec);
      }
    }
  }
  return codecs;
}

const types = messageTypes(root.lookup("keel") as protobuf.Namespace);
const codecs = await generatedCodecs();
const hashes: Record<string, string> = {};
const kept: Record<string, string> = existsSync(FIXTURES)
  ? JSON.parse(readFileSync(FIXTURES, "utf8"))
  : {};

describe("wire fixtures", () => {
  it("cover every published message", () => {
    expect(types.length).toBeGreaterThan(50);
    expect(types.map((type) => type.fullName.slice(1)).filter((name) => !codecs.has(name))).toEqual(
      [],
    );
  });

  for (const type of types) {
    const name = type.fullName.slice(1);
    it(`${name} is written as an independent implementation writes it`, () => {
      const codec = codecs.get(name) as Codec;
      const all: Uint8Array[] = [];
      for (let seed = 1; seed <= SAMPLES; seed++) {
        const bytes = Uint8Array.from(
          type.encode(type.fromObject(randomMessage(type, drawFrom(seed)))).finish(),
        );
        const again = codec.encode(codec.decode(bytes)).finish();
        expect(bytesToHexLower(again), `seed ${seed}`).toBe(bytesToHexLower(bytes));
        all.push(bytes);
      }
      hashes[name] = bytesToHexLower(sha256(concatBytes(...all)));
      if (!APPROVE)
        expect(hashes[name], "the format changed; KEEL_APPROVE_WIRE=1 approves it").toBe(
          kept[name],
        );
    });
  }

  it("has no fixture for a message that is gone", () => {
    if (APPROVE)
      writeFileSync(FIXTURES, `${JSON.stringify(hashes, Object.keys(hashes).sort(), 2)}\n`);
    else expect(Object.keys(kept).sort()).toEqual(Object.keys(hashes).sort());
  });
});
