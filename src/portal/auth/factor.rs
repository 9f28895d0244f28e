//! The second factor: a one-time code by the clock (TOTP, RFC 6238: SHA-1, 6 digits, 30 seconds, as every authenticator app
//! knows it), and codes on paper for the day the phone is gone.

use rand::CryptoRng;
use sha2::{Digest as _, Sha256};

use super::key::FactorKey;
use crate::clock::Timestamp;
use crate::ids::TenantId;
use crate::portal::error::ApiError;
use crate::secret::Secret;

/// Bytes of the secret: RFC 4226, section 4, R6 recommends 160 bits.
const LENGTH: usize = 20;

/// How many codes on paper someone gets.
const PAPER: usize = 10;

/// The letters of codes on paper: 32, none of which is taken for another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Someone's secret for one-time codes.
pub(crate) struct Factor(Secret<Vec<u8>>);

/// What an authenticator app is told.
pub(crate) struct Enrolment {
    /// The secret in Base32, for typing.
    pub(crate) secret: Secret<String>,
    /// The same as an `otpauth://` address, for a QR code.
    pub(crate) address: Secret<String>,
}

impl Factor {
    /// Draws one.
    pub(crate) fn draw(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Secret::new(vec![0; LENGTH]);
        rng.fill_bytes(bytes.expose_mut());
        Self(bytes)
    }

    pub(super) fn open(key: &FactorKey, owner: &str, sealed: &[u8]) -> Option<Self> {
        key.open(owner, sealed).map(Self)
    }

    pub(super) fn seal(&self, key: &FactorKey, owner: &str) -> Vec<u8> {
        let secret = self.0.expose();
        key.seal(owner, secret)
    }

    /// What the app of a user of that name is told.
    pub(crate) fn enrolment(&self, tenant: &TenantId, name: &str) -> Result<Enrolment, ApiError> {
        let issuer = format!("tarseal {tenant}");
        let totp = self.builder().with_issuer(Some(issuer)).with_account_name(name.to_owned());
        let totp = totp.build().map_err(|_| ApiError::fault("the second factor cannot be told"))?;
        let address = totp.to_url().map_err(|_| ApiError::fault("the second factor cannot be told"))?;
        Ok(Enrolment { secret: Secret::new(totp.secret().to_base32()), address: Secret::new(address) })
    }

    /// The number of the 30 seconds that `code` belongs to, if they are those of `now` or the ones next to them and come
    /// after `last`: no code is good twice.
    pub(crate) fn accepts(&self, code: &str, now: Timestamp, last: i64) -> Option<i64> {
        let totp = self.builder().with_skew(1).build_noncompliant();
        let step = totp.check(code, u64::try_from(now.seconds()).ok()?)?;
        i64::try_from(step).ok().filter(|step| *step > last)
    }

    fn builder(&self) -> totp_rs::Builder {
        let secret = self.0.expose();
        totp_rs::Builder::new().with_secret(secret.as_slice())
    }

    /// The code of an instant, as an app shows it.
    #[cfg(test)]
    pub(crate) fn code(&self, at: Timestamp) -> String {
        self.builder().build_noncompliant().generate(u64::try_from(at.seconds()).unwrap()).to_string()
    }
}

/// Draws codes for paper, each good once: 80 random bits.
pub(crate) fn recovery_codes(rng: &mut dyn CryptoRng) -> Vec<Secret<String>> {
    let mut codes = Vec::with_capacity(PAPER);
    for _ in 0..PAPER {
        let mut bytes = Secret::new([0; 16]);
        rng.fill_bytes(bytes.expose_mut());
        let mut text = String::with_capacity(19);
        for (place, byte) in bytes.expose().iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        codes.push(Secret::new(text));
    }
    codes
}

/// The form in which a code on paper is stored; however it was typed. `None` when it cannot be one.
pub(crate) fn recovery_hash(code: &str) -> Option<[u8; 32]> {
    let plain: Secret<String> = Secret::new(
        code.chars().take(64).filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect(),
    );
    let plain = plain.expose();
    (plain.len() == 16).then(|| Sha256::digest(plain.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn factor() -> Factor {
        // RFC 6238, appendix B.
        Factor(Secret::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        for (at, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let now = Timestamp::from_seconds(at);
            assert_eq!(factor().code(now), code);
            assert_eq!(factor().accepts(code, now, 0), Some(at / 30));
        }
    }

    #[test]
    fn a_code_is_good_for_its_half_minute_and_those_beside_it_and_once() {
        let now = Timestamp::from_seconds(1_234_567_890);
        let step = now.seconds() / 30;
        let code = factor().code(now);
        for (later, good) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let accepted = factor().accepts(&code, now.plus_seconds(later), 0);
            assert_eq!(accepted, good.then_some(step), "{later}");
        }
        assert_eq!(factor().accepts(&code, now, step), None);
        assert_eq!(factor().accepts(&code, now, step - 1), Some(step));
        for wrong in ["", "12345", "1234567", "abcdef", "000000", "\u{0665}05924"] {
            assert_eq!(factor().accepts(wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_is_told_the_secret_and_whose_it_is() {
        let told = factor().enrolment(&"acme".parse().unwrap(), "ada lovelace").unwrap();
        assert_eq!(told.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let address: url::Url = told.address.expose().parse().unwrap();
        assert_eq!((address.scheme(), address.host_str()), ("otpauth", Some("totp")));
        assert!(address.query_pairs().any(|(key, value)| key == "secret" && value == *told.secret.expose()));
        assert!(address.query_pairs().any(|(key, value)| key == "issuer" && value == "tarseal acme"));
    }

    #[test]
    fn codes_on_paper_are_many_different_and_forgiving() {
        let codes = recovery_codes(&mut StdRng::seed_from_u64(1));
        assert_eq!(codes.len(), PAPER);
        let hashes: std::collections::BTreeSet<_> = codes.iter().map(|code| recovery_hash(code.expose())).collect();
        assert_eq!(hashes.len(), PAPER);
        let code = codes[0].expose();
        assert_eq!(code.len(), 19);
        assert_eq!(recovery_hash(code), recovery_hash(&code.to_uppercase().replace('-', " ")));
        assert_eq!(recovery_hash("123456"), None);
        assert_eq!(recovery_hash(&"a".repeat(10_000)), None);
    }
}
