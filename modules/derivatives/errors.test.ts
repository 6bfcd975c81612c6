import { ErrorCode } from "@keel/proto/gen/keel/derivatives/v1/errors";
import { describe, expect, it } from "vitest";
import { DERIVATIVES_CODES } from "./errors.ts";

describe("error codes", () => {
  it("are the published ones, each once", () => {
    const published = Object.entries(ErrorCode)
      .filter(([, code]) => code >= 2)
      .map(([name, code]) => [
        name.replace("ERROR_CODE_", "").toLowerCase().replaceAll("_", ""),
        code,
      ]);
    const ours = Object.entries(DERIVATIVES_CODES).map(([name, code]) => [
      name.toLowerCase(),
      code,
    ]);
    expect(new Map(ours as [string, number][])).toEqual(new Map(published as [string, number][]));
  });
});
