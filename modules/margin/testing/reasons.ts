/** What events say of why they are there, in tests. */
import type { Explanation } from "../../kit/explanation.ts";
import type { TestContext } from "../../kit/testing/context.ts";

export interface Reasons {
  readonly input: (type: string, name: string) => string | undefined;
  readonly result: (type: string, name: string) => string | undefined;
}

/** The last reason of each type of event, from now on. */
export function listen(ctx: TestContext): Reasons {
  const reasons = new Map<string, Explanation>();
  const { emit } = ctx;
  ctx.emit = (type, attributes, why?: () => Explanation) => {
    if (why !== undefined) reasons.set(type, why());
    emit(type, attributes);
  };
  const saidIn = (part: "inputs" | "results") => (type: string, name: string) =>
    reasons.get(type)?.[part].find((one) => one.name === name)?.value;
  return { input: saidIn("inputs"), result: saidIn("results") };
}
