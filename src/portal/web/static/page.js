// What pages do better with a script: deadlines count down, a link's invitation fills its field, commands are copied.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** How long it is until an instant: in days and hours, at the end to the second. */
function left(seconds) {
  if (seconds <= 0) return "the time is over";
  const days = Math.floor(seconds / DAY), hours = Math.floor((seconds % DAY) / HOUR);
  const minutes = Math.floor((seconds % HOUR) / MINUTE), rest = Math.floor(seconds % MINUTE);
  const told = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"}`;
  if (days >= 2) return `in ${told(days, "day")} and ${told(hours, "hour")}`;
  if (days + hours > 0) return `in ${told(days * 24 + hours, "hour")} and ${told(minutes, "minute")}`;
  return calm ? `in ${told(minutes, "minute")}` : `in ${told(minutes, "minute")} and ${told(rest, "second")}`;
}

for (const place of document.querySelectorAll("[data-until]")) {
  // The portal's clock counts; this computer's only says how much of it has gone by.
  const until = Number(place.dataset.until), began = Number(place.dataset.now), here = performance.now();
  const show = () => {
    const text = left(until - began - (performance.now() - here) / 1000);
    if (place.textContent !== text) place.textContent = text;
  };
  show();
  setInterval(show, calm ? 60_000 : 1000);
}

const field = document.querySelector("[data-from-hash]");
function take() {
  if (!field || location.hash.length < 2) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  // It is a secret: out of the address, and out of the history.
  history.replaceState(null, "", location.pathname);
  document.querySelector("#name").focus();
}
take();
addEventListener("hashchange", take);

// The clipboard is there on a connection that nobody listens to.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  const words = [...button.childNodes];
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.replaceChildren(...words); }, 3000);
  });
}

// A chosen file fills the field for those who cannot choose one here.
for (const place of document.querySelectorAll("[data-file-for]")) {
  const chosen = place.querySelector("input");
  place.hidden = false;
  chosen.addEventListener("change", async () => {
    if (chosen.files.length) document.getElementById(place.dataset.fileFor).value = await chosen.files[0].text();
  });
}
