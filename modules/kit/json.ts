/** Strict readers of JSON documents (genesis). Errors name the path, what was expected and what was found. */

export type JsonObject = Readonly<Record<string, unknown>>;

export class GenesisError extends Error {
  constructor(path: string, expected: string, got: unknown) {
    super(
      `genesis ${path}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 80) ?? "nothing"}`,
    );
    this.name = "GenesisError";
  }
}

export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new GenesisError(path, "an object", value);
  return value as JsonObject;
}

/** A missing or null array is empty, as Go writes nil slices. */
export function readArray(object: JsonObject, key: string, path: string): readonly unknown[] {
  const value = object[key] ?? [];
  if (!Array.isArray(value)) throw new GenesisError(`${path}.${key}`, "an array", value);
  return value;
}

export function readString(
  object: JsonObject,
  key: string,
  path: string,
  fallback?: string,
): string {
  const value = object[key] ?? fallback;
  if (typeof value !== "string") throw new GenesisError(`${path}.${key}`, "a string", value);
  return value;
}

export function readBoolean(
  object: JsonObject,
  key: string,
  path: string,
  fallback: boolean,
): boolean {
  const value = object[key] ?? fallback;
  if (typeof value !== "boolean") throw new GenesisError(`${path}.${key}`, "true or false", value);
  return value;
}

/** A whole number ≥ 0, as JSON number or decimal text. */
export function readUint(object: JsonObject, key: string, path: string, fallback?: bigint): bigint {
  const value = object[key] ?? fallback;
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === "string" && /^(0|[1-9][0-9]{0,77})$/.test(value)) return BigInt(value);
  throw new GenesisError(`${path}.${key}`, "a whole number", value);
}
