/** Asks the modules' running invariants. */
import type { ReadContext } from "@keel/modules/kit/context";
import type { ModuleDefinition } from "@keel/modules/kit/module";
import { asContained } from "./faults.ts";

export interface Violation {
  readonly module: string;
  /** "margin/vault-backed" */
  readonly name: string;
  readonly detail: string;
}

/** An invariant that throws cannot be vouched for, so it counts as broken. */
export function firstViolation(
  context: ReadContext,
  modules: readonly ModuleDefinition[],
  kind: "running" | "full" = "running",
): Violation | null {
  for (const module of modules) {
    for (const [short, holds] of Object.entries(module.invariants[kind])) {
      const name = `${module.name}/${short}`;
      try {
        const detail = holds(context);
        if (detail !== null) return { module: module.name, name, detail };
      } catch (error) {
        return { module: module.name, name, detail: asContained(error).message };
      }
    }
  }
  return null;
}
