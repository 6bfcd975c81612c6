import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";
import { openWal, WalDamaged } from "./wal.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-wal-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function writeSample(path: string): Promise<string[]> {
  const wal = await openWal({ path });
  const records = ["proposal", "part of a block", "vote", "x"];
  await wal.writeEndHeight(0);
  for (const record of records) wal.append(text(record));
  await wal.close();
  return records;
}

async function readSample(path: string): Promise<string[] | null> {
  const wal = await openWal({ path });
  try {
    const records = await wal.readAfterEndHeight(0);
    return records === null ? null : records.map((record) => new TextDecoder().decode(record));
  } finally {
    await wal.close();
  }
}

describe("crc32c", () => {
  it("gives the check value of the Castagnoli catalogue and the RFC 3720 vectors", () => {
    expect(crc32c(text("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  });
});

describe("the write-ahead log", () => {
  it("gives back the records after the last mark of a height, and null where that mark is missing", async () => {
    const wal = await openWal({ path: join(directory, "wal") });
    await wal.writeEndHeight(0);
    wal.append(text("one"));
    await wal.writeEndHeight(1);
    wal.append(text("two"));
    wal.append(text("three"));
    expect(
      (await wal.readAfterEndHeight(1))?.map((record) => new TextDecoder().decode(record)),
    ).toEqual(["two", "three"]);
    expect((await wal.readAfterEndHeight(0))?.length).toBe(3);
    expect(await wal.readAfterEndHeight(2)).toBeNull();
    await wal.close();
  });

  it("frames a record as checksum, length and payload, big-endian", async () => {
    const path = join(directory, "wal");
    const wal = await openWal({ path });
    wal.append(text("hi"));
    await wal.writeEndHeight(5);
    await wal.close();
    const bytes = await readFile(path);
    expect(bytes.readUInt32BE(4)).toBe(3);
    expect(bytes.subarray(8, 11).toString("hex")).toBe("016869");
    expect(bytes.readUInt32BE(0)).toBe(crc32c(bytes, 8, 11));
    expect(bytes.subarray(19).toString("hex")).toBe("020000000000000005");
  });

  it("recovers a prefix of whole records from a truncation at every byte", async () => {
    const path = join(directory, "wal");
    const records = await writeSample(path);
    const bytes = await readFile(path);
    for (let size = 0; size < bytes.length; size++) {
      await writeFile(path, bytes.subarray(0, size));
      const read = await readSample(path);
      if (size < 17) expect(read).toBeNull();
      else expect(read).toEqual(records.slice(0, read?.length));
      // What was recovered stays, and appending after it works.
      const wal = await openWal({ path });
      wal.append(text("after"));
      await wal.close();
      if (size >= 17) expect((await readSample(path))?.at(-1)).toBe("after");
    }
  });

  it("never returns an altered record, and refuses damage that has intact records behind it, at every bit", async () => {
    const path = join(directory, "wal");
    const records = await writeSample(path);
    const bytes = await readFile(path);
    const lastStart = bytes.length - 8 - 2;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      if (bit >> 3 < lastStart) {
        await expect(readSample(path)).rejects.toThrow(WalDamaged);
        expect((await readFile(path)).equals(flipped)).toBe(true);
      } else {
        expect(await readSample(path)).toEqual(records.slice(0, -1));
      }
    }
  });

  it("cuts off a tail of zeros left by a power loss", async () => {
    const path = join(directory, "wal");
    const records = await writeSample(path);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(4096)]));
    expect(await readSample(path)).toEqual(records);
  });

  it("rotates full files, keeps their total bounded and reads across them", async () => {
    const path = join(directory, "wal");
    const wal = await openWal({ path, fileBytesMax: 100, totalBytesMax: 400 });
    for (let height = 0; height < 50; height++) {
      wal.append(text(`record ${height}`));
      await wal.writeEndHeight(height);
    }
    expect((await readdir(directory)).length).toBeGreaterThan(2);
    expect((await readdir(directory)).length).toBeLessThanOrEqual(6);
    expect(await wal.readAfterEndHeight(0)).toBeNull();
    // However long a height lasts, what belongs to it is kept.
    for (let index = 0; index < 30; index++) {
      wal.append(text(`long record number ${index} of the height in progress`));
      await wal.flush();
    }
    expect((await wal.readAfterEndHeight(49))?.length).toBe(30);
    await wal.close();
  });

  it("refuses a record above its bound and any append after close", async () => {
    const wal = await openWal({ path: join(directory, "wal"), recordBytesMax: 10 });
    expect(() => wal.append(new Uint8Array(11))).toThrow("expected at most 10 bytes, got 11");
    await wal.close();
    expect(() => wal.append(new Uint8Array(1))).toThrow("closed");
  });
});
