//! A real portal on loopback, in a directory of its own, with a clock that stands until it is moved.

#[path = "database.rs"]
pub mod database;

use std::path::Path;
use std::sync::Arc;

use tarseal::clock::{ManualClock, Timestamp};
use tarseal::ids::TicketId;
use tarseal::portal::admin::{Admin, TokenOrder};
use tarseal::portal::{Config, Portal, Role};

use database::TestDatabase;

/// When every test begins.
pub const START: &str = "2026-11-21T14:20:00Z";

/// The ticket that is there.
pub const TICKET: &str = "4711";

/// A portal with one open ticket, an upload token for it and a technician's token.
pub struct TestPortal {
    portal: Option<Portal>,
    config: Config,
    pub clock: Arc<ManualClock>,
    /// A technician's token for the whole tenant.
    pub technician: String,
    /// An upload token for [`TICKET`].
    pub upload: String,
    directory: tempfile::TempDir,
    /// Gone after the portal.
    database: Option<TestDatabase>,
}

impl TestPortal {
    /// Starts a portal in a new directory.
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// Starts a portal whose databases are files beneath its directory, whatever the others of the run use: for tests that look at
    /// those files, or at what only such a portal has.
    pub fn start_in_files() -> Self {
        Self::start_with(|config| config.database = None)
    }

    /// The same at another time.
    pub fn start_in_files_at(now: Timestamp) -> Self {
        Self::start_so(now, |config| config.database = None)
    }

    /// Starts a portal in a new directory with other settings.
    pub fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_so(START.parse().unwrap(), change)
    }

    fn start_so(now: Timestamp, change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let mut config = Config::new(directory.path().join("data"), ([127, 0, 0, 1], 0).into());
        config.free_space_floor = 0;
        config.requests_per_second = std::num::NonZeroU32::MAX;
        let database = TestDatabase::asked_for();
        config.database = database.as_ref().map(|database| database.url().parse().unwrap());
        change(&mut config);
        let database = database.filter(|_| config.database.is_some());
        let portal = Portal::start(config.clone(), clock.clone()).unwrap();
        let admin = Admin::with(&config, clock.clone()).unwrap();
        let year = Some(366 * 86_400);
        let mut upload = TokenOrder::new(Role::Upload);
        upload.ticket = Some(ticket());
        upload.valid_seconds = year;
        let mut technician = TokenOrder::new(Role::Technician);
        technician.valid_seconds = year;
        let upload = admin.new_token(&upload).unwrap().token.expose().clone();
        let technician = admin.new_token(&technician).unwrap().token.expose().clone();
        Self { portal: Some(portal), config, clock, technician, upload, directory, database }
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.portal().url().to_owned()
    }

    /// The running portal.
    pub fn portal(&self) -> &Portal {
        self.portal.as_ref().unwrap()
    }

    /// The operator's commands on the portal's directory.
    pub fn admin(&self) -> Admin {
        Admin::with(&self.config, self.clock.clone()).unwrap()
    }

    /// The same for an operator who was told other settings, if they are let.
    pub fn admin_with(&self, change: impl FnOnce(&mut Config)) -> Result<Admin, tarseal::portal::PortalError> {
        let mut config = self.config.clone();
        change(&mut config);
        Admin::with(&config, self.clock.clone())
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.config.data
    }

    /// Stops the portal; [`restart`](Self::restart) starts it again.
    pub fn stop(&mut self) {
        self.portal = None;
    }

    /// Starts the portal again on the same directory, on another port.
    pub fn restart(&mut self) {
        self.stop();
        self.portal = Some(Portal::start(self.config.clone(), self.clock.clone()).unwrap());
    }

    /// Starts the portal again with other settings.
    pub fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.restart();
    }

    /// Starts another process of the same portal, in a directory of its own; it ends before this one.
    pub fn another(&self) -> Portal {
        let mut config = self.config.clone();
        config.data = self.directory.path().join(format!("another-{:08x}", rand::random::<u32>()));
        std::fs::create_dir(&config.data).unwrap();
        std::fs::copy(self.config.data.join("receipt.key"), config.data.join("receipt.key")).unwrap();
        Portal::start(config, self.clock.clone()).unwrap()
    }

    /// Moves the clock.
    pub fn set_clock(&self, now: &str) {
        self.clock.set(now.parse().unwrap());
    }

    /// Moves the clock forward by days of 24 hours.
    pub fn days_pass(&self, days: i64) {
        use tarseal::clock::Clock as _;
        let now: Timestamp = self.clock.now();
        self.clock.set(now.plus_days(days));
    }

    /// Makes every session as good as if its user had just signed in: for tests whose clock leaps by months.
    pub fn renew_sessions(&self) {
        use tarseal::clock::Clock as _;
        let now = self.clock.now().seconds();
        let sql = format!("UPDATE sessions SET seen_at = {now}, factor_at = {now}, expires_at = {now} + 3600");
        match &self.database {
            Some(database) => database.run(&format!("SET search_path TO tarseal; {sql}")),
            None => {
                let database = rusqlite::Connection::open(self.config.data.join("portal.db")).unwrap();
                database.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
                database.execute(&sql, ()).unwrap();
            }
        }
    }

    /// The only column of the rows that a question finds, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        match &self.database {
            Some(database) => database.texts(sql),
            None => {
                let database = rusqlite::Connection::open(self.config.data.join("portal.db")).unwrap();
                let mut rows = database.prepare(sql).unwrap();
                rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
        }
    }

    /// Every file beneath the data directory with its bytes.
    pub fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut left = vec![self.directory.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    found.push((path, bytes));
                }
            }
        }
        found
    }
}

/// [`TICKET`] as a type.
pub fn ticket() -> TicketId {
    TICKET.parse().unwrap()
}
