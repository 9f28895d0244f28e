//! Logs and resources of a cluster, by `kubectl`.

use serde_json::Value;

use super::containers::is_name;
use crate::collect::collection::KubernetesSource;
use crate::collect::window::Window;

/// Longest answer that is read into memory, in bytes.
pub(super) const LONGEST_ANSWER: u64 = 32 << 20;

/// One line a pod: its name, its containers, how often each was started again.
const PODS: &str = r#"jsonpath={range .items[*]}{.metadata.name}{"\t"}{range .spec.initContainers[*]}{.name}{","}{end}{range .spec.containers[*]}{.name}{","}{end}{"\t"}{range .status.containerStatuses[*]}{.name}{"="}{.restartCount}{","}{end}{"\n"}{end}"#;

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) pod: String,
    pub(super) name: String,
    /// Whether there is a log of it before it was started again.
    pub(super) restarted: bool,
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
pub(super) fn containers(list: &str) -> Vec<Container> {
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
pub(super) fn log(namespace: &str, container: &Container, previous: bool, window: &Window) -> Vec<String> {
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
pub(super) fn without_values(value: &mut Value) {
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
