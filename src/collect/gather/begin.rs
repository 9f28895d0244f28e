//! The first jobs: for what the user named, or for the profile's sources.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::board::{Board, SourceState};
use super::command::Command;
use super::job::{Job, News};
use super::{GatherOptions, WouldRun, cluster, containers, journal};
use crate::collect::archive::is_called_so;
use crate::collect::collection::{FileSource, Globs, SourceKind, SourceRule, expanded};
use crate::collect::source::{Found, Search, start};
use crate::collect::{CollectError, MOST, Source};
use crate::progress::{Silent, Step};

impl Board<'_> {
    /// Puts the first jobs on the board: for what the user named, or for the profile's sources.
    pub(super) fn begin(&mut self, options: &mut GatherOptions<'_>) -> Result<(), CollectError> {
        self.progress.begin(Step::Collect, None);
        if !options.paths.is_empty() {
            return self.begin_with_paths(options);
        }
        for rule in &options.profile.1.sources {
            let number = self.sources.len();
            self.sources.push(SourceState {
                word: rule.kind.word(),
                rule: rule.clone(),
                started: None,
                took: Duration::ZERO,
                status: None,
            });
            self.begin_with(number, rule, options);
        }
        Ok(())
    }

    fn begin_with(&mut self, number: usize, rule: &SourceRule, options: &GatherOptions<'_>) {
        let kind = rule.kind.word();
        let limit = rule.limit.unwrap_or(self.context.limits.source);
        let root = options.root.as_ref().and_then(|root| root.to_str()).unwrap_or_default();
        let paths = |paths: &[String]| -> Vec<String> {
            let beneath = |path: &String| match path.strip_prefix('/') {
                Some(rest) => Some(format!("{}/{rest}", root.trim_end_matches('/'))),
                None => expanded(path, options.home.as_ref()),
            };
            paths.iter().filter_map(beneath).collect()
        };
        let mut put = |job| self.queue.push_back((number, job));
        let would_run = match &rule.kind {
            SourceKind::Files(files) => {
                for path in paths(&files.paths) {
                    let cut = files.window && !options.window.is_open();
                    put(Job::Find { path, exclude: files.exclude.clone(), network: files.network, cut });
                }
                return;
            }
            SourceKind::Archive(archive) => {
                put(Job::FindArchives { paths: paths(&archive.paths), archive: Arc::new(archive.clone()), limit });
                return;
            }
            SourceKind::Command(command) => {
                put(Job::Command(Command {
                    arguments: command.run.clone(),
                    variables: command.environment.clone(),
                    save_as: command.save_as.clone(),
                    time: command.time,
                    cut: command.window,
                    limit,
                }));
                vec![command.run.clone()]
            }
            SourceKind::Journal(source) => {
                let arguments = journal::arguments(source, &options.window);
                let path = format!("journal/{}", journal::file_name(source));
                put(Job::Command(Command {
                    arguments: arguments.clone(),
                    variables: Vec::new(),
                    save_as: path.parse().expect("a plain path"),
                    time: Some(self.context.limits.source_time),
                    cut: false,
                    limit,
                }));
                vec![arguments]
            }
            SourceKind::Containers(source) => {
                put(Job::Containers(Arc::new(source.clone())));
                vec![containers::list(source), containers::log(source, "NAME", &options.window)]
            }
            SourceKind::Kubernetes(source) => {
                let cluster = Arc::new(source.clone());
                let mut all = Vec::new();
                for namespace in &source.namespaces {
                    put(Job::Pods { cluster: Arc::clone(&cluster), namespace: namespace.clone() });
                    all.push(cluster::pods(source, namespace));
                    for kind in &source.resources {
                        put(Job::Resources { namespace: namespace.clone(), kind: kind.clone() });
                        all.push(cluster::resources(namespace, kind));
                    }
                }
                all
            }
        };
        if self.context.metadata_only {
            self.queue.retain(|(source, _)| *source != number);
            self.would_run.extend(would_run.into_iter().map(|arguments| WouldRun { kind, arguments }));
        }
    }

    /// What the user named is looked for here and at once; an argument that names nothing is an error.
    fn begin_with_paths(&mut self, options: &mut GatherOptions<'_>) -> Result<(), CollectError> {
        let starts = options.paths.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        if options.paths.iter().filter(|source| **source == Source::StandardInput).count() > 1 {
            return Err(CollectError::StandardInputTwice);
        }
        let archive = options.profile.1.sources.iter().find_map(|rule| match &rule.kind {
            SourceKind::Archive(archive) => Some(Arc::new(archive.clone())),
            _ => None,
        });
        let search = Search { metadata_only: self.context.metadata_only, ..Search::default() };
        let mut found = Found::new(MOST, search, &Silent);
        let mut alone = HashSet::new();
        for (source, start) in options.paths.iter().zip(starts) {
            let before = found.len();
            start.find(Some(&mut options.basic), &mut found)?;
            let is_file = matches!(source, Source::Path(path) if path.is_file());
            if is_file && found.len() == before + 1 {
                alone.insert(before);
            }
        }
        let (candidates, left_out) = found.into_candidates();
        self.sources.push(SourceState {
            word: "path",
            rule: SourceRule {
                name: "what was named".into(),
                // Nothing of the rule is asked for but its name.
                kind: SourceKind::Files(FileSource {
                    paths: Vec::new(),
                    exclude: Globs::default(),
                    window: true,
                    network: true,
                }),
                required: false,
                low: false,
                limit: Some(u64::MAX),
            },
            started: None,
            took: Duration::ZERO,
            status: None,
        });
        self.left_out.extend(left_out.into_iter().map(|left_out| (0, left_out)));
        let looks = self.context.metadata_only;
        for (index, candidate) in candidates.into_iter().enumerate() {
            let is_archive = alone.contains(&index) && is_called_so(candidate.path.as_str());
            match (&archive, is_archive) {
                (Some(archive), true) if !looks => {
                    self.queue.push_back((0, Job::Archive { candidate, archive: Arc::clone(archive), limit: None }));
                }
                _ => self.news(0, News::Found { candidate, cut: !options.window.is_open() && !looks })?,
            }
        }
        Ok(())
    }
}
