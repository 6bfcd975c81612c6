/** What a tour did and what the chain answered, beside what it should have answered. */
import { KeelInputError, KeelTxError } from "@keel/client/errors";

export interface Step {
  readonly area: string;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

export class Steps {
  readonly #done: Step[] = [];
  readonly #say: (step: Step) => void;

  constructor(say: (step: Step) => void) {
    this.#say = say;
  }

  get all(): readonly Step[] {
    return this.#done;
  }

  get wrong(): readonly Step[] {
    return this.#done.filter(({ expected, got }) => expected !== got);
  }

  /** What is thrown is an answer too: a refusal by its name, anything else by its words. */
  async step(
    area: string,
    what: string,
    expected: string,
    work: () => Promise<string>,
  ): Promise<void> {
    let got: string;
    try {
      got = await work();
    } catch (error) {
      got = answerOf(error);
    }
    const step = { area, what, expected, got };
    this.#done.push(step);
    this.#say(step);
  }
}

function answerOf(error: unknown): string {
  if (error instanceof KeelTxError) return `refused: ${error.codeName ?? error.log}`;
  if (error instanceof KeelInputError) return `not sent: ${error.code}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

export function stepText({ area, what, expected, got }: Step): string {
  const verdict = expected === got ? "ok   " : "WRONG";
  const wanted = expected === got ? "" : ` (expected ${expected})`;
  return `${verdict} ${area.padEnd(14)} ${what.padEnd(58)} ${got}${wanted}`;
}
