import type { KeelApplication } from "../app/application.ts";
import { ConfigError } from "../config/files.ts";

/** Throws one sentence when an invariant of the committed state is broken; full scans, for stopped nodes. */
export function requireSoundState(app: Pick<KeelApplication, "brokenInvariant">): void {
  const violation = app.brokenInvariant();
  if (violation !== null)
    throw new ConfigError(`invariant ${violation.name} is broken: ${violation.detail}`);
}
