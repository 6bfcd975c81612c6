import { KeelInputError, KeelTxError } from "@keel/client/errors";
import { expect, it } from "vitest";
import { type Step, Steps, stepText } from "./steps.ts";

it("a step that is answered otherwise, refused or broken is wrong, and says what it expected", async () => {
  const said: Step[] = [];
  const steps = new Steps((step) => void said.push(step));
  const refusal = { codespace: "derivatives", code: 15, log: "not filled" };
  await steps.step("a", "right", "open", async () => "open");
  await steps.step("a", "other", "open", async () => "filled");
  await steps.step("a", "refused as it should be", "refused: NOT_FILLED", async () => {
    throw new KeelTxError(refusal, "AB", 3);
  });
  await steps.step("a", "not sent", "open", async () => {
    throw new KeelInputError("price-off-tick", "price", "expected a multiple");
  });
  await steps.step("a", "broken", "open", async () => {
    throw new Error("no answer");
  });
  expect(steps.all).toEqual(said);
  expect(steps.wrong.map(({ what, got }) => `${what}: ${got}`)).toEqual([
    "other: filled",
    "not sent: not sent: price-off-tick",
    "broken: Error: no answer",
  ]);
  expect(stepText(steps.wrong[0] as Step)).toMatch(/^WRONG a +other +filled \(expected open\)$/);
  expect(stepText(steps.all[0] as Step)).toMatch(/^ok {4}a +right +open$/);
});
