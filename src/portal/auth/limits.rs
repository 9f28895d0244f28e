//! How often. The counting is governor's (GCRA); the counters are tables of fixed size, so that memory does not grow with the
//! number of those who ask: a key takes the place that a keyed hash gives it, and two keys may share one.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::nanos::Nanos;
use governor::state::direct::NotKeyed;
use governor::state::{InMemoryState, StateStore};
use governor::{Quota, RateLimiter};

use crate::ids::TenantId;
use crate::portal::error::ApiError;

/// Places in each table: 512 KiB.
const PLACES: usize = 1 << 16;

/// Requests without a proof of who asks, from one network: this many at once, and so many each second.
const PUBLIC: (u32, Duration) = (1000, Duration::from_millis(10));

/// Refused proofs from one network.
const REFUSED: (u32, Duration) = (100, Duration::from_secs(1));

/// Sign-ins and invitations from one network.
const NETWORK: (u32, Duration) = (20, Duration::from_secs(6));

/// Sign-ins to one account from one network.
const PAIR: (u32, Duration) = (5, Duration::from_secs(30));

/// Sign-ins to one account from everywhere, but for devices it was signed in from before.
const ACCOUNT: (u32, Duration) = (30, Duration::from_secs(30));

/// Sign-ins to one account from one such device.
const DEVICE: (u32, Duration) = (10, Duration::from_secs(30));

/// Codes of requests, right or wrong, from one network.
const CODE: (u32, Duration) = (10, Duration::from_secs(60));

/// Codes of requests from everywhere.
const CODES: (u32, Duration) = (2000, Duration::from_millis(100));

/// The counters of a portal's process.
pub(crate) struct Limits {
    requests: Limit,
    public: Limit,
    refused: Limit,
    network: Limit,
    pair: Limit,
    account: Limit,
    device: Limit,
    code: Limit,
    codes: Limit,
}

impl Limits {
    /// `requests_per_second` is for each token and each user; five seconds of it may come at once.
    pub(super) fn new(requests_per_second: NonZeroU32) -> Self {
        let each = Duration::from_secs(1) / requests_per_second.get();
        Self {
            requests: Limit::new((requests_per_second.get().saturating_mul(5), each)),
            public: Limit::new(PUBLIC),
            refused: Limit::new(REFUSED),
            network: Limit::new(NETWORK),
            pair: Limit::new(PAIR),
            account: Limit::new(ACCOUNT),
            device: Limit::new(DEVICE),
            code: Limit::new(CODE),
            codes: Limit::new(CODES),
        }
    }

    /// Counts a request of someone who proved who they are.
    pub(crate) fn request(&self, tenant: &TenantId, who: &str) -> Result<(), ApiError> {
        self.requests.count(&(tenant, who))
    }

    /// Counts a request that needs no proof.
    pub(crate) fn public(&self, network: IpAddr) -> Result<(), ApiError> {
        self.public.count(&network)
    }

    /// Counts a proof that was refused.
    pub(crate) fn refused(&self, network: IpAddr) -> Result<(), ApiError> {
        self.refused.count(&network)
    }

    /// Counts an attempt with an invitation.
    pub(crate) fn invitation(&self, network: IpAddr) -> Result<(), ApiError> {
        self.network.count(&network)
    }

    /// Counts an attempt with the code of a request, before anything is looked up.
    pub(crate) fn code(&self, network: IpAddr) -> Result<(), ApiError> {
        self.code.count(&network)?;
        self.codes.count(&()).inspect_err(|_| tracing::warn!("codes of requests are being guessed from many networks"))
    }

    /// Counts an attempt to sign in with a passkey, which says only then whose it is.
    pub(crate) fn passkey(&self, network: IpAddr) -> Result<(), ApiError> {
        self.network.count(&network)
    }

    /// Counts an attempt to change the password of a session's user.
    pub(crate) fn password(&self, session: &str) -> Result<(), ApiError> {
        self.device.count(&session)
    }

    /// Counts an attempt to sign in, before anything is looked up. Whoever comes with a device that the account was signed
    /// in from before is counted by that device alone, so no stranger can use up their attempts.
    pub(crate) fn sign_in(
        &self,
        network: IpAddr,
        account: (&str, &str),
        known_device: Option<&[u8; 32]>,
    ) -> Result<(), ApiError> {
        if let Some(device) = known_device {
            return self.device.count(&(account, device));
        }
        self.network.count(&network)?;
        self.pair.count(&(account, network))?;
        self.account.count(&account)
    }
}

/// One table of counters.
struct Limit {
    limiter: RateLimiter<u64, Places, MonotonicClock>,
    hasher: RandomState,
}

impl Limit {
    fn new((at_once, each): (u32, Duration)) -> Self {
        let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(each.max(Duration::from_nanos(1))).expect("the period is longer than nothing");
        let places = Places((0..PLACES).map(|_| InMemoryState::default()).collect());
        Self {
            limiter: RateLimiter::new(quota.allow_burst(at_once), places, MonotonicClock),
            hasher: RandomState::new(),
        }
    }

    fn count(&self, key: &impl Hash) -> Result<(), ApiError> {
        self.limiter.check_key(&self.hasher.hash_one(key)).map_err(|early| {
            let wait = early.wait_time_from(self.limiter.clock().now());
            ApiError::TooMany(wait.as_secs() + 1)
        })
    }
}

struct Places(Box<[InMemoryState]>);

impl StateStore for Places {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let place = usize::try_from(key % PLACES as u64).expect("a place is below 65 536");
        self.0[place].measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn limits() -> Limits {
        Limits::new(NonZeroU32::new(100).unwrap())
    }

    fn counted(times: u32, attempt: impl Fn() -> Result<(), ApiError>) -> usize {
        (0..times).filter(|_| attempt().is_ok()).count()
    }

    #[test]
    fn who_asks_too_often_waits_and_others_do_not() {
        let limits = limits();
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        assert!((500..600).contains(&counted(1000, || limits.request(&acme, "one"))));
        assert!(matches!(limits.request(&acme, "one"), Err(ApiError::TooMany(1))));
        assert!(limits.request(&acme, "two").is_ok());
        assert!(limits.request(&other, "one").is_ok());
    }

    #[test]
    fn guesses_at_one_account_are_few_from_one_network_and_bounded_from_many() {
        let limits = limits();
        let account = ("acme", "ada");
        assert_eq!(counted(10, || limits.sign_in(address(1), account, None)), 5);
        assert!(matches!(limits.sign_in(address(1), account, None), Err(ApiError::TooMany(wait)) if wait > 20));
        let from_many = (2..=50).filter(|last| limits.sign_in(address(*last), account, None).is_ok()).count();
        assert_eq!(from_many, 25);
    }

    #[test]
    fn strangers_do_not_lock_out_a_known_device() {
        let limits = limits();
        let account = ("acme", "ada");
        for last in 0..=255 {
            drop(limits.sign_in(address(last), account, None));
        }
        assert!(limits.sign_in(address(1), account, None).is_err());
        assert_eq!(counted(20, || limits.sign_in(address(1), account, Some(&[7; 32]))), 10);
    }

    #[test]
    fn codes_are_guessed_slowly_from_one_network_and_from_all() {
        let limits = limits();
        assert_eq!(counted(100, || limits.code(address(1))), 10);
        assert!(matches!(limits.code(address(1)), Err(ApiError::TooMany(wait)) if wait > 50));
        let networks = (0..4000_u32).map(|number| IpAddr::from((0x0a00_0000 + number * 256).to_be_bytes()));
        let tried = networks.filter(|network| limits.code(*network).is_ok()).count();
        assert!((1900..2200).contains(&tried), "{tried}");
    }

    #[test]
    fn one_network_tries_few_accounts() {
        let limits = limits();
        let names: Vec<_> = (0..100).map(|number| format!("user-{number}")).collect();
        let tried = names.iter().filter(|name| limits.sign_in(address(1), ("acme", name), None).is_ok()).count();
        assert_eq!(tried, 20);
        assert!(limits.invitation(address(1)).is_err());
        assert!(limits.invitation(address(2)).is_ok());
    }
}
