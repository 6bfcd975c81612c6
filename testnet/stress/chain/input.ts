/** Files that people give: what is wrong with one is said in a sentence. */
import { readFileSync } from "node:fs";

export class InputError extends Error {}

export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`);
  }
}
