//! The stop list: words that are hidden only beside a key or within a longer name.

use std::sync::LazyLock;

use super::text::{ByHash, word_hash};

static WORDS: LazyLock<ByHash<&'static str>> = LazyLock::new(|| {
    include_str!("common_words.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .map(|word| (word_hash(word.as_bytes()), word))
        .collect()
});

/// Accounts of the system and of services, not of people: they stay readable.
const SYSTEM_USERS: [&str; 16] = [
    "root",
    "nobody",
    "daemon",
    "bin",
    "sys",
    "www-data",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "messagebus",
    "syslog",
    "nt authority",
    "system",
    "local service",
    "network service",
    "nologin",
];

/// Values that say that there is no value.
const NO_VALUES: [&str; 20] = [
    "null",
    "none",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "unknown",
    "undefined",
    "n/a",
    "na",
    "empty",
    "unset",
    "-",
    "--",
    "?",
    "anonymous",
    "(null)",
    "(none)",
    "*",
];

/// Whether a folded word is on the stop list.
pub(crate) fn is_common(word: &str) -> bool {
    WORDS.get(&word_hash(word.as_bytes())).is_some_and(|known| *known == word)
}

/// Whether a folded value is a processor's architecture, which `uname` and others call the machine.
pub(crate) fn is_architecture(value: &str) -> bool {
    matches!(
        value,
        "x86_64"
            | "x86-64"
            | "x86"
            | "amd64"
            | "arm64"
            | "aarch64"
            | "i386"
            | "i586"
            | "i686"
            | "noarch"
            | "ppc64"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "armv7l"
            | "armv8l"
            | "armhf"
    )
}

/// Whether a folded name is an account of the system.
pub(crate) fn is_system_user(name: &str) -> bool {
    SYSTEM_USERS.contains(&name)
}

/// Whether a folded value says that there is none.
pub(crate) fn is_no_value(value: &str) -> bool {
    value.len() <= 9 && NO_VALUES.contains(&value) || value.chars().all(|c| !c.is_alphanumeric())
}
