//! Logs and resources of a cluster, by `kubectl`.

use std::time::Instant;

use serde_json::Value;

use super::command::{Command, answer};
use super::containers::is_name;
use super::context::Context;
use super::job::{Job, News, Tell, left_out};
use crate::collect::CollectError;
use crate::collect::collection::KubernetesSource;
use crate::collect::run::Tail;
use crate::collect::window::Window;
use crate::item::Reason;

/// Longest answer that is read into memory, in bytes.
const LONGEST_ANSWER: u64 = 32 << 20;

/// One line a pod: its name, its containers, how often each was started again.
const PODS: &str = r#"jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .spec.initContainers[*]}{.name}{","}{end}{range .spec.containers[*]}{.name}{","}{end}{"\t"}{range .status.containerStatuses[*]}{.name}{"="}{.restartCount}{","}{end}{"\n"}{end}"#;

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Container {
    pod: String,
    name: String,
    /// Whether there is a log of it before it was started again.
    restarted: bool,
}

/// Lists the pods of a namespace, and has the log of each container fetched.
pub(super) fn ask(cluster: &KubernetesSource, namespace: &str, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let what = format!("kubernetes/{namespace}");
    let arguments = pods(cluster, namespace);
    let Some(list) = answer(&arguments, LONGEST_ANSWER, (&what, context, deadline), tell) else { return };
    let list = String::from_utf8_lossy(&list);
    let mut jobs = Vec::new();
    for container in containers(&list) {
        for previous in [false, true] {
            if previous && !(cluster.previous && container.restarted) {
                continue;
            }
            let ending = if previous { "previous.log" } else { "log" };
            let path = format!("kubernetes/{namespace}/{}/{}.{ending}", container.pod, container.name);
            if let Ok(save_as) = path.parse() {
                let arguments = log(namespace, &container, previous, &context.window);
                jobs.push(Job::Command(Command::of_client(arguments, save_as, context)));
            }
        }
    }
    tell(News::More(jobs));
}

/// Describes resources; values of variables are taken out before anything is kept.
pub(super) fn describe(namespace: &str, kind: &str, context: &Context, deadline: Instant, tell: Tell<'_>) {
    let what = format!("kubernetes/{namespace}/{kind}.json");
    let arguments = resources(namespace, kind);
    let Some(bytes) = answer(&arguments, LONGEST_ANSWER, (&what, context, deadline), tell) else { return };
    let (Ok(mut value), Ok(path)) = (serde_json::from_slice(&bytes), what.parse()) else {
        return left_out(tell, &what, Reason::NotReadable, bytes.len() as u64);
    };
    without_values(&mut value);
    let mut tail = Tail::new(&context.spools, u64::MAX);
    match serde_json::to_writer_pretty(&mut tail, &value) {
        Ok(()) => tell(News::Kept { path, modified: None, tail }),
        Err(error) => tell(News::Wrong(CollectError::Keep(error.into()))),
    }
}

fn kubectl(namespace: &str, rest: &[&str]) -> Vec<String> {
    ["kubectl", "--namespace", namespace].iter().chain(rest).map(|word| (*word).to_owned()).collect()
}

/// What lists the pods of a namespace.
pub(super) fn pods(source: &KubernetesSource, namespace: &str) -> Vec<String> {
    let mut arguments = kubectl(namespace, &["get", "pods", "--output", PODS]);
    if let Some(selector) = &source.selector {
        arguments.push(format!("--selector={selector}"));
    }
    arguments
}

/// The containers in such a list.
fn containers(list: &str) -> Vec<Container> {
    let mut all = Vec::new();
    for line in list.lines() {
        let mut columns = line.split('\t');
        let (Some(pod), Some(names)) = (columns.next(), columns.next()) else { continue };
        let restarts = columns.next().unwrap_or_default();
        for name in names.split(',').filter(|name| is_name(name) && is_name(pod)) {
            let restarted = restarts
                .split(',')
                .filter_map(|entry| entry.split_once('='))
                .any(|(container, count)| container == name && count.parse::<u64>().is_ok_and(|count| count > 0));
            all.push(Container { pod: pod.to_owned(), name: name.to_owned(), restarted });
        }
    }
    all
}

/// What gives a container's log; with `previous`, that of before it was started again.
fn log(namespace: &str, container: &Container, previous: bool, window: &Window) -> Vec<String> {
    let mut arguments = kubectl(namespace, &["logs", &container.pod, "--container", &container.name, "--timestamps"]);
    if let Some(since) = window.since {
        arguments.push(format!("--since-time={}", since.plus_seconds(-window.slack)));
    }
    if previous {
        arguments.push("--previous".into());
    }
    arguments
}

/// What describes resources of a kind.
pub(super) fn resources(namespace: &str, kind: &str) -> Vec<String> {
    kubectl(namespace, &["get", kind, "--output", "json"])
}

/// Whether resources of a kind hold secrets, which are never asked for.
pub(crate) fn is_secret(kind: &str) -> bool {
    let plain = kind.split(['.', '/']).next().unwrap_or(kind);
    plain.eq_ignore_ascii_case("secret") || plain.eq_ignore_ascii_case("secrets")
}

/// Takes out of a description what holds values of variables and what says everything twice.
fn without_values(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(without_values),
        Value::Object(members) => {
            members.remove("managedFields");
            if let Some(Value::Object(annotations)) = members.get_mut("annotations") {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
            if let Some(Value::Array(variables)) = members.get_mut("env") {
                for variable in variables.iter_mut().filter_map(Value::as_object_mut) {
                    if variable.contains_key("value") {
                        variable.insert("value".into(), "(left out)".into());
                    }
                }
            }
            members.values_mut().for_each(without_values);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_pods_becomes_containers() {
        let list = "web-1\tinit,app,\tapp=2,side=0,\nweb-2\tapp,\t\n--all\tapp,\t\nbroken\nweb-3\t../x,\t\n";
        let container = |pod: &str, name: &str, restarted| Container { pod: pod.into(), name: name.into(), restarted };
        assert_eq!(
            containers(list),
            [container("web-1", "init", false), container("web-1", "app", true), container("web-2", "app", false)]
        );
    }

    #[test]
    fn values_of_variables_do_not_stay_in_descriptions() {
        let mut value = json!({"items": [{
            "metadata": {"managedFields": [1], "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"env\":\"swordfish\"}", "team": "video"}},
            "spec": {"containers": [{"env": [{"name": "TOKEN", "value": "swordfish"}, {"name": "A", "valueFrom": {}}]}]},
        }]});
        without_values(&mut value);
        assert!(!value.to_string().contains("swordfish"));
        assert_eq!(value["items"][0]["spec"]["containers"][0]["env"][0]["name"], "TOKEN");
        assert_eq!(value["items"][0]["metadata"]["annotations"], json!({"team": "video"}));
    }

    #[test]
    fn secrets_are_known_by_every_name() {
        for kind in ["secret", "Secrets", "secrets.v1.", "secret/mine"] {
            assert!(is_secret(kind), "{kind}");
        }
        assert!(!is_secret("sealedsecrets") && !is_secret("pods"));
    }
}
