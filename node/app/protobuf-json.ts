/**
 * The one import of protobufjs' extensions: the published descriptors as a reflection root, and ProtoJSON. They are CommonJS, and loaders
 * differ in whether their names come as they are or under `default`; requiring them is the same everywhere.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import protobuf from "protobufjs";
import type * as Descriptor from "protobufjs/ext/descriptor.js";
import type * as ProtoJson from "protobufjs/ext/protojson.js";

const require = createRequire(import.meta.url);
const { FileDescriptorSet } = require("protobufjs/ext/descriptor.js") as typeof Descriptor;
export const { fromJson, toJson } = require("protobufjs/ext/protojson.js") as Pick<
  typeof ProtoJson,
  "fromJson" | "toJson"
>;

let root: protobuf.Root | null = null;

/** A message type of the published protos by full name; throws when there is none. */
export function typeNamed(name: string): protobuf.Type {
  if (root === null) {
    const file = require.resolve("@keel/proto/descriptors.binpb");
    const set = FileDescriptorSet.toObject(FileDescriptorSet.decode(readFileSync(file)));
    root = protobuf.Root.fromDescriptor(set as Parameters<typeof protobuf.Root.fromDescriptor>[0]);
    root.resolveAll();
  }
  return root.lookupType(name);
}
