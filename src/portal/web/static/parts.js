// A sealed file in parts, as `tarseal seal --split` cuts it: plain pieces NAME.001, NAME.002 and so on, and their list NAME.parts.
// The parts are joined here, and only if each is what the list says.

import { Refused, digestsOf, idOf } from "./sealed.js";

const LIST = ".parts", LONGEST_LIST = 256 * 1024, MOST = 999;
const PART = /\.\d{3}$/;
const AGAIN = "Copy it again from where it was made. Nothing was sent.";

const partOf = (name, number) => `${name}.${String(number).padStart(3, "0")}`;

/** A name that somebody gave, kept apart so that no letter in it turns the sentence round. */
export const named = (name) => `\u2068${name}\u2069`;

/** Whether these files are a sealed file in parts, or some of it, by their names. */
export function isInParts(files) {
  return files.length > 1 || files[0].name.endsWith(LIST) || PART.test(files[0].name);
}

/** Reads a list. Refuses one that does not add up. */
async function read(list) {
  const refuse = () => new Refused(`${named(list.name)} is not the list of a sealed file in parts. ${AGAIN}`);
  if (list.size > LONGEST_LIST) throw refuse();
  let told;
  try {
    told = JSON.parse(await list.text());
  } catch {
    throw refuse();
  }
  const parts = told?.parts;
  const isPart = (part) => Number.isSafeInteger(part?.size) && part.size > 0 && typeof part.sha256 === "string";
  if (told?.edition !== 1 || !Array.isArray(parts) || parts.length < 1 || parts.length > MOST || !parts.every(isPart)) throw refuse();
  if (parts.reduce((sum, part) => sum + part.size, 0) !== told.size) throw refuse();
  return told;
}

/** What is wrong with the part at `place`, in words. */
function fault(place, parts, name, found) {
  const which = `Part ${place + 1} of ${parts.length}, ${named(partOf(name, place + 1))},`;
  const twin = parts.findIndex((part) => part.sha256 === found.sha256);
  if (twin >= 0) return `${which} is part ${twin + 1} once more. ${AGAIN}`;
  if (found.size < parts[place].size) return `${which} is cut off. ${AGAIN}`;
  return `${which} was changed, or is of another snapshot. ${AGAIN}`;
}

/** Joins the parts among `files`. Tells how much it has read of how much. Refuses when one is missing, or is not what the list says. */
export async function join(files, looking) {
  const lists = files.filter((file) => file.name.endsWith(LIST));
  if (lists.length !== 1) {
    throw new Refused(lists.length || !files.every((file) => PART.test(file.name))
      ? "Send one file, and then the next. Of a file in parts, choose its parts and their list together, and nothing else."
      : "This is a sealed file in parts. Choose all of its parts, and their list too: its name ends in .parts.");
  }
  const [list] = lists, name = list.name.slice(0, -LIST.length);
  const { parts, sha256, size } = await read(list);
  const beside = new Map(files.filter((file) => file !== list).map((file) => [file.name, file]));
  const blobs = parts.map((_, place) => {
    const part = beside.get(partOf(name, place + 1));
    if (!part) throw new Refused(`Part ${place + 1} of ${parts.length}, ${named(partOf(name, place + 1))}, is missing. Choose all parts and their list together.`);
    beside.delete(part.name);
    return part;
  });
  for (const other of beside.keys()) throw new Refused(`${named(other)} is no part of ${named(name)}. Choose its parts and their list, and nothing else.`);
  const digests = await digestsOf(blobs, (done) => looking(done, Math.max(done, size)));
  for (const [place, own] of digests.each.entries()) {
    if (own !== parts[place].sha256) throw new Refused(fault(place, parts, name, { size: blobs[place].size, sha256: own }));
  }
  if (digests.whole !== sha256) throw new Refused(`${named(list.name)} is not the list of these parts. ${AGAIN}`);
  const blob = new Blob(blobs);
  return { id: await idOf(blob), blob, sha256 };
}
