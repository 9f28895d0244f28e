// A sealed file as a browser sees it: which snapshot it is, by its header, and its SHA-256. Nothing of it can be read here.

import { sha256 } from "./sha2.js";

const MAGIC = [0x89, 0x54, 0x53, 0x4c, 0x0d, 0x0a, 0x1a, 0x0a];
const PREAMBLE = 14, LONGEST_HEADER = 65536;
const FILE_ID = 1, SHARE = 3;

/** A fault in words for people. */
export class Refused extends Error {}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The file id out of a sealed file's header (FORMAT.md, "Layout"). */
export async function idOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, PREAMBLE + LONGEST_HEADER).arrayBuffer());
  if (bytes.length < PREAMBLE || MAGIC.some((byte, place) => bytes[place] !== byte)) {
    throw new Refused("This is not a sealed file. Seal it first:  tarseal seal PATH --to RECIPIENT -o FILE");
  }
  const view = new DataView(bytes.buffer);
  const end = Math.min(PREAMBLE + view.getUint32(10), bytes.length);
  let id = null;
  for (let place = PREAMBLE; place + 5 <= end; ) {
    const kind = bytes[place], length = view.getUint32(place + 1), value = place + 5;
    if (value + length > end) break;
    if (kind === FILE_ID && length === 16) id = hex(bytes.subarray(value, value + length));
    if (kind === SHARE) {
      throw new Refused("This file opens only with a share that the portal keeps, and only the program that sealed it has that. Send it with:  tarseal resume");
    }
    place = value + length;
  }
  if (!id) throw new Refused("This sealed file is damaged at its beginning.");
  return id;
}

/** The SHA-256 of blobs, each of its own and of all behind one another. They are read piece by piece; `read` is told how much. */
export async function digestsOf(blobs, read) {
  const whole = sha256.create(), each = [];
  let done = 0;
  for (const blob of blobs) {
    const own = sha256.create(), reader = blob.stream().getReader();
    for (;;) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      own.update(value);
      if (blobs.length > 1) whole.update(value);
      done += value.length;
      read(done);
    }
    each.push(hex(own.digest()));
  }
  return { each, whole: blobs.length > 1 ? hex(whole.digest()) : each[0] };
}
