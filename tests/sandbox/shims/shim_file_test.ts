import assert from "node:assert/strict";
import { machineCode } from "../../../src/sandbox/shims/machine_code.ts";
import { shimFile } from "../../../src/sandbox/shims/shim_file.ts";

Deno.test("shimFile() makes an executable of two segments, none of them writable code", () => {
  for (const [arch, machine] of [["x86_64", 62], ["aarch64", 183]] as const) {
    const file = shimFile("/run/gate.sock", arch);
    const view = new DataView(file.buffer);
    assert.deepEqual([...file.subarray(0, 6)], [0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    assert.equal(view.getUint16(18, true), machine);
    const segments = [0, 1, 2].map((index) => {
      const at = 64 + 56 * index;
      const word = (offset: number) => view.getUint32(at + offset, true);
      return { type: word(0), flags: word(4), at: word(8), address: word(16), size: word(32) };
    });
    const [code, data, stack] = segments;
    assert.deepEqual(segments.map(({ flags }) => flags), [5, 6, 6]);
    assert.equal(stack!.type, 0x6474_e551);
    assert.equal(code!.at + code!.size, data!.at);
    assert.equal(data!.at + data!.size, file.length);
    // What the kernel maps by whole pages has to lie alike in the file and in memory.
    assert.equal(data!.address % 0x1_0000, data!.at % 0x1_0000);
    const entry = view.getUint32(24, true) - code!.address;
    assert.ok(entry > 0 && entry < code!.size);
  }
});

/** What GNU as 2.40 makes of the instructions below, as the comments of the code name them. */
const ASSEMBLED = {
  x86_64: "4889e34489e7be44332211418d55ffb8010000000f0585c00f88e5ffffff4189c44189c583f8fc0f" +
    "841f000000803c25443322117a0f8511000000813c2544332211001000000f85000000004489e748" +
    "8d7308488b13488d54d310b8010000000f05",
  aarch64: "f3030091e003142a816886524124a272a2060051280080520800a072010000d420ffff37f403002a" +
    "f503002a1f100031e0010054896886524924a272290140394a0f80520a00a0723f010a6b01010054" +
    "896886524924a272290140b90a0082520a00a0723f010a6b21000054e003142a61220091620240f9" +
    "620e028b42400091280080520800a072010000d4",
} as const;

Deno.test("machineCode() writes what an assembler does", () => {
  for (const arch of ["x86_64", "aarch64"] as const) {
    const code = machineCode(arch);
    code.begin();
    code.label("again");
    code.call(1, "socket", 0x1122_3344, "received but one");
    code.whenFailed("again");
    code.keep("socket");
    code.keep("received");
    code.whenInterrupted("end");
    code.unlessAt(0x1122_3344, 1, 0x7a, "end");
    code.unlessAt(0x1122_3344, 4, 0x1000, "end");
    code.label("end");
    code.call(1, "socket", "arguments", "environment");
    assert.equal(code.finish().toHex(), ASSEMBLED[arch]);
  }
});

/** The same for what stubs need beyond that. */
const MORE_ASSEMBLED = {
  x86_64: "4189c64489f78b3425443322114489eab8010000000f058b3c25443322118b3425483322118b1425" +
    "4c332211b8010000000f0585c00f84c5ffffffc70425443322110010000001042544332211290425" +
    "483322110f85a6ffffffe9a1ffffff",
  aarch64: "f603002ae003162a896886524924a272210140b9e203152a280080520800a072010000d489688652" +
    "4924a272200140b9096986524924a272210140b9896986524924a272220140b9280080520800a072" +
    "010000d460fdff34896886524924a2720a0082520a00a0722a0100b9896886524924a2722a0140b9" +
    "4a01000b2a0100b9096986524924a2722a0140b94a01006b2a0100b961fbff544efbff54",
} as const;

Deno.test("machineCode() writes what an assembler does for what lies in memory", () => {
  for (const arch of ["x86_64", "aarch64"] as const) {
    const code = machineCode(arch);
    code.label("again");
    code.keep("file");
    code.call(1, "file", { at: 0x1122_3344 }, "received");
    code.call(1, { at: 0x1122_3344 }, { at: 0x1122_3348 }, { at: 0x1122_334c });
    code.whenZero("again");
    code.set(0x1122_3344, 0x1000);
    code.advance(0x1122_3344, 0x1122_3348, "again");
    code.jump("again");
    assert.equal(code.finish().toHex(), MORE_ASSEMBLED[arch]);
  }
});

Deno.test("machineCode() fails for a jump to nowhere, and for what it cannot pass", () => {
  const code = machineCode("x86_64");
  code.whenFailed("nowhere");
  assert.throws(() => code.finish(), /no such label/);
  assert.throws(() => code.call(1, "environment"), /Cannot pass "environment" as argument 0/);
});
