import { expect, it } from "vitest";
import { createAddresses } from "../kit/addresses.ts";
import { createAccounts } from "./accounts.ts";

it("takes the text of a sub-account for no owner's address, whatever it has been asked before", () => {
  const addresses = createAddresses("keel");
  const owner = addresses.format(new Uint8Array(20).fill(7));
  const accounts = createAccounts(addresses);
  const account = accounts.of(owner, 5);
  expect(accounts.text(account)).toBe(`${owner}/5`);
  expect(() => accounts.of(`${owner}/5`, 0)).toThrow(/not bech32/);
  expect(accounts.of(owner, 5)).toBe(account);
});
