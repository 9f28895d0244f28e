//! Settings, resolved once: flag, then environment, then the user's file, then `/etc`, then the default.
//!
//! Keys under `[policy]` are the exception: what `/etc/tarseal/config.toml` sets there, a user can only make stricter.

mod file;
mod reference;

pub use reference::schema;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;

use self::file::{ConfigFile, PolicyTable, read};
use super::args::PortalArguments;
use super::exit::Failure;
use super::home::Home;
use super::standard_input;
use super::world::World;
use crate::secret::Secret;

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// `flag`, `environment NAME`, a file's path, or `default`.
    pub origin: String,
}

impl<T> Set<T> {
    /// Whether it was typed in this very call.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.origin == "flag"
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The portal's address.
    pub portal: Option<Set<String>>,
    /// The file that holds the token.
    pub token_file: Option<Set<PathBuf>>,
    /// The token, once it was read: standard input gives it only once.
    pub token: Rc<OnceCell<Secret<String>>>,
    /// Certificates to trust instead of the system's.
    pub ca_file: Option<Set<PathBuf>>,
    /// Recipients, or files that hold one.
    pub to: Option<Set<Vec<String>>>,
    /// How it is redacted: a built-in profile or a file.
    pub profile: Option<Set<String>>,
    /// Names to remove wherever they stand.
    pub watchlist: Option<Set<PathBuf>>,
    /// The sender's key: signs what is sealed.
    pub sender_key: Option<Set<PathBuf>>,
    /// Whose files are opened: senders, or files that hold some.
    pub require_sender: Option<Set<Vec<String>>>,
    /// Whether a person must look before anything is sent: then `--yes` stops after sealing.
    pub review_required: Set<bool>,
    /// Whether `--no-redact` is allowed.
    pub allow_no_redact: Set<bool>,
    /// The only portals that may be sent to, when set.
    pub allow_portals: Option<Set<Vec<String>>>,
}

impl Settings {
    /// Resolves every setting from flags, environment and the two files.
    pub fn resolve(flags: &PortalArguments, home: &Home, world: &World) -> Result<Self, Failure> {
        let (user, system) = (home.config_file(), &world.system_config);
        let layers = [(user.clone(), read(&user)?), (system.clone(), read(system)?)];
        let text = |name: &str| world.variable(name).and_then(|value| value.into_string().ok());
        let path = |name: &str| world.variable(name).map(PathBuf::from);
        let strict = |field: fn(&PolicyTable) -> Option<bool>, strict: bool| -> Set<bool> {
            layers
                .iter()
                .rev()
                .find(|(_, file)| field(&file.policy) == Some(strict))
                .or_else(|| layers.iter().find(|(_, file)| field(&file.policy).is_some()))
                .map_or(Set { value: !strict, origin: "default".into() }, |(origin, file)| Set {
                    value: field(&file.policy).expect("found by having a value"),
                    origin: origin.display().to_string(),
                })
        };
        let resolved = Self {
            portal: pick(flags.portal.clone(), text("TARSEAL_PORTAL"), "TARSEAL_PORTAL", &layers, |file| {
                file.portal.clone()
            }),
            token_file: pick(
                flags.token_file.clone(),
                path("TARSEAL_TOKEN_FILE"),
                "TARSEAL_TOKEN_FILE",
                &layers,
                |file| file.token_file.clone(),
            ),
            token: Rc::default(),
            ca_file: pick(flags.ca_file.clone(), path("TARSEAL_CA_FILE"), "TARSEAL_CA_FILE", &layers, |file| {
                file.ca_file.clone()
            }),
            to: pick(
                None,
                text("TARSEAL_TO").map(|list| list.split_whitespace().map(str::to_owned).collect()),
                "TARSEAL_TO",
                &layers,
                |file| file.to.clone(),
            ),
            profile: pick(None, text("TARSEAL_PROFILE"), "TARSEAL_PROFILE", &layers, |file| file.profile.clone()),
            watchlist: pick(None, path("TARSEAL_WATCHLIST"), "TARSEAL_WATCHLIST", &layers, |file| {
                file.watchlist.clone()
            }),
            sender_key: pick(None, path("TARSEAL_SENDER_KEY"), "TARSEAL_SENDER_KEY", &layers, |file| {
                file.sender_key.clone()
            }),
            require_sender: pick(
                None,
                text("TARSEAL_REQUIRE_SENDER").map(|list| list.split_whitespace().map(str::to_owned).collect()),
                "TARSEAL_REQUIRE_SENDER",
                &layers,
                |file| file.require_sender.clone(),
            ),
            review_required: strict(|policy| policy.review_required, true),
            allow_no_redact: strict(|policy| policy.allow_no_redact, false),
            allow_portals: narrowed(&layers),
        };
        for (name, file) in [("token_file", &resolved.token_file), ("sender_key", &resolved.sender_key)] {
            file_is_meant(name, file.as_ref())?;
        }
        Ok(resolved)
    }

    /// The settings as `name = value` lines with their origins, for `config show`.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String, String)> {
        fn line<T>(
            name: &'static str,
            set: Option<&Set<T>>,
            show: impl Fn(&T) -> String,
        ) -> (&'static str, String, String) {
            set.map_or((name, "(not set)".into(), "default".into()), |set| (name, show(&set.value), set.origin.clone()))
        }
        let path = |path: &PathBuf| path.display().to_string();
        vec![
            line("portal", self.portal.as_ref(), String::clone),
            line("token_file", self.token_file.as_ref(), path),
            line("ca_file", self.ca_file.as_ref(), path),
            line("to", self.to.as_ref(), |list| list.join(" ")),
            line("profile", self.profile.as_ref(), String::clone),
            line("watchlist", self.watchlist.as_ref(), path),
            line("sender_key", self.sender_key.as_ref(), path),
            line("require_sender", self.require_sender.as_ref(), |list| list.join(" ")),
            line("policy.review_required", Some(&self.review_required), bool::to_string),
            line("policy.allow_no_redact", Some(&self.allow_no_redact), bool::to_string),
            line("policy.allow_portals", self.allow_portals.as_ref(), |list| list.join(" ")),
        ]
    }
}

/// Standard input is given in the call that reads it, where it is seen what else reads it.
fn file_is_meant(name: &str, set: Option<&Set<PathBuf>>) -> Result<(), Failure> {
    match set {
        Some(set) if !set.is_typed() && standard_input::is_meant(set.value.as_os_str()) => {
            let option = name.replace('_', "-");
            Err(Failure::usage(format_args!(
                "{name} in {} names standard input, and settings name a file.",
                set.origin
            ))
            .next(format!("Say it in the call itself:  --{option} -")))
        }
        _ => Ok(()),
    }
}

fn pick<T>(
    flag: Option<T>,
    environment: Option<T>,
    variable: &str,
    layers: &[(PathBuf, ConfigFile)],
    field: impl Fn(&ConfigFile) -> Option<T>,
) -> Option<Set<T>> {
    flag.map(|value| Set { value, origin: "flag".into() })
        .or_else(|| environment.map(|value| Set { value, origin: format!("environment {variable}") }))
        .or_else(|| {
            layers
                .iter()
                .find_map(|(origin, file)| field(file).map(|value| Set { value, origin: origin.display().to_string() }))
        })
}

/// The user's list of portals, if it stays within the system's; portals outside the system's list fall out.
fn narrowed(layers: &[(PathBuf, ConfigFile)]) -> Option<Set<Vec<String>>> {
    let [(user_origin, user), (system_origin, system)] = layers else { return None };
    let user = user.policy.allow_portals.as_ref();
    let system = system.policy.allow_portals.as_ref();
    match (user, system) {
        (None, None) => None,
        (Some(list), None) => Some(Set { value: list.clone(), origin: user_origin.display().to_string() }),
        (None, Some(list)) => Some(Set { value: list.clone(), origin: system_origin.display().to_string() }),
        (Some(user), Some(system)) => Some(Set {
            value: user.iter().filter(|portal| system.contains(portal)).cloned().collect(),
            origin: format!("{} within {}", user_origin.display(), system_origin.display()),
        }),
    }
}

/// Whether the environment asks for no colour.
#[must_use]
pub fn wants_no_color(world: &World) -> bool {
    world.variable("NO_COLOR").is_some() || world.variable("TERM") == Some(OsString::from("dumb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(user: &str, system: &str) -> [(PathBuf, ConfigFile); 2] {
        [("user".into(), toml::from_str(user).unwrap()), ("system".into(), toml::from_str(system).unwrap())]
    }

    #[test]
    fn the_nearer_layer_wins() {
        let layers = layers("portal = 'https://user.example'", "portal = 'https://system.example'");
        let picked = |flag: Option<&str>, variable: Option<&str>| {
            pick(flag.map(String::from), variable.map(String::from), "X", &layers, |file| file.portal.clone()).unwrap()
        };
        assert_eq!(picked(Some("flag"), Some("variable")).value, "flag");
        assert_eq!(picked(None, Some("variable")).origin, "environment X");
        assert_eq!(picked(None, None).value, "https://user.example");
    }

    #[test]
    fn a_user_cannot_widen_the_list_of_portals() {
        let layers = layers(
            "[policy]\nallow_portals = ['https://a.example', 'https://evil.example']",
            "[policy]\nallow_portals = ['https://a.example', 'https://b.example']",
        );
        assert_eq!(narrowed(&layers).unwrap().value, ["https://a.example"]);
    }
}
