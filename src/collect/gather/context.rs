//! What every job may look at.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::GatherOptions;
use crate::clock::Timestamp;
use crate::collect::collection::{CollectLimits, SourceKind};
use crate::collect::run::{Order, Running, find};
use crate::collect::source::archived_text as archived;
use crate::collect::window::{Reading, Window};
use crate::spool::Spools;

/// Where programs are when the user's environment does not say it.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Variables that `docker`, `podman` and `kubectl` find their servers by.
const OF_CLIENTS: [&str; 14] = [
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "CONTAINER_HOST",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// What every job may look at.
pub(super) struct Context {
    pub(super) window: Window,
    pub(super) now: Timestamp,
    pub(super) limits: CollectLimits,
    pub(super) spools: Spools,
    pub(super) running: Running,
    pub(super) metadata_only: bool,
    /// What paths begin with where the profile's root is not `/`, as they would stand in the snapshot.
    pub(super) prefix: String,
    search_path: OsString,
    environment: BTreeMap<String, OsString>,
}

impl Context {
    pub(super) fn new(options: &mut GatherOptions<'_>) -> Self {
        let named = options.profile.1.sources.iter().flat_map(|source| match &source.kind {
            SourceKind::Command(command) => command.environment.as_slice(),
            _ => &[],
        });
        let names = OF_CLIENTS.into_iter().chain(["PATH", "TZ"]).chain(named.map(String::as_str));
        let environment: BTreeMap<String, OsString> = names
            .filter_map(|name| Some((name.to_owned(), (options.environment)(name).filter(|value| !value.is_empty())?)))
            .collect();
        // A relative directory would be another one wherever the program happens to stand.
        let given = environment.get("PATH").cloned().unwrap_or_else(|| SEARCH_PATH.into());
        let absolute = std::env::split_paths(&given).filter(|path| path.is_absolute());
        let search_path = std::env::join_paths(absolute).unwrap_or_else(|_| SEARCH_PATH.into());
        Self {
            window: options.window.clone(),
            now: options.now,
            limits: options.profile.1.limits.clone(),
            spools: Spools::new(&options.basic.spool_directory, &mut *options.basic.rng),
            running: options.running.clone(),
            metadata_only: options.metadata_only,
            prefix: options.root.as_ref().map(|root| archived(root)).unwrap_or_default(),
            search_path,
            environment,
        }
    }

    /// How stamps are read in something that was last changed then.
    pub(super) fn reading(&self, modified: Option<Timestamp>) -> Reading {
        self.window.reading(modified.unwrap_or(self.now))
    }

    /// A program with its arguments and these variables of the user; `None` when it is not installed.
    pub(super) fn order(&self, arguments: &[String], variables: &[String]) -> Option<Order> {
        let (name, arguments) = arguments.split_first()?;
        let program: PathBuf = find(name, Some(&self.search_path))?;
        let mut environment: Vec<(String, OsString)> =
            vec![("PATH".into(), self.search_path.clone()), ("LC_ALL".into(), "C.UTF-8".into())];
        let others = variables.iter().map(String::as_str).chain(["TZ"]);
        for name in others {
            if let Some(value) = self.environment.get(name)
                && environment.iter().all(|(known, _)| known != name)
            {
                environment.push((name.to_owned(), value.clone()));
            }
        }
        Some(Order { program, arguments: arguments.to_vec(), environment })
    }

    /// A path without the root it was found beneath.
    pub(super) fn beneath<'p>(&self, path: &'p str) -> &'p str {
        if self.prefix.is_empty() {
            return path;
        }
        path.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
    }

    /// The variables that clients of container runtimes and clusters need.
    pub(super) fn of_clients() -> Vec<String> {
        OF_CLIENTS.map(str::to_owned).to_vec()
    }
}
