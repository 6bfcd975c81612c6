/** Known fields of Keel's messages, from the published descriptors. */
import type { FieldTable, KnownField } from "@keel/modules/kit/known-fields";
import type { Type } from "protobufjs";
import { typeNamed } from "./protobuf-json.ts";

const WIRE_TYPES: Readonly<Record<string, number>> = {
  string: 2,
  bytes: 2,
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
};

const tables = new Map<string, FieldTable>();

const byUrl = new Map<string, FieldTable | null>();

/** null: no message of ours, so nothing is published about it here. Ask only about messages that have a handler. */
export function fieldTableOf(typeUrl: string): FieldTable | null {
  let table = byUrl.get(typeUrl);
  if (table === undefined) {
    table = typeUrl.startsWith("/keel.") ? tableOf(typeNamed(typeUrl.slice(1))) : null;
    byUrl.set(typeUrl, table);
  }
  return table;
}

function tableOf(type: Type): FieldTable {
  const known = tables.get(type.fullName);
  if (known !== undefined) return known;
  const table = new Map<number, KnownField>();
  tables.set(type.fullName, table);
  for (const field of type.fieldsArray) {
    const inner = field.resolvedType;
    const message = inner !== null && "fieldsArray" in inner ? inner : null;
    const wireType = message !== null ? 2 : (WIRE_TYPES[field.type] ?? 0);
    table.set(field.id, {
      wireType,
      packable: field.repeated && wireType !== 2,
      nested: message === null ? null : () => tableOf(message),
    });
  }
  return table;
}
