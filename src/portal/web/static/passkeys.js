// Passkeys: the portal says what to ask, the device answers, the portal is told. Without scripts these parts are not seen.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const told = await answer.json();
  if (answer.ok) return told;
  if (told.type === "/problems/second-factor-needed") {
    location.assign(`/code?next=${encodeURIComponent(location.pathname)}`);
  }
  throw new Error(`${told.title[0].toUpperCase()}${told.title.slice(1)}. ${told.detail}`);
}

// What is asked comes as JSON; the browser wants its bytes as bytes.
function asked(options) {
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  const ready = { ...options, challenge: bytes(options.challenge) };
  if (options.user) ready.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) ready.excludeCredentials = known(options.excludeCredentials);
  if (options.allowCredentials) ready.allowCredentials = known(options.allowCredentials);
  return ready;
}

async function make(part) {
  const name = part.querySelector("[name=name]").value;
  const { challenge, publicKey } = await post("/v1/passkeys/challenge", {});
  const made = await navigator.credentials.create({ publicKey: asked(publicKey) });
  const response = {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  };
  await post("/v1/passkeys", { name, challenge, credential: { id: text(made.rawId), response } });
  location.assign("/account?done=passkey-added");
}

async function show({ challenge, publicKey }) {
  const shown = await navigator.credentials.get({ publicKey: asked(publicKey) });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  const response = {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  };
  return { challenge, credential: { id: text(shown.rawId), response } };
}

async function signIn() {
  const tenant = document.querySelector("#tenant").value.trim();
  const shown = await show(await post("/v1/session/passkey/challenge", { tenant }));
  await post("/v1/session/passkey", { tenant, cookie: true, ...shown });
  location.assign(document.querySelector("[name=next]").value);
}

async function factor() {
  await post("/v1/session/factor", await show(await post("/v1/session/factor/challenge", {})));
  location.assign(document.querySelector("[name=next]").value);
}

const faults = {
  NotAllowedError: "Nothing happened: the device was not asked, has no passkey for this portal, or did not answer in time.",
  AbortError: "Nothing happened: it was stopped.",
  InvalidStateError: "This device has a passkey of yours already.",
  SecurityError: "Passkeys are bound to the portal's own address. Open the portal there.",
};

const acts = { make, "sign-in": signIn, factor };
for (const part of window.PublicKeyCredential ? document.querySelectorAll("[data-passkey]") : []) {
  part.hidden = false;
  const button = part.querySelector("button");
  const said = part.querySelector("[role=alert]");
  const act = async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    try {
      await acts[part.dataset.passkey](part);
    } catch (fault) {
      said.textContent = faults[fault.name] ?? fault.message;
      button.disabled = false;
    }
  };
  if (part.matches("form")) part.addEventListener("submit", act);
  else button.addEventListener("click", act);
}
