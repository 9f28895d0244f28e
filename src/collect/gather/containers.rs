//! Logs of containers on this computer, by `docker` or `podman`.

use std::time::Instant;

use super::command::{Command, answer};
use super::context::Context;
use super::job::{Job, News, Tell};
use crate::collect::collection::ContainerSource;
use crate::collect::window::Window;

/// Longest list of containers that is read, in bytes.
const LONGEST_LIST: u64 = 4 << 20;

/// Lists the containers, and has the log of each wanted one fetched.
pub(super) fn ask(source: &ContainerSource, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let place = (source.runtime.as_str(), context, deadline);
    let Some(list) = answer(&list(source), LONGEST_LIST, place, tell) else { return };
    let list = String::from_utf8_lossy(&list);
    let jobs = wanted(source, &list).into_iter().filter_map(|name| {
        let save_as = format!("containers/{name}.log").parse().ok()?;
        let arguments = log(source, name, &context.window);
        Some(Job::Command(Command::of_client(arguments, save_as, context)))
    });
    tell(News::More(jobs.collect()));
}

/// What lists the containers.
pub(super) fn list(source: &ContainerSource) -> Vec<String> {
    [source.runtime.as_str(), "ps", "--all", "--format", "{{.Names}}"].map(str::to_owned).to_vec()
}

/// The wanted ones of a list.
fn wanted<'l>(source: &ContainerSource, list: &'l str) -> Vec<&'l str> {
    let first = list.lines().filter_map(|line| line.split(',').next()).map(str::trim);
    let mut names: Vec<&str> = first.filter(|name| is_name(name) && source.containers.hold_for(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What gives a container's log.
pub(super) fn log(source: &ContainerSource, container: &str, window: &Window) -> Vec<String> {
    let mut arguments = [source.runtime.as_str(), "logs", "--timestamps"].map(str::to_owned).to_vec();
    if let Some(since) = window.since {
        arguments.extend(["--since".into(), since.plus_seconds(-window.slack).to_string()]);
    }
    if let Some(until) = window.until {
        arguments.extend(["--until".into(), until.plus_seconds(window.slack).to_string()]);
    }
    arguments.push(container.to_owned());
    arguments
}

/// Whether a word is a name, and neither an option nor a path.
pub(super) fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 253
        && !word.starts_with(['-', '.'])
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::collection::Globs;

    #[test]
    fn only_names_of_wanted_containers_become_arguments() {
        let source = ContainerSource { runtime: "docker".into(), containers: Globs::new(vec!["web*".into()]).unwrap() };
        let list = "web-2\nweb-1,old/web\ndb\n--web\n../web\nweb;rm\nweb-1\n\n";
        assert_eq!(wanted(&source, list), ["web-1", "web-2"]);
        let window = Window { since: Some("2026-11-21T09:00:00Z".parse().unwrap()), slack: 60, ..Window::open() };
        let arguments = log(&source, "web-1", &window);
        assert_eq!(arguments, ["docker", "logs", "--timestamps", "--since", "2026-11-21T08:59:00Z", "web-1"]);
    }
}
