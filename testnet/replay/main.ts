/** npm run replay: lives through a crash and says what happened. Exit code 1 when a check fails. */
import { writeFileSync } from "node:fs";
import { readOptions } from "./options.ts";
import { exitCode, printReport } from "./report.ts";
import { runReplay } from "./run.ts";

try {
  const options = readOptions(process.argv);
  const report = await runReplay(options, (text) => process.stdout.write(`${text}\n`));
  writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(printReport(report));
  process.exit(exitCode(report));
} catch (error) {
  process.stderr.write(
    `replay: ${process.env["KEEL_TRACE"] === undefined ? (error as Error).message : (error as Error).stack}\n`,
  );
  process.exit(1);
}
