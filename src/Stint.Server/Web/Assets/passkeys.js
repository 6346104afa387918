// Makes and shows passkeys. A form says where to ask and where to answer; its fields go along with both.
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

const make = async (options) => {
  const made = await navigator.credentials.create({ publicKey: {
    ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) }, excludeCredentials: listed(options.excludeCredentials),
  } });
  return { ...common(made), response: {
    clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject), transports: made.response.getTransports?.() ?? [],
  } };
};

const show = async (options) => {
  const shown = await navigator.credentials.get({ publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: listed(options.allowCredentials) } });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return { ...common(shown), response: {
    clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature), userHandle: userHandle ? toText(userHandle) : null,
  } };
};

const common = (credential) => ({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, clientExtensionResults: {} });

const post = async (path, body, csrf) => {
  const response = await fetch(path, {
    method: "POST", credentials: "same-origin", cache: "no-store",
    headers: { "Content-Type": "application/json", ...(csrf ? { "X-Stint-CSRF": csrf } : {}) }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error([answer.detail ?? answer.title, ...(answer.errors ?? []).map((one) => one.message), answer.remedy].filter(Boolean).join(" "));
  }
  return answer;
};

const why = (error) => error.name === "NotAllowedError" ? "Nothing was confirmed in time, or it was cancelled. Try again."
  : error.name === "InvalidStateError" ? "This device has a passkey for you already."
  : error.name === "SecurityError" ? "This browser does not take passkeys at this address."
  : error.message;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-go]");
  const trouble = form.querySelector(".trouble");
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    trouble.textContent = "This browser has no passkeys, or the connection is not a secure one.";
    trouble.hidden = false;
    continue;
  }
  button.addEventListener("click", async () => {
    button.disabled = true;
    trouble.hidden = true;
    const { csrf, password, again, ...fields } = Object.fromEntries(new FormData(form));
    try {
      const options = await post(form.dataset.ask, fields, csrf);
      const credential = form.dataset.passkey === "create" ? await make(options) : await show(options);
      const answer = await post(form.dataset.answer, { ...fields, credential }, csrf);
      if (answer.codes) {
        const list = document.getElementById("codes");
        list.replaceChildren(...answer.codes.map((code) => Object.assign(document.createElement("li"), { className: "code", textContent: code })));
        document.getElementById("before").hidden = true;
        document.getElementById("after").hidden = false;
        document.getElementById("after").focus();
      } else {
        location.assign(answer.then);
      }
    } catch (error) {
      trouble.textContent = why(error);
      trouble.hidden = false;
      button.disabled = false;
    }
  });
}
