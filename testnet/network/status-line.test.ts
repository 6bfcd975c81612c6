import { expect, it } from "vitest";
import { statusText } from "./status-line.ts";

it("fits height, block time, signers and the oracle's age into one line of a narrow terminal", () => {
  const look = {
    height: 123_456,
    intervalMs: 1003.2,
    signers: 3,
    validators: 4,
    price: "59977.00392511",
    oracleAgeMs: 1_250,
  };
  const text = statusText(look);
  expect(text).toBe("height 123456  block time 1003 ms  signers 3/4  oracle 59977.00, 1.3 s old");
  expect(text.length).toBeLessThan(78);
  expect(statusText({ ...look, intervalMs: null, oracleAgeMs: null })).toContain("oracle none");
});
