import { assess } from "../margin/assess.ts";
import { readModelFile } from "../margin/model-file.ts";
import { readPortfolioFile } from "../margin/portfolio-file.ts";
import { reportJson, reportText } from "../margin/report.ts";

/** Prints what a portfolio needs under a margin model. Exit code 2 when its equity is below the initial requirement. */
export function marginCommand(options: {
  readonly model: string;
  readonly portfolio: string;
  readonly json?: true;
}): void {
  const model = readModelFile(options.model);
  const assessment = assess(model, readPortfolioFile(options.portfolio));
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(reportJson(model, assessment), null, 2)}\n`
      : reportText(model, assessment),
  );
  if (assessment.equity < assessment.requirement.initial) process.exitCode = 2;
}
