//! The support portal: takes sealed files in, keeps the portal's parts of their keys, gives both to technicians who say why,
//! and deletes both on time with a signed receipt. It never opens a snapshot and holds no private key of a recipient.
//!
//! One process, `SQLite` and a directory; or `PostgreSQL` instead ([`Config::database`]). The outside of the room is synchronous:
//! [`Portal::start`] runs everything on threads of its own, [`admin`] works on the data directory, also while a portal serves it.
//!
//! ```no_run
//! use std::sync::Arc;
//! use tarseal::clock::SystemClock;
//! use tarseal::portal::{Config, Portal};
//!
//! # fn main() -> Result<(), tarseal::portal::PortalError> {
//! let config = Config::new("/var/lib/tarseal", ([127, 0, 0, 1], 0).into());
//! let portal = Portal::start(config, Arc::new(SystemClock))?;
//! eprintln!("listening on {}", portal.url());
//! portal.wait()
//! # }
//! ```
//!
//! Inside, a request goes from `router` through `auth` to `api`; what it may use is in `app`. `store` is the database, `blobs`
//! the files; `desk` and `receive` are how bytes come in; `jobs` is what the portal does by itself; `audit` is the log.

pub mod admin;

mod api;
mod app;
mod audit;
mod auth;
pub mod backup;
mod blobs;
mod claims;
mod config;
mod deadlines;
mod desk;
mod draft;
mod error;
mod jobs;
mod log;
mod metrics;
mod place;
mod problem;
mod reading;
mod receive;
mod records;
mod router;
mod serve;
mod store;
mod subject_requests;
mod ticket_system;
mod together;
mod tombstones;
mod web;

pub use auth::Role;
pub use config::Config;
pub use error::PortalError;
pub use jobs::{Polled, Swept};
pub use log::{LogFormat, start_logging};
pub use store::{DatabaseUrl, NotADatabaseUrl};
pub use ticket_system::TicketSystemsError;

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use app::App;

use crate::clock::Clock;
use crate::secret::Secret;
use crate::track::PortalKey;

/// How long requests may go on after the portal was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A running portal. Dropping it stops it.
pub struct Portal {
    runtime: Option<Runtime>,
    app: Arc<App>,
    listening: serve::Listening,
    metrics: Option<serve::Listening>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    url: String,
    /// Where people reach it, when that is known.
    address: Option<String>,
    first_invitation: Option<Secret<String>>,
    /// Held while the portal runs: one process per directory, unless nothing that is written lies in it.
    _lock: File,
}

impl Portal {
    /// Starts a portal and returns when it answers requests. The first start makes everything in the data directory; every
    /// start first finishes what the last run left, and sweeps.
    ///
    /// Must not be called from within an async runtime.
    #[expect(clippy::needless_pass_by_value, reason = "a portal takes over how it is run and what time it is")]
    pub fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, PortalError> {
        config.check()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("portal")
            .build()
            .map_err(PortalError::Data)?;
        app::prepare(&config.data)?;
        let lock = lock(&config)?;
        let app = Arc::new(runtime.block_on(App::open(&config, clock))?);
        runtime.block_on(app.keep_place(&config))?;
        // Before anything is served: a database that was put back by hand knows nothing of what was deleted since.
        runtime.block_on(jobs::replay::run(&app)).map_err(|fault| PortalError::Database(Box::new(fault)))?;
        runtime.block_on(receive::recover(&app)).map_err(|fault| PortalError::Database(Box::new(fault)))?;
        runtime.block_on(know_tenants(&app))?;
        let first_invitation = runtime.block_on(first_invitation(&app))?;
        let sequenced = runtime.block_on(audit::sequence::advance(&app.store, &app.key));
        sequenced.map_err(|fault| PortalError::Database(Box::new(fault)))?;
        let (listening, server) = {
            let _inside = runtime.enter();
            serve::start(&config, router::router(app.clone()))?
        };
        let metrics = {
            let _inside = runtime.enter();
            let router = metrics::router(app.clone());
            config.metrics.map(|address| serve::plain(address, router)).transpose()?.map(|(listening, _)| listening)
        };
        runtime.spawn(jobs::run(app.clone()));
        runtime.spawn(audit::sequence::run(app.clone()));
        runtime.spawn(jobs::poll::run(app.clone()));
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listening.address);
        tracing::info!(url, "listening");
        Ok(Self {
            runtime: Some(runtime),
            app,
            listening,
            metrics,
            server: Some(server),
            url,
            address: config.url.as_ref().map(|url| url.origin().ascii_serialization()),
            first_invitation,
            _lock: lock,
        })
    }

    /// Where it listens: `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the numbers for whoever watches it are, if they are anywhere: `http://127.0.0.1:9464/metrics`.
    pub fn metrics_url(&self) -> Option<String> {
        self.metrics.as_ref().map(|listening| format!("http://{}/metrics", listening.address))
    }

    /// The link that makes its first visitor the administrator of the first tenant; there is one when nobody was ever invited
    /// before. It is good once, for 72 hours, and kept nowhere.
    pub fn first_invitation(&self) -> Option<Secret<String>> {
        let address = self.address.as_deref().unwrap_or(&self.url);
        self.first_invitation.as_ref().map(|text| Secret::new(format!("{address}/invitation#{}", text.expose())))
    }

    /// The key that verifies its receipts.
    pub fn key(&self) -> PortalKey {
        self.app.key.portal_key()
    }

    /// Does now what the portal does every minute: deletes what is due by its clock, also what waits for its next attempt,
    /// and ends unfinished uploads that waited too long.
    pub fn sweep(&self) -> Result<Swept, PortalError> {
        let runtime = self.runtime.as_ref().expect("the runtime is there until the portal stops");
        runtime.block_on(jobs::sweep(&self.app, true)).map_err(|fault| PortalError::Database(Box::new(fault)))
    }

    /// Does now what the portal does every ten seconds: asks the ticket systems for the tickets that are due, those that are new
    /// included.
    pub fn poll(&self) -> Result<Polled, PortalError> {
        let runtime = self.runtime.as_ref().expect("the runtime is there until the portal stops");
        runtime.block_on(jobs::poll::once(&self.app)).map_err(|fault| PortalError::Database(Box::new(fault)))
    }

    /// Waits for SIGINT or SIGTERM, then stops.
    pub fn wait(mut self) -> Result<(), PortalError> {
        let runtime = self.runtime.as_ref().expect("the runtime is there until the portal stops");
        let server = self.server.take();
        let ended = runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let serving = async {
                match server {
                    Some(server) => server.await.map_err(std::io::Error::other)?,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = terminate.recv() => Ok(()),
                _ = interrupt.recv() => Ok(()),
                ended = serving => ended,
            }
        });
        ended.map_err(|fault| PortalError::Listen(self.listening.address, fault))
    }

    /// Stops it: no new requests, five seconds for those that run, and every upload's bytes so far are kept.
    pub fn stop(self) {}
}

impl Drop for Portal {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        runtime.block_on(async {
            self.listening.stop(GRACE);
            if let Some(metrics) = &self.metrics {
                metrics.stop(GRACE);
            }
            self.app.desk.stop_all();
            self.app.writers.close();
            // A disk that hangs must not keep the process: what is not recorded by then was never acknowledged.
            drop(tokio::time::timeout(GRACE, self.app.writers.wait()).await);
            if let Some(server) = self.server.take() {
                drop(tokio::time::timeout(GRACE, server).await);
            }
            drop(tokio::time::timeout(GRACE, self.app.store.close()).await);
        });
        runtime.shutdown_timeout(GRACE);
    }
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Makes sure that the tenants of the ticket systems are there.
async fn know_tenants(app: &App) -> Result<(), PortalError> {
    let tenants = store::tenants::all(&mut *app.store.read_across().await?).await?;
    match app.ticket_systems.all().iter().find(|source| !tenants.contains(&source.tenant)) {
        Some(source) => Err(PortalError::TenantUnknown(source.tenant.clone())),
        None => Ok(()),
    }
}

/// Invites the first administrator, when there is nobody and nobody was invited.
async fn first_invitation(app: &App) -> Result<Option<Secret<String>>, PortalError> {
    let mut transaction = app.store.begin_across().await?;
    if store::users::is_anyone_there(&mut transaction).await? {
        return Ok(None);
    }
    let tenant = app::FIRST_TENANT.parse().expect("the word is a plain name");
    let now = app.clock.now();
    let made = admin::invite_by_operator(&mut transaction, &tenant, Role::Admin, None, now).await?;
    transaction.commit().await?;
    Ok(Some(made.invitation))
}

/// Takes the directory, so that no second portal works on it; when it may be shared, so that nobody takes it alone.
fn lock(config: &Config) -> Result<File, PortalError> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(config.data.join("lock"))
        .map_err(PortalError::Data)?;
    match if place::is_shared(config)? { file.try_lock_shared() } else { file.try_lock() } {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(PortalError::Locked),
        Err(std::fs::TryLockError::Error(fault)) => Err(PortalError::Data(fault)),
    }
}
