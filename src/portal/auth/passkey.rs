//! Passkeys: <https://www.w3.org/TR/webauthn-3/>. The library draws challenges and verifies answers; this says for whom and for
//! what, and that each is good once.
//!
//! The device shows that its owner is there and, by a PIN or a look or a finger, that it is its owner: so a passkey is two factors
//! in one. A challenge is kept nowhere: whoever is asked carries it, sealed for the place it was made for, and brings it back with
//! the answer.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use passkey_auth::{
    Attachment, AuthenticationResponse, AuthenticationState, CosePublicKey, CredentialId, PasskeyCredential,
    RegistrationResponse, RegistrationState, Webauthn,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};
use utoipa::ToSchema;

use super::key::FactorKey;
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::app::random_id;
use crate::portal::error::ApiError;
use crate::portal::store::passkeys::PasskeyRow;

/// For how long a challenge may be answered, in seconds.
const PATIENCE: i64 = 300;

/// How many passkeys a user may have.
pub(crate) const MOST: usize = 10;

/// How browsers may reach a device (`WebAuthn`, section 5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Asks for passkeys and verifies them, for one address of a portal.
pub(crate) struct Passkeys {
    webauthn: Webauthn,
    key: FactorKey,
}

/// What a challenge is for. Its answer is good for nothing else.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// For the user of a session to add a passkey.
    Add(&'a str),
    /// For the user of a session to show their second factor again.
    Show(&'a str),
    /// For anyone of the tenant to sign in.
    SignIn,
}

/// What a browser is asked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Challenge {
    /// Comes back with the answer.
    challenge: String,
    /// What goes into `navigator.credentials.create` or `get`, with its bytes in Base64 (URL, no padding).
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    public_key: Value,
}

/// What `navigator.credentials.create` gave, in the form of `toJSON` (`WebAuthn`, section 5.1: `RegistrationResponseJSON`); what is
/// not listed here is not looked at.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Made {
    id: String,
    response: MadeResponse,
}

#[derive(Deserialize, ToSchema)]
struct MadeResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// What `navigator.credentials.get` gave, in the form of `toJSON` (`AuthenticationResponseJSON`).
#[derive(Deserialize, ToSchema)]
pub(crate) struct Shown {
    id: String,
    response: ShownResponse,
}

#[derive(Deserialize, ToSchema)]
struct ShownResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "authenticatorData")]
    data: String,
    signature: String,
    #[serde(rename = "userHandle", default)]
    user: Option<String>,
}

/// A challenge that came back in time and to the right place.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Its name, by which it is known to have been answered.
    pub(crate) id: String,
    /// After this it would be too old.
    pub(crate) until: Timestamp,
}

/// Why an answer is no good.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The challenge is not one of ours, is too old, or was for another place; or the answer does not fit it.
    Wrong,
    /// All fits, but the device counts backwards: the answer came before, or there are two of the device.
    Cloned(Answered),
}

/// What is sealed into a challenge.
#[derive(Serialize, Deserialize)]
struct Carried<S> {
    id: String,
    until: i64,
    state: S,
}

impl Passkeys {
    /// For a portal that people reach at `url`; `None` when that is no name: passkeys are bound to one.
    pub(super) fn of(url: &Url, key: FactorKey) -> Option<Self> {
        let Host::Domain(domain) = url.host()? else { return None };
        let webauthn = Webauthn::new(domain, "tarseal", &url.origin().ascii_serialization())
            .authenticator_attachment(Attachment::Any)
            .require_user_verification(true)
            .strict_base64(true);
        Some(Self { webauthn, key })
    }

    /// Asks a user, by id and name, for a passkey of a device that has none of `known` yet.
    pub(crate) fn ask_to_add(
        &self,
        (tenant, purpose): (&TenantId, Purpose<'_>),
        (user, name): (&str, &str),
        known: &[PasskeyRow],
        now: Timestamp,
    ) -> Result<Challenge, ApiError> {
        let known: Vec<_> = known.iter().map(|row| CredentialId(row.credential.clone())).collect();
        let name = format!("{name} at {tenant}");
        let (mut asked, state) = self.webauthn.start_registration(user.as_bytes(), &name, &name, &known);
        // So that signing in takes no name.
        asked.authenticator_selection.resident_key = Some("required");
        self.challenge((tenant, purpose), &asked, state, now)
    }

    /// Asks for one of a user's passkeys; when `known` is empty, for any that the device has for this portal.
    pub(crate) fn ask_to_show(
        &self,
        (tenant, purpose): (&TenantId, Purpose<'_>),
        known: &[PasskeyRow],
        now: Timestamp,
    ) -> Result<Challenge, ApiError> {
        let known: Vec<_> = known.iter().map(credential).collect();
        let (asked, state) = self.webauthn.start_authentication_with_creds(&known);
        self.challenge((tenant, purpose), &asked, state, now)
    }

    /// Verifies a passkey that was made for `user`; gives what is to be kept of it.
    pub(crate) fn made(
        &self,
        at: (&TenantId, Purpose<'_>),
        (challenge, made): (&str, Made),
        (user, name): (&str, &str),
        now: Timestamp,
    ) -> Result<(Answered, PasskeyRow), Refused> {
        let (answered, state) = self.carried::<RegistrationState>(at, challenge, now).ok_or(Refused::Wrong)?;
        let response = RegistrationResponse {
            id: made.id,
            transports: made.response.transports,
            attestation_object: made.response.attestation,
            client_data_json: made.response.client_data,
        };
        let made = self.webauthn.finish_registration(&state, &response).map_err(wrong)?;
        let transports = made.transports.into_iter().filter(|one| TRANSPORTS.contains(&one.as_str()));
        let row = PasskeyRow {
            id: random_id(),
            user: user.to_owned(),
            name: name.to_owned(),
            credential: made.id.0,
            key: made.public_key_cose.0,
            counter: made.counter,
            transports: transports.collect(),
            created_at: now,
            used_at: None,
        };
        Ok((answered, row))
    }

    /// Verifies that the device of a passkey is there with its owner; gives what it counts.
    pub(crate) fn shown(
        &self,
        at: (&TenantId, Purpose<'_>),
        (challenge, shown): (&str, Shown),
        known: &PasskeyRow,
        now: Timestamp,
    ) -> Result<(Answered, u32), Refused> {
        let (answered, state) = self.carried::<AuthenticationState>(at, challenge, now).ok_or(Refused::Wrong)?;
        let response = AuthenticationResponse {
            id: shown.id,
            authenticator_data: shown.response.data,
            signature: shown.response.signature,
            client_data_json: shown.response.client_data,
            user_handle: shown.response.user,
        };
        match self.webauthn.finish_authentication(&state, &response, &credential(known)) {
            Ok(success) => Ok((answered, success.new_counter)),
            // The signature was verified before.
            Err(passkey_auth::Error::CounterReplay { .. }) => Err(Refused::Cloned(answered)),
            Err(fault) => Err(wrong(fault)),
        }
    }

    fn challenge(
        &self,
        at: (&TenantId, Purpose<'_>),
        asked: &impl Serialize,
        state: impl Serialize,
        now: Timestamp,
    ) -> Result<Challenge, ApiError> {
        let carried = Carried { id: random_id(), until: now.plus_seconds(PATIENCE).seconds(), state };
        let carried = serde_json::to_vec(&carried).map_err(ApiError::fault)?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(self.key.seal(&place(at), &carried));
        Ok(Challenge { challenge, public_key: serde_json::to_value(asked).map_err(ApiError::fault)? })
    }

    fn carried<S: DeserializeOwned>(
        &self,
        at: (&TenantId, Purpose<'_>),
        challenge: &str,
        now: Timestamp,
    ) -> Option<(Answered, S)> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(challenge).ok()?;
        let opened = self.key.open(&place(at), &sealed)?;
        let carried: Carried<S> = serde_json::from_slice(opened.expose()).ok()?;
        let until = Timestamp::from_seconds(carried.until);
        (now < until).then_some((Answered { id: carried.id, until }, carried.state))
    }
}

impl Shown {
    /// What the device calls the passkey, if it can be read.
    pub(crate) fn credential(&self) -> Option<Vec<u8>> {
        BASE64_URL_SAFE_NO_PAD.decode(&self.id).ok()
    }

    /// The user that the device says it is for.
    pub(crate) fn user(&self) -> Option<String> {
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(self.response.user.as_ref()?).ok()?).ok()
    }
}

/// Where a challenge may be answered, as what it is sealed for.
fn place((tenant, purpose): (&TenantId, Purpose<'_>)) -> String {
    match purpose {
        Purpose::Add(session) => format!("{tenant}/add/{session}"),
        Purpose::Show(session) => format!("{tenant}/show/{session}"),
        Purpose::SignIn => format!("{tenant}/sign-in"),
    }
}

fn credential(row: &PasskeyRow) -> PasskeyCredential {
    PasskeyCredential {
        id: CredentialId(row.credential.clone()),
        public_key_cose: CosePublicKey(row.key.clone()),
        counter: row.counter,
        transports: row.transports.clone(),
        aaguid: [0; 16],
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn wrong(fault: passkey_auth::Error) -> Refused {
    tracing::info!(%fault, "a passkey was refused");
    Refused::Wrong
}
