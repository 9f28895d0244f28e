//! What may stand in a settings file, and reading one. The comments on the fields are what `config schema` and
//! `docs/SETTINGS.md` say.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cli::exit::Failure;

/// The settings of tarseal: `/etc/tarseal/config.toml`, and `config.toml` in a user's configuration directory, which comes
/// first. Every key may be absent; one that is not known is refused.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Settings of tarseal")]
pub(super) struct ConfigFile {
    /// The portal's address: `https://…`
    #[schemars(extend("x-environment" = "TARSEAL_PORTAL", "x-flag" = "--portal"))]
    pub(super) portal: Option<String>,
    /// The file that holds the token for the portal; only its owner may read it
    #[schemars(extend("x-environment" = "TARSEAL_TOKEN_FILE", "x-flag" = "--token-file"))]
    pub(super) token_file: Option<PathBuf>,
    /// A file of certificates (PEM) that are trusted instead of the system's
    #[schemars(extend("x-environment" = "TARSEAL_CA_FILE", "x-flag" = "--ca-file"))]
    pub(super) ca_file: Option<PathBuf>,
    /// To whom is sealed: recipients, names of pinned vendors, or files that hold recipients
    #[schemars(extend("x-environment" = "TARSEAL_TO", "x-flag" = "--to"))]
    pub(super) to: Option<Vec<String>>,
    /// How it is collected and redacted: a built-in profile or a file
    #[schemars(extend("x-environment" = "TARSEAL_PROFILE", "x-flag" = "--profile"))]
    pub(super) profile: Option<String>,
    /// A file of names to remove wherever they stand, one a line
    #[schemars(extend("x-environment" = "TARSEAL_WATCHLIST", "x-flag" = "--watchlist"))]
    pub(super) watchlist: Option<PathBuf>,
    /// The sender's key file: what is sealed is signed with it
    #[schemars(extend("x-environment" = "TARSEAL_SENDER_KEY", "x-flag" = "--sender-key"))]
    pub(super) sender_key: Option<PathBuf>,
    /// Whose sealed files are opened: senders, or files that hold some
    #[schemars(extend("x-environment" = "TARSEAL_REQUIRE_SENDER", "x-flag" = "--require-sender"))]
    pub(super) require_sender: Option<Vec<String>>,
    /// What a user cannot loosen: of two files the stricter value holds
    #[serde(default)]
    pub(super) policy: PolicyTable,
}

/// What a user cannot loosen.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct PolicyTable {
    /// Whether a person must look before anything is sent: then `--yes` stops after sealing. False when absent
    pub(super) review_required: Option<bool>,
    /// Whether `--no-redact` is allowed. True when absent
    pub(super) allow_no_redact: Option<bool>,
    /// The only portals that may be sent to; of two lists what stands in both
    pub(super) allow_portals: Option<Vec<String>>,
}

/// Reads a file of settings; one that is not there is empty.
pub(super) fn read(path: &Path) -> Result<ConfigFile, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(ConfigFile::default());
        }
        Err(error) => return Err(Failure::local(format_args!("The settings in {}", path.display()), &error)),
    };
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Failure::usage(format_args!("{}, line {line}: {}", path.display(), error.message()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<ConfigFile>("portl = 'https://a.example'").is_err());
    }
}
