// Sends a sealed file, whole or in parts: reads its header, counts its SHA-256, announces it, and sends it by tus (tus.min.js).
// Nothing is kept in the browser: who announces the same file again learns from the portal where it stands.

import { isInParts, join, named } from "./parts.js";
import { Refused, digestsOf, idOf } from "./sealed.js";

/** In milliseconds, when the line breaks: half an hour, and what arrives in between begins anew. */
const TRIES = [0, 1000, 3000, 5000, 10_000, 20_000, ...Array(60).fill(30_000)];

const at = (id) => document.getElementById(id);
const form = at("upload"), file = at("file"), send = at("send"), pause = at("pause");
let upload = null, spoken = -1;

function size(bytes) {
  const units = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];
  const [name, unit] = units.find(([, unit]) => bytes >= unit) ?? ["bytes", 1];
  return unit === 1 ? `${bytes} ${name}` : `${(bytes / unit).toFixed(1)} ${name}`;
}

/** Says a sentence on the page, and to a screen reader. */
function say(text, bad = false) {
  at("said").textContent = text;
  at("said").className = bad ? "notice bad" : "";
}

/** Shows how far something is; aloud at each tenth only. */
function show(doing, done, total) {
  const percent = total ? Math.floor((done / total) * 100) : 100;
  at("sending").hidden = false;
  at("doing").textContent = `${doing}: ${size(done)} of ${size(total)}`;
  at("progress").value = percent;
  const tenth = Math.floor(percent / 10);
  if (tenth !== spoken) {
    spoken = tenth;
    say(`${doing}: ${percent} percent`);
  }
}

const looking = (done, total) => show("Looking at the file", done, total);

/** A sealed file that lies in one piece. */
async function inOnePiece(blob) {
  const id = await idOf(blob);
  const { whole } = await digestsOf([blob], (done) => looking(done, blob.size));
  return { id, blob, sha256: whole };
}

/** What a problem of the portal says, for people. */
async function problemOf(status, text) {
  try {
    const problem = JSON.parse(text);
    if (status === 401 && form.dataset.wantsToken === undefined) {
      return "You are signed out. Sign in in another tab, then press Go on.";
    }
    return problem.detail || `${problem.title}.`;
  } catch {
    return `The portal answered ${status}.`;
  }
}

async function announce(ticket, headers, told) {
  let answer;
  try {
    answer = await fetch(`/v1/tickets/${encodeURIComponent(ticket)}/snapshots`, {
      method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(told),
    });
  } catch {
    throw new Refused("The portal cannot be reached. Nothing was sent. Try again when there is a connection.");
  }
  if (!answer.ok) throw new Refused(await problemOf(answer.status, await answer.text()));
  return answer.headers.get("Location");
}

function stop(text) {
  say(text, true);
  send.disabled = file.disabled = false;
  send.textContent = upload ? "Go on" : "Send";
  pause.hidden = true;
  send.focus();
}

async function arrived(id, headers) {
  const answer = await fetch(`/v1/snapshots/${id}`, { headers });
  const told = await answer.json();
  const facts = [["Ticket", told.ticket], ["Size", size(told.size)], ["Stored", told.uploaded_at], ["To be deleted by", told.due_at], ["SHA-256", told.sha256], ["Check phrase", told.check_phrase]];
  for (const [name, value] of facts) {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, text.textContent] = [name, value ?? "–"];
    at("facts").append(term, text);
  }
  at("receipt").href = `/v1/snapshots/${id}/receipt`;
  at("receipt").download = `${id}.receipt.txt`;
  if (at("snapshot")) at("snapshot").href = `/snapshots/${id}`;
  at("sending").hidden = form.hidden = true;
  at("arrived").hidden = false;
  say("Sent. The portal has the whole file, and its checksum matches.");
}

function begin(blob, location, id, headers) {
  spoken = -1;
  upload = new tus.Upload(blob, {
    uploadUrl: new URL(location, window.location.href).href,
    headers, retryDelays: TRIES, storeFingerprintForResuming: false, removeFingerprintOnSuccess: true,
    onProgress: (done, total) => show("Sending", done, total),
    onShouldRetry: (fault) => {
      const status = fault.originalResponse?.getStatus() ?? 0;
      const again = status === 0 || status === 408 || status === 409 || status === 423 || status === 425 || status === 429 || status >= 500;
      if (again) say("The line broke. What the portal has, it keeps; trying again.");
      return again;
    },
    onError: async (fault) => {
      const answer = fault.originalResponse;
      stop(answer ? await problemOf(answer.getStatus(), answer.getBody()) : "The portal cannot be reached. What it has, it keeps. Press Go on when there is a connection.");
    },
    onSuccess: () => arrived(id, headers).catch(() => stop("The file is sent, but the portal did not answer just now. Look at the ticket.")),
  });
  goOn();
}

function goOn() {
  send.disabled = file.disabled = true;
  pause.hidden = false;
  upload.start();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (upload) return goOn();
  const files = [...file.files];
  if (files.length === 0) {
    say("Choose a file first.", true);
    return file.focus();
  }
  const wantsToken = form.dataset.wantsToken !== undefined;
  const ticket = wantsToken ? at("ticket").value.trim() : form.dataset.ticket;
  const headers = wantsToken ? { Authorization: `Bearer ${at("token").value.trim()}` } : {};
  send.disabled = file.disabled = true;
  try {
    spoken = -1;
    const { id, blob, sha256 } = isInParts(files) ? await join(files, looking) : await inOnePiece(files[0]);
    const location = await announce(ticket, headers, { file_id: id, size: blob.size, sha256 });
    if (location) begin(blob, location, id, headers);
    else await arrived(id, headers);
  } catch (fault) {
    if (!(fault instanceof Refused)) console.error(fault);
    stop(fault instanceof Refused ? fault.message : "The file could not be read. Choose it again.");
  }
});

pause.addEventListener("click", async () => {
  await upload.abort();
  stop("Stopped. What the portal has, it keeps for seven days. Press Go on, or choose the same file again later.");
});

// Another file is another upload.
file.addEventListener("change", () => {
  upload?.abort();
  upload = null;
  send.textContent = "Send";
  say("");
});

// A file may be dropped anywhere on the page: beside the field, the browser would open it in the place of the page.
const drop = at("drop");
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const dropped = event.dataTransfer.files;
  if (file.disabled || dropped.length === 0) return;
  file.files = dropped;
  file.dispatchEvent(new Event("change"));
  say(`${dropped.length === 1 ? named(dropped[0].name) : `${dropped.length} files`}: press Send.`);
});
