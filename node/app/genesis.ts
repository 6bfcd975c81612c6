/** The genesis document's app_state, one member per module, in and out. Proto modules are converted by the published descriptors. */
import type { ReadContext, WriteContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { asObject, GenesisError } from "@keel/modules/kit/json";
import type { ModuleDefinition } from "@keel/modules/kit/module";
import type { Type } from "protobufjs";
import { fromJson, toJson, typeNamed } from "./protobuf-json.ts";

/** Members of modules this chain does not have are refused rather than ignored: their state would silently be lost. */
export function loadGenesis(
  context: WriteContext,
  modules: readonly ModuleDefinition[],
  appState: unknown,
): void {
  const state = asObject(appState, "app_state");
  const names = modules.map((module) => module.name);
  for (const name of Object.keys(state)) {
    if (!names.includes(name))
      throw new GenesisError(`app_state.${name}`, `one of ${names.join(", ")}`, name);
  }
  for (const module of modules) {
    const path = `app_state.${module.name}`;
    const json = state[module.name];
    if (json === undefined) throw new GenesisError(path, "the module's genesis state", json);
    try {
      if (module.genesis.kind === "json") module.genesis.init(context, json);
      else module.genesis.init(context, encodeProto(module.genesis.typeName, json));
    } catch (error) {
      if (error instanceof RangeError || error instanceof GenesisError) throw error;
      if (error instanceof ModuleError || error instanceof Error)
        throw new Error(`genesis ${path}: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

export function exportGenesis(
  context: ReadContext,
  modules: readonly ModuleDefinition[],
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { name, genesis } of modules) {
    out[name] =
      genesis.kind === "json"
        ? genesis.export(context)
        : messageToJson(genesis.typeName, genesis.export(context));
  }
  return out;
}

function encodeProto(typeName: string, json: unknown): Uint8Array {
  const type = typeNamed(typeName);
  return type.encode(fromJson(type, json)).finish();
}

/** Any published message as a genesis document writes it. */
export function messageToJson(typeName: string, bytes: Uint8Array): unknown {
  const type = typeNamed(typeName);
  return protoNamed(toJson(type, type.decode(bytes)), type);
}

/** ProtoJSON writes lowerCamelCase and reads both; Cosmos documents are written with the proto names. */
function protoNamed(json: unknown, type: Type): unknown {
  if (Array.isArray(json)) return json.map((entry) => protoNamed(entry, type));
  if (typeof json !== "object" || json === null) return json;
  const fields = new Map(type.fieldsArray.map((field) => [field.jsonName ?? field.name, field]));
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const field = fields.get(key);
      const inner = field?.resolvedType;
      return [
        field?.name ?? key,
        inner !== null && inner !== undefined && "fieldsArray" in inner
          ? protoNamed(value, inner)
          : value,
      ];
    }),
  );
}
