//! What the operator writes down, and the presets.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::config::{presets, read};
use super::source::Source;

/// A directory with a file of a secret in it.
fn place() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    secret(&directory.path().join("secret"), 0o600, "a secret of 26 letters");
    directory
}

fn secret(path: &Path, mode: u32, text: &str) {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

fn sources(directory: &TempDir, text: &str) -> Result<Vec<Source>, String> {
    let file = directory.path().join("systems.toml");
    fs::write(&file, text).unwrap();
    read(&file).map_err(|fault| {
        let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{fault}{cause}")
    })
}

/// The least that a system needs beside its preset.
fn least(preset: &str) -> String {
    let more = match preset {
        "gitlab" => "values = { project = \"group/desk\" }",
        "github" => "values = { owner = \"acme\", repository = \"desk\" }",
        _ => "",
    };
    let user = if matches!(preset, "jira" | "servicenow") { "login.user = \"bot\"" } else { "" };
    format!(
        "[[source]]\nname = \"desk\"\ntenant = \"acme\"\npreset = \"{preset}\"\naddress = \"https://desk.example.org\"\n\
         {more}\n{user}\nlogin.file = \"secret\"\n"
    )
}

#[test]
fn every_preset_needs_an_address_a_secret_and_its_values_alone() {
    let directory = place();
    for (name, _) in presets() {
        let read = sources(&directory, &least(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!((read.len(), read[0].name.as_str(), read[0].tenant.as_str()), (1, "desk", "acme"));
        assert!(read[0].hook.is_none(), "{name}: without a secret there is no hook");
        let with_hook = format!("{}hook.secret_file = \"secret\"\n", least(name));
        assert!(sources(&directory, &with_hook).unwrap()[0].hook.is_some(), "{name}");
        let without = least(name).replace("login.file = \"secret\"\n", "");
        assert!(sources(&directory, &without).err().unwrap().contains("login"), "{name}");
        assert_eq!(sources(&directory, &format!("{}list = false\n", least(name))).unwrap()[0].list_every(), None);
    }
    let without = least("gitlab").replace("values = { project = \"group/desk\" }", "");
    assert!(sources(&directory, &without).err().unwrap().contains("{project} in a URL is not known"));
}

#[test]
fn every_preset_names_the_pages_it_was_taken_from() {
    for entry in fs::read_dir("src/portal/ticket_system/presets").unwrap() {
        let path = entry.unwrap().path();
        assert!(fs::read_to_string(&path).unwrap().lines().any(|line| line.starts_with("# https://")), "{path:?}");
    }
    assert_eq!(presets().count(), fs::read_dir("src/portal/ticket_system/presets").unwrap().count());
}

#[test]
fn what_is_written_lies_over_the_preset() {
    let directory = place();
    let text = format!("{}prefix = \"gh-\"\nevery = \"15m\"\nread.closed = [\"closed\", \"done\"]\n", least("github"));
    let source = sources(&directory, &text).unwrap().remove(0);
    assert_eq!((source.every, source.prefix.as_str()), (900, "gh-"));
    assert_eq!(source.reading.closed, ["closed", "done"]);
    assert_eq!(source.reading.open, ["open"], "what is not named stays");
    assert_eq!(source.name_there(&"gh-42".parse().unwrap()), Some("42"));
    assert_eq!(source.name_there(&"42".parse().unwrap()), None);
    assert_eq!(source.name_there(&"gh-".parse().unwrap()), None);
    assert_eq!(source.name_here("42"), Some("gh-42".parse().unwrap()));
    assert_eq!(source.name_here("4/2"), None);
}

#[test]
fn what_cannot_be_meant_is_refused_and_says_why() {
    let directory = place();
    let github = least("github");
    for (change, why) in [
        (("https://desk", "http://desk"), "https://"),
        (("https://desk", "https://user:hunter2@desk"), "without a secret"),
        (("https://desk.example.org", "desk"), "no URL"),
        (("preset = \"github\"", "preset = \"gopher\""), "there is no preset"),
        (("preset = \"github\"", ""), "missing field"),
        (("name = \"desk\"", "name = \"api\""), "uses this name itself"),
        (("name = \"desk\"", "name = \"../desk\""), "not a ticket system's name"),
        (("tenant = \"acme\"", "tenants = \"acme\""), "tenant"),
        (("login.file = \"secret\"", "login.file = \"nowhere\""), "cannot be used"),
        (("login.file = \"secret\"", "login.file = \"secret\"\nlogin.user = \"bot\""), "login is bearer"),
        (("login.file", "every = \"1s\"\nlogin.file"), "every is 60 s"),
        (("login.file", "every = \"soon\"\nlogin.file"), "length of time"),
        (("login.file", "timeout = \"1h\"\nlogin.file"), "timeout is"),
        (("login.file", "requests_per_minute = 0\nlogin.file"), "at least 1"),
        (("login.file", "reply_limit = 12\nlogin.file"), "reply_limit"),
        (("login.file", "prefix = \"#\"\nlogin.file"), "prefix"),
        (("login.file", "read.open = [\"closed\"]\nlogin.file"), "no word stands in two lists"),
        (("login.file", "read.state = \"state\"\nlogin.file"), "JSON pointer"),
        (("login.file", "headers = { Authorization = \"Bearer hunter2\" }\nlogin.file"), "a secret has its file"),
        (("login.file", "ask.url = \"https://elsewhere.example.org/{ticket}\"\nlogin.file"), "begins with {address}/"),
        (("login.file", "ca_file = \"secret\"\nlogin.file"), "holds no certificate"),
        (("login.file", "hook.secret_file = \"nowhere\"\nlogin.file"), "cannot be used"),
        (("login.file", "list.page_size = 0\nlogin.file"), "page_size"),
        (("[[source]]", "[source]"), "holds no [[source]]"),
        (("[[source]]", "poll = 1\n[[source]]"), "everything stands in [[source]]"),
        (("[[source]]", "[[source]"), "is no TOML"),
    ] {
        let text = github.replace(change.0, change.1);
        assert_ne!(text, github, "{change:?}");
        let told = sources(&directory, &text).err().unwrap_or_else(|| panic!("{change:?} is taken"));
        assert!(told.contains(why), "{change:?}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let directory = place();
    for mode in [0o640, 0o604, 0o620, 0o601] {
        let path = directory.path().join(format!("{mode:o}"));
        secret(&path, 0o600, "a secret");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let text = least("github").replace("\"secret\"", &format!("\"{mode:o}\""));
        let told = sources(&directory, &text).err().unwrap();
        assert!(told.contains("others can read it"), "{told}");
        assert!(!told.contains("a secret"), "{told}");
    }
    secret(&directory.path().join("empty"), 0o600, " \n");
    assert!(sources(&directory, &least("github").replace("\"secret\"", "\"empty\"")).is_err());
    let as_directory = least("github").replace("\"secret\"", "\".\"");
    assert!(sources(&directory, &as_directory).is_err());
}

#[test]
fn systems_of_one_tenant_have_no_ticket_of_one_name() {
    let directory = place();
    let both = |one: &str, other: &str, tenant: &str| {
        let other =
            least("github").replace("\"desk\"\ntenant = \"acme\"", &format!("\"hub\"\ntenant = \"{tenant}\"\n{other}"));
        sources(&directory, &format!("{}{one}\n{other}", least("zammad")))
    };
    assert!(both("", "", "acme").err().unwrap().contains("a ticket of one name"));
    assert!(both("", "prefix = \"gh-\"", "acme").is_err(), "without a prefix every ticket is one of its");
    assert!(both("prefix = \"g\"", "prefix = \"gh-\"", "acme").is_err());
    assert_eq!(both("prefix = \"z-\"", "prefix = \"gh-\"", "acme").unwrap().len(), 2);
    assert_eq!(both("", "", "other").unwrap().len(), 2);
    let twice = format!("{}{}", least("zammad"), least("github").replace("acme\"\npreset", "other\"\npreset"));
    assert!(sources(&directory, &twice).err().unwrap().contains("another one has this name"));
}

#[test]
fn a_directory_is_read_file_by_file() {
    let directory = place();
    let systems = tempfile::tempdir_in(directory.path()).unwrap();
    secret(&systems.path().join("secret"), 0o600, "a secret of 26 letters");
    fs::write(systems.path().join("b.toml"), least("zammad")).unwrap();
    fs::write(
        systems.path().join("a.toml"),
        least("github").replace("desk\"\ntenant = \"acme", "hub\"\ntenant = \"other"),
    )
    .unwrap();
    fs::write(systems.path().join("notes.txt"), "no TOML").unwrap();
    let names: Vec<_> = read(systems.path()).unwrap().iter().map(|source| source.name.to_string()).collect();
    assert_eq!(names, ["hub", "desk"]);
    fs::write(systems.path().join("c.toml"), least("zammad")).unwrap();
    assert!(read(systems.path()).is_err(), "one name twice, also in two files");
    assert!(read(&directory.path().join("nowhere.toml")).is_err());
}

#[test]
fn the_examples_in_the_documentation_are_read() {
    let documentation = fs::read_to_string("docs/TICKETS.md").unwrap();
    let directory = tempfile::tempdir().unwrap();
    for name in ["zammad", "jira", "gitlab", "github", "servicenow", "cases"] {
        for kind in ["token", "hook", "key", "password"] {
            secret(&directory.path().join(format!("{name}.{kind}")), 0o600, "a secret of 26 letters");
        }
    }
    fs::copy("fixtures/tls/ca.pem", directory.path().join("company-ca.pem")).unwrap();
    let examples: Vec<&str> =
        documentation.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    for example in &examples {
        let read = sources(&directory, example).unwrap_or_else(|fault| panic!("{fault}\n{example}"));
        assert!(read[0].hook.is_some(), "{example}");
    }
    let named: Vec<bool> = presets().map(|(name, _)| examples.iter().any(|it| it.contains(name))).collect();
    assert_eq!((examples.len(), named), (6, vec![true; 5]));
}
