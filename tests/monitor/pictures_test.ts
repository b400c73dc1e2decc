import assert from "node:assert/strict";
import { takePictures } from "./pictures.ts";

const DOCUMENTED = new URL("../../docs/images/", import.meta.url);

/** Width and height of a PNG (its first chunk is IHDR). */
function sizeOf(png: Uint8Array): [number, number] {
  const view = new DataView(png.buffer, png.byteOffset);
  assert.equal(view.getUint32(12), 0x49484452);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("takePictures() makes the pictures that the documentation shows", async () => {
  const directory = await Deno.makeTempDir({ prefix: "firma-pictures-" });
  try {
    await takePictures(directory);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    const documented = [...Deno.readDirSync(DOCUMENTED)].map(({ name }) => name)
      .filter((name) => name.startsWith("monitor")).sort();
    assert.deepEqual(names, documented);
    for (const name of names) {
      const made = await Deno.readFile(`${directory}/${name}`);
      const [width, height] = sizeOf(made);
      assert.ok(width >= 700 && height >= 700, `${name}: ${width} x ${height}`);
      // A picture of nothing compresses to nothing.
      assert.ok(made.length > 40_000, `${name}: ${made.length} bytes`);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
