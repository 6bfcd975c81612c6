/** npm run replay: lives through a crash and says what happened. Exit code 1 when a check fails. */
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectory } from "@keel/node/config/directories";
import { recheck, toJsonText } from "./figures.ts";
import { readOptions } from "./options.ts";
import { exitCode, printChecks, printReport } from "./report.ts";
import { runReplay } from "./run.ts";

try {
  const options = readOptions(process.argv);
  if (options.recheck !== null) {
    const checks = recheck(options.recheck);
    process.stdout.write(printChecks(checks));
    process.exit(exitCode(checks));
  }
  // Now, not after the whole replay.
  makeDirectory(dirname(options.report));
  const report = await runReplay(options, (text) => process.stdout.write(`${text}\n`));
  writeFileSync(options.report, toJsonText(report));
  process.stdout.write(printReport(report));
  process.exit(exitCode(report.checks));
} catch (error) {
  process.stderr.write(
    `replay: ${process.env["KEEL_TRACE"] === undefined ? (error as Error).message : (error as Error).stack}\n`,
  );
  process.exit(1);
}
