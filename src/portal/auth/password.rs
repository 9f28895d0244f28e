//! Passwords: Argon2id with a pepper that is not in the database.
//!
//! Hashing costs memory and time, so only [`AT_ONCE`] run at once and [`WAITING`] wait; others are told to try again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::Rng as _;
use tokio::sync::Semaphore;

use crate::portal::app::system_rng;
use crate::portal::error::ApiError;
use crate::secret::Secret;

/// RFC 9106, section 4, the second recommended choice: 64 MiB, 3 passes, 4 lanes.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// How many are hashed at once: 128 MiB at most.
const AT_ONCE: usize = 2;

/// How many may wait for that: some five seconds.
const WAITING: usize = 64;

/// What a password must be.
pub(crate) const PASSWORD_RULE: &str =
    "A password has 12 to 256 characters, at least 6 of them different, and does not hold the name.";

/// Hashes and verifies.
pub(crate) struct Passwords {
    pepper: Arc<Secret<[u8; 32]>>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Passwords {
    pub(super) fn new(pepper: Secret<[u8; 32]>) -> Self {
        Self { pepper: Arc::new(pepper), turns: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }

    /// Hashes a password with a new salt, as a PHC string.
    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<String, ApiError> {
        let mut salt = [0; 16];
        system_rng().fill_bytes(&mut salt);
        self.work(password, move |argon2, password| {
            Ok(argon2.hash_password_with_salt(password, &salt).map_err(|_| fault())?.to_string())
        })
        .await
    }

    /// Whether `password` is the one of the PHC string. Without one, because there is no such user, it costs the same and is
    /// false.
    pub(crate) async fn verify(&self, password: Secret<String>, known: Option<String>) -> Result<bool, ApiError> {
        self.work(password, move |argon2, password| {
            let stand_in = if known.is_none() { Some(nobodys(argon2)?) } else { None };
            let text = known.as_deref().or(stand_in.as_deref()).unwrap_or_default();
            let hash = PasswordHash::new(text).map_err(|_| fault())?;
            let right = argon2.verify_password(password, &hash).is_ok();
            Ok(right && known.is_some())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        password: Secret<String>,
        work: impl FnOnce(&Argon2<'_>, &[u8]) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _place = Place::take(&self.waiting)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(ApiError::fault)?;
        let pepper = self.pepper.clone();
        tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| fault())?;
            let pepper = pepper.expose();
            let argon2 = Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params);
            let password = password.expose();
            work(&argon2.map_err(|_| fault())?, password.as_bytes())
        })
        .await
        .map_err(ApiError::fault)?
    }
}

/// Whether a password follows [`PASSWORD_RULE`].
pub(crate) fn is_good(password: &str, name: &str) -> bool {
    let length = password.chars().count();
    let mut different: Vec<char> = password.chars().take(256).collect();
    different.sort_unstable();
    different.dedup();
    (12..=256).contains(&length)
        && different.len() >= 6
        && !password.to_lowercase().contains(&name.to_lowercase())
        && !password.chars().any(char::is_control)
}

/// A hash in the same form that no password has.
fn nobodys(argon2: &Argon2<'_>) -> Result<String, ApiError> {
    let (mut salt, mut output) = ([0; 16], [0; 32]);
    system_rng().fill_bytes(&mut salt);
    system_rng().fill_bytes(&mut output);
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: argon2.params().try_into().map_err(|_| fault())?,
        salt: Some(Salt::new(&salt).map_err(|_| fault())?),
        hash: Some(Output::new(&output).map_err(|_| fault())?),
    };
    Ok(hash.to_string())
}

fn fault() -> ApiError {
    ApiError::fault("a password could not be hashed")
}

/// One of those that hash or wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, ApiError> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING + AT_ONCE { Err(ApiError::TooMany(5)) } else { Ok(place) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_verified_with_the_pepper_it_was_hashed_with() {
        let passwords = Passwords::new(Secret::new([1; 32]));
        let hash = passwords.hash(secret("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"), "{hash}");
        assert!(passwords.verify(secret("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(secret("correct horse batterY"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(secret("correct horse battery"), None).await.unwrap());
        let other = Passwords::new(Secret::new([2; 32]));
        assert!(!other.verify(secret("correct horse battery"), Some(hash)).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_a_users_hash_costs() {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap();
        let text = nobodys(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params)).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"), "{text}");
    }

    #[test]
    fn no_more_wait_than_have_room() {
        let waiting = AtomicUsize::new(0);
        let places: Vec<_> = (0..WAITING + AT_ONCE).map(|_| Place::take(&waiting).unwrap()).collect();
        assert!(matches!(Place::take(&waiting), Err(ApiError::TooMany(_))));
        drop(places);
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        assert!(Place::take(&waiting).is_ok());
    }

    #[test]
    fn a_good_password_is_long_and_varied() {
        assert!(is_good("correct horse", "ada"));
        assert!(is_good("ein Stück für Zwölf", "ada"));
        for bad in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "ababababababab",
            "Ada-lovelace-1815",
            "a\nlong enough one",
            &"ab c".repeat(65),
        ] {
            assert!(!is_good(bad, "ada"), "{bad:?}");
        }
    }
}
