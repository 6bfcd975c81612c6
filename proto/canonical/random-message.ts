/** Seeded random messages of any published type, made by reflection: every field set to something that is not its default. */
import type protobuf from "protobufjs";

export interface Draw {
  /** A whole number in [0, bound). */
  below(bound: number): number;
}

/** Mulberry32: small, seeded, the same everywhere. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return {
    below(bound) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
    },
  };
}

const DEPTH_MAX = 4;

/** A plain object in protobufjs' fromObject form. */
export function randomMessage(
  type: protobuf.Type,
  draw: Draw,
  depth: number = 0,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  // One member of each oneof, so that what is written is what a reader keeps.
  const chosen = new Set(
    type.oneofsArray.map((oneof) => oneof.fieldsArray[draw.below(oneof.fieldsArray.length)]?.name),
  );
  for (const field of type.fieldsArray) {
    field.resolve();
    if (field.partOf !== null && !chosen.has(field.name)) continue;
    const value = (): unknown => randomValue(field, draw, depth);
    if (field.repeated) {
      const count = depth >= DEPTH_MAX ? 0 : draw.below(4);
      if (count > 0) out[field.name] = Array.from({ length: count }, value);
    } else if (draw.below(4) > 0 && (depth < DEPTH_MAX || field.resolvedType === null)) {
      out[field.name] = value();
    }
  }
  return out;
}

function randomValue(field: protobuf.Field, draw: Draw, depth: number): unknown {
  const { resolvedType } = field;
  if (resolvedType !== null) {
    if ("fieldsArray" in resolvedType) return randomMessage(resolvedType, draw, depth + 1);
    const numbers = Object.values(resolvedType.values).filter((number) => number !== 0);
    return numbers[draw.below(numbers.length)];
  }
  switch (field.type) {
    case "bool":
      return true;
    case "string":
      return ["a", "keel1xyz", "0.5", "ü€𝄞", "x".repeat(200)][draw.below(5)];
    case "bytes":
      return Uint8Array.from({ length: 1 + draw.below(40) }, () => draw.below(256));
    case "uint32":
      return [1, 127, 128, 65_536, 4_294_967_295][draw.below(5)];
    case "int32":
    case "sint32":
      return [1, -1, 300, -2_147_483_648, 2_147_483_647][draw.below(5)];
    case "uint64":
      return ["1", "128", "9007199254740993", "18446744073709551615"][draw.below(4)];
    case "int64":
    case "sint64":
      return ["1", "-1", "-9007199254740993", "9223372036854775807", "-9223372036854775808"][
        draw.below(5)
      ];
    default:
      throw new Error(`no random value for ${field.fullName} of type ${field.type}`);
  }
}
