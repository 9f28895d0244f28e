//! What the portal needs to know people by: the key of sign-ins, the hashing of passwords, the counters.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::factor::Factor;
use super::key::{FactorKey, SignInKey};
use super::passkey::Passkeys;
use super::password::Passwords;
use super::{Limits, Proxies};
use crate::ids::TenantId;
use crate::portal::config::Config;
use crate::portal::error::PortalError;
use crate::secret::Secret;
use crate::wire::RequestCode;

/// Handed to handlers with the rest of the portal's inside.
pub(crate) struct Authority {
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) proxies: Proxies,
    /// There are some where the portal was told its address.
    pub(crate) passkeys: Option<Passkeys>,
    factors: FactorKey,
    texts: FactorKey,
    codes: Secret<[u8; 32]>,
}

impl Authority {
    /// Reads or draws the key of sign-ins beneath the data directory.
    pub(crate) fn open(config: &Config) -> Result<Self, PortalError> {
        let key = SignInKey::open(&config.data).map_err(PortalError::Data)?;
        let proxies = Proxies::parse(&config.trusted_proxies);
        Ok(Self {
            passwords: Passwords::new(key.pepper()),
            limits: Limits::new(config.requests_per_second),
            proxies: proxies.map_err(|fault| PortalError::Proxy(fault.to_string()))?,
            passkeys: config.url.as_ref().and_then(|url| Passkeys::of(url, key.challenges())),
            factors: key.factors(),
            texts: key.texts(),
            codes: key.codes(),
        })
    }

    /// Seals a second factor for the database. The owner is a user or an invitation, by its id.
    pub(crate) fn seal(&self, factor: &Factor, tenant: &TenantId, owner: &str) -> Vec<u8> {
        factor.seal(&self.factors, &format!("{tenant}/{owner}"))
    }

    /// The form in which a request's code is stored: a copy of the database alone gives no codes to try, though they are short.
    pub(crate) fn hash_code(&self, code: &RequestCode) -> [u8; 32] {
        let mut hash = [0; 32];
        let key = Hkdf::<Sha256>::from_prk(self.codes.expose()).expect("32 bytes are a key");
        key.expand(code.plain().as_bytes(), &mut hash).expect("32 bytes are within HKDF's length");
        hash
    }

    /// Opens what was sealed for that owner.
    pub(crate) fn unseal(&self, sealed: &[u8], tenant: &TenantId, owner: &str) -> Option<Factor> {
        Factor::open(&self.factors, &format!("{tenant}/{owner}"), sealed)
    }

    /// Seals what people are told by or asked about, for one place in the database.
    pub(crate) fn seal_text(&self, text: &str, tenant: &TenantId, place: &str) -> Vec<u8> {
        self.texts.seal(&format!("{tenant}/{place}"), text.as_bytes())
    }

    /// Opens what was sealed for that place. `None` when it was sealed elsewhere, or with another key: after a restore without
    /// `sign-in.key`.
    pub(crate) fn unseal_text(&self, sealed: &[u8], tenant: &TenantId, place: &str) -> Option<Zeroizing<String>> {
        let text = self.texts.open(&format!("{tenant}/{place}"), sealed)?;
        let text = text.expose();
        String::from_utf8(text.clone()).ok().map(Zeroizing::new)
    }
}
