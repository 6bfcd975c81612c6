import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError, homePaths } from "../config/files.ts";

/** Empties data/ but for the record of what was signed: forgetting that is how a validator signs twice. */
export function resetCommand({ home }: { readonly home: string }): void {
  const { data, validatorState } = homePaths(home);
  if (!existsSync(data)) throw new ConfigError(`${data} is missing; nothing to reset`);
  for (const entry of readdirSync(data)) {
    if (entry !== basename(validatorState))
      rmSync(join(data, entry), { recursive: true, force: true });
  }
  process.stdout.write(
    `blocks and state under ${data} deleted; ${basename(validatorState)} kept\n`,
  );
}
