//! What handlers and jobs may use, and nothing else.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio_util::task::TaskTracker;

use super::audit::Origin;
use super::auth::Authority;
use super::blobs::{Blobs, Place, make_directory};
use super::claims::Claims;
use super::config::Config;
use super::desk::Desk;
use super::error::PortalError;
use super::metrics::Metrics;
use super::records::Setup;
use super::store::{Store, facts, tenants};
use super::ticket_system::TicketSystems;
use super::together::Together;
use super::tombstones::Tombstones;
use super::{draft, place};
use crate::clock::Clock;
use crate::ids::TenantId;
use crate::track::{ReceiptKey, RetentionPolicy};

/// The tenant that is there from the first start.
pub(crate) const FIRST_TENANT: &str = "default";

/// The file beneath the data directory that holds the key that signs receipts.
pub(crate) const KEY_FILE: &str = "receipt.key";

/// Files that only a portal's data directory has.
const OWN_FILES: [&str; 4] = [KEY_FILE, "sign-in.key", "portal.db", "shares.db"];

/// What else its first start makes, and what a new file system has; names that others use as well.
const FIRST_FILES: [&str; 7] = ["lock", "database", "bucket", "blobs", "tombstones", "spool", "lost+found"];

/// The fact that says where the sealed files lie.
const BLOBS: &str = "blobs";

/// The portal's inside.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: ReceiptKey,
    /// Who is writing which upload.
    pub(crate) desk: Desk,
    /// The threads that write uploads; the portal stops when they have.
    pub(crate) writers: TaskTracker,
    /// Held by the one sweep that runs.
    pub(crate) sweeping: tokio::sync::Mutex<()>,
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) tombstones: Tombstones,
    /// What is counted for whoever watches the portal.
    pub(crate) metrics: Metrics,
    pub(crate) max_snapshot_bytes: u64,
    pub(crate) secure: bool,
    /// What people are known by.
    pub(crate) authority: Authority,
    /// Who is about to announce which file.
    pub(crate) claims: Claims,
    /// Acts that wait for a transaction they share.
    pub(crate) together: Together,
    /// What the record of processing activities says of how the portal is run.
    pub(crate) setup: Setup,
    pub(crate) ticket_systems: TicketSystems,
}

/// The id of a request, drawn by the portal, and where the request comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestId(pub(crate) String, pub(crate) Origin);

impl App {
    /// Opens the data directory; the first time it makes everything: directory, databases, the first tenant, the key.
    pub(crate) async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        prepare(&config.data)?;
        let store = place::open(config).await?;
        let place = Place::of(config)?;
        if let Some(known) = facts::find(&mut *store.read_across().await?, BLOBS).await?
            && known != place.name()
        {
            return Err(PortalError::OtherBlobs(known));
        }
        let blobs = Blobs::open(&config.data, config.free_space_floor, &place).await?;
        let key = receipt_key(&config.data, &config.name)?;
        let first: TenantId = FIRST_TENANT.parse().expect("the word is a plain name");
        let mut transaction = store.begin_across().await?;
        tenants::add(&mut transaction, &first, &RetentionPolicy::default(), clock.now()).await?;
        let agreed = facts::agree(&mut transaction, "receipt-key", &key.portal_key().to_string()).await?;
        transaction.commit().await?;
        if !agreed {
            return Err(PortalError::OtherKey);
        }
        Ok(Self {
            store,
            blobs,
            clock,
            key,
            desk: Desk::default(),
            writers: TaskTracker::new(),
            sweeping: tokio::sync::Mutex::new(()),
            data: config.data.clone(),
            tombstones: Tombstones::open(&config.data).map_err(PortalError::Data)?,
            metrics: Metrics::new(),
            max_snapshot_bytes: config.max_snapshot_bytes,
            secure: config.tls.is_some(),
            authority: Authority::open(config)?,
            claims: Claims::default(),
            together: Together::default(),
            setup: Setup::of(config)?,
            ticket_systems: TicketSystems::open(config.ticket_systems.as_deref())?,
        })
    }

    /// Says for good where the sealed files lie, before any come.
    pub(crate) async fn keep_place(&self, config: &Config) -> Result<(), PortalError> {
        let place = Place::of(config)?;
        let mut transaction = self.store.begin_across().await?;
        if !facts::agree(&mut transaction, BLOBS, &place.name()).await? {
            return Err(PortalError::OtherBlobs(String::from("another place")));
        }
        transaction.commit().await?;
        place.keep(&self.data).map_err(PortalError::Data)
    }

    /// The policy of a tenant that is known to exist.
    pub(crate) async fn policy(
        &self,
        connection: &mut super::store::Connection,
        tenant: &TenantId,
    ) -> Result<RetentionPolicy, sqlx::Error> {
        tenants::policy(connection, tenant).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// The system's randomness.
pub(crate) fn system_rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// 16 random bytes in hexadecimal.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::Rng::fill_bytes(&mut system_rng(), &mut bytes);
    hex::encode(bytes)
}

/// Makes the data directory, or closes it to everyone but its owner. A directory that holds something else is not touched.
pub(crate) fn prepare(data: &Path) -> Result<(), PortalError> {
    if !may_hold_a_portal(data).map_err(PortalError::Data)? {
        return Err(PortalError::OtherFiles(data.to_owned()));
    }
    let made = || {
        if let Some(above) = data.parent() {
            fs::create_dir_all(above)?;
        }
        make_directory(data)?;
        fs::set_permissions(data, Permissions::from_mode(0o700))
    };
    made().map_err(PortalError::Data)
}

/// Whether nothing is there, an empty directory, a portal, or one whose first start was cut short.
fn may_hold_a_portal(data: &Path) -> std::io::Result<bool> {
    let entries = match fs::read_dir(data) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    let mut only_begun = true;
    for entry in entries {
        let name = entry?.file_name();
        let is = |own: &[&str]| {
            let name = name.to_str().unwrap_or_default();
            own.iter().any(|own| name.strip_prefix(own).is_some_and(is_an_ending))
        };
        if is(&OWN_FILES) {
            return Ok(true);
        }
        only_begun &= is(&FIRST_FILES);
    }
    Ok(only_begun)
}

/// What may stand behind the name of a file: nothing, or what drafts and databases put there.
fn is_an_ending(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '-'])
}

/// Reads the key that signs receipts, or draws it when there is none. Two that draw at once end up with one key.
fn receipt_key(data: &Path, name: &str) -> Result<ReceiptKey, PortalError> {
    let path = data.join(KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => return crate::secret::Secret::new(text).expose().parse().map_err(PortalError::ReceiptKey),
        Err(fault) if fault.kind() == ErrorKind::NotFound => {}
        Err(fault) => return Err(PortalError::Data(fault)),
    }
    let key = ReceiptKey::generate(name, &mut system_rng()).map_err(PortalError::ReceiptKey)?;
    let text = crate::secret::Secret::new(format!("{}\n", key.to_text().expose()));
    match draft::write_first(data, KEY_FILE, text.expose().as_bytes()) {
        Ok(()) => Ok(key),
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => receipt_key(data, name),
        Err(fault) => Err(PortalError::Data(fault)),
    }
}
