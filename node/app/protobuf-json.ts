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
const protoJson = require("protobufjs/ext/protojson.js") as typeof ProtoJson;
export const fromJson: typeof ProtoJson.fromJson = protoJson.fromJson;
export const toJson: typeof ProtoJson.toJson = protoJson.toJson;

let root: protobuf.Root | null = null;

/** A message type of the published protos by full name; throws when there is none. */
export function typeNamed(name: string): protobuf.Type {
  if (root === null) {
    const file = require.resolve("@keel/proto/descriptors.binpb");
    const set = FileDescriptorSet.toObject(FileDescriptorSet.decode(readFileSync(file)));
    type Descriptors = Parameters<typeof protobuf.Root.fromDescriptor>[0];
    root = protobuf.Root.fromDescriptor(set as Descriptors, { keepCase: true });
    root.resolveAll();
  }
  return root.lookupType(name);
}
