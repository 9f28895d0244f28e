//! Reaching a portal from a command: settings to a client, the client's errors to words and exit codes.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::cli::Desk;
use crate::cli::args::PortalArguments;
use crate::cli::exit::{Exit, Failure};
use crate::cli::home::read_secret;
use crate::cli::output::shown;
use crate::cli::requests;
use crate::cli::settings::{Set, Settings};
use crate::ids::TicketId;
use crate::secret::Secret;
use crate::send::{Client, ClientOptions, PortalAddress, SendError};

/// What is true when a token was for another portal.
const TOKEN_KEPT: &str = "Your token was not sent.";

/// A portal that is settled upon, with a client that has a token.
pub struct Remote {
    /// Where it is.
    pub address: PortalAddress,
    /// Speaks to it.
    pub client: Client,
    /// Whether the token is one that a request's code gave.
    pub by_code: bool,
}

/// Connects to the portal that the settings name.
pub fn connect(arguments: &PortalArguments, desk: &mut Desk<'_>) -> Result<Remote, Failure> {
    let settings = Settings::resolve(arguments, &desk.home, desk.world)?;
    let address = address(&settings)?;
    connect_to(address, &settings, desk)
}

/// Connects to `address` with the token and certificates that the settings name. A token is shown to the portal that the
/// settings name and to no other.
pub fn connect_to(address: PortalAddress, settings: &Settings, desk: &mut Desk<'_>) -> Result<Remote, Failure> {
    let Some(token_file) = &settings.token_file else {
        return Err(Failure::usage("There is no token to show to the portal.")
            .next("Put it into a file of yours and name it:  --token-file FILE"));
    };
    if !token_is_for(&address, settings) {
        return Err(for_another(&address, settings));
    }
    if settings.token.get().is_none() {
        let text = read_secret(&token_file.value, "token file", desk.world)?;
        settings.token.get_or_init(|| Secret::new(text.expose().trim().to_owned()));
    }
    let client = client(address.clone(), settings.token.get(), settings)?;
    Ok(Remote { address, client, by_code: false })
}

/// Whether the settings have a token, and name this portal as the one it is for.
pub fn token_is_for(address: &PortalAddress, settings: &Settings) -> bool {
    let named = settings.portal.as_ref().and_then(|portal| portal.value.parse::<PortalAddress>().ok());
    settings.token_file.is_some() && named.is_some_and(|named| named.as_str() == address.as_str())
}

/// Takes a token that was typed without a portal, where no settings name one either, as meant for the portal that the command is
/// about. It must be about one alone: nobody said which of several may see the token.
pub fn aim<'p>(settings: &mut Settings, portals: impl IntoIterator<Item = &'p str>) -> Result<(), Failure> {
    let typed = settings.token_file.as_ref().is_some_and(Set::is_typed);
    if !typed || settings.portal.is_some() {
        return Ok(());
    }
    let portals: BTreeSet<&str> = portals.into_iter().collect();
    if portals.len() > 1 {
        let failure = Failure::usage(format_args!("{} portals are meant, and a token is for one.", portals.len()));
        return Err(portals.iter().fold(failure.left(TOKEN_KEPT), |failure, portal| {
            failure.next(format!("Say whose it is:  --portal {} --token-file FILE", shown(portal)))
        }));
    }
    settings.portal = portals.first().map(|portal| Set { value: (*portal).to_owned(), origin: "ledger".into() });
    Ok(())
}

fn for_another(address: &PortalAddress, settings: &Settings) -> Failure {
    let whose = match &settings.portal {
        Some(portal) => format!("it is for {}", shown(&portal.value)),
        None => "they name no portal that it is for".to_owned(),
    };
    Failure::new(Exit::Refused, format_args!("The token of your settings is not shown to {address}: {whose}."))
        .left(TOKEN_KEPT)
        .next(format!("If you have one for that portal, name it:  --portal {address} --token-file FILE"))
}

/// Connects for a ticket: with the token of the flag, with the one that a request's code gave for the ticket, or with the one
/// of the settings.
pub fn connect_for(
    address: PortalAddress,
    ticket: &TicketId,
    settings: &Settings,
    desk: &mut Desk<'_>,
) -> Result<Remote, Failure> {
    let typed = settings.token_file.as_ref().is_some_and(Set::is_typed) && token_is_for(&address, settings);
    if !typed && let Some(token) = requests::kept_token(ticket, &address, desk)? {
        let client = client(address.clone(), Some(&token), settings)?;
        return Ok(Remote { address, client, by_code: true });
    }
    connect_to(address, settings, desk)
}

/// A client for `address`, with or without a token.
pub fn client(address: PortalAddress, token: Option<&Secret<String>>, settings: &Settings) -> Result<Client, Failure> {
    let options =
        ClientOptions { ca_file: settings.ca_file.as_ref().map(|file| file.value.clone()), ..ClientOptions::default() };
    let host = address.host().to_owned();
    Client::new(address, token, &options).map_err(|error| failure(&error, &host))
}

/// The portal that the settings name, if the policy allows it.
pub fn address(settings: &Settings) -> Result<PortalAddress, Failure> {
    let Some(portal) = &settings.portal else {
        return Err(Failure::usage("There is no portal to speak to.").next("Name it:  --portal https://…"));
    };
    let address = parse(&portal.value)?;
    allowed(&address, settings)?;
    Ok(address)
}

fn parse(text: &str) -> Result<PortalAddress, Failure> {
    text.parse::<PortalAddress>()
        .map_err(|error| Failure::usage(format_args!("\"{}\" is not a portal: {error}.", shown(text))))
}

/// Refuses a portal that the policy does not allow, wherever its name comes from.
pub fn allowed(address: &PortalAddress, settings: &Settings) -> Result<(), Failure> {
    let Some(allowed) = &settings.allow_portals else { return Ok(()) };
    for entry in &allowed.value {
        if parse(entry)?.as_str() == address.as_str() {
            return Ok(());
        }
    }
    Err(Failure::new(
        Exit::NotApproved,
        format_args!("The policy in {} does not allow {}.", allowed.origin, address.as_str()),
    ))
}

/// Asks again, twice, when the way to the portal breaks or the portal is busy.
pub fn patiently<T>(ask: impl Fn() -> Result<T, SendError>) -> Result<T, SendError> {
    for pause in [1, 2] {
        match ask() {
            Err(error) if error.is_temporary() => {
                let pause = Duration::from_secs(pause);
                thread::sleep(error.retry_after().unwrap_or(pause).clamp(pause, Duration::from_secs(10)));
            }
            answer => return answer,
        }
    }
    ask()
}

/// An error of the way to the portal at `host`, in words and with its exit code.
pub fn failure(error: &SendError, host: &str) -> Failure {
    let say = |exit: Exit, text: String| Failure::new(exit, text);
    let problem = |title: &str, detail: &str| {
        let detail = if detail.is_empty() { title } else { detail };
        format!("{} says: {}", host, sentence(detail))
    };
    match error {
        SendError::Address(_) | SendError::Token | SendError::Reason => say(Exit::Usage, sentence(&error.to_string())),
        SendError::Refused(said) => {
            say(Exit::Refused, problem(&said.title, &said.detail)).next(match said.kind.rsplit('/').next() {
                Some("person-needed") => "Sign in, and put your session into a file of yours:  --token-file FILE",
                Some("second-factor-needed") => "Show a code to the portal (/v1/session/factor), then try again.",
                Some("code-used") => "To send another, ask the technician for a new code.",
                _ => "Ask the technician for a new token, and give it with:  --token-file FILE",
            })
        }
        SendError::NotFound(said) => say(Exit::NotFound, problem(&said.title, &said.detail)),
        SendError::TicketClosed(said) => {
            say(Exit::NotApproved, problem(&said.title, &said.detail)).next("Ask the technician to reopen the ticket.")
        }
        SendError::TicketExists(said) | SendError::Rejected(said) => {
            say(Exit::Usage, problem(&said.title, &said.detail))
        }
        SendError::Expired(said) => say(Exit::Expired, problem(&said.title, &said.detail)),
        SendError::DigestMismatch(_) | SendError::FileChanged(_) | SendError::Unexpected(_) => {
            say(Exit::Damaged, sentence(&error.to_string()))
        }
        SendError::Changed { .. } => say(Exit::Damaged, sentence(&error.to_string())).next("Try again."),
        SendError::NoRanges { .. } => {
            say(Exit::Usage, sentence(&error.to_string())).next("Fetch the whole file, and give its path.")
        }
        SendError::NoRoom { problem: said, .. } => say(Exit::Temporary, problem(&said.title, &said.detail)),
        SendError::Temporary { what, .. } => say(Exit::Temporary, sentence(what)),
        SendError::GaveUp { .. } => say(Exit::Temporary, sentence(&error.to_string())),
        SendError::Tls { what, .. } => {
            say(Exit::Tls, format!("The connection to {host} cannot be trusted. {}", sentence(what)))
                .next("If your network replaces certificates, ask IT for its certificate, and add:  --ca-file FILE")
        }
        SendError::Redirect { .. } => say(Exit::Tls, sentence(&error.to_string())),
        SendError::Locked(_) => say(Exit::Locked, "Another run is working on this ticket.".into())
            .next("Wait for it to end, then try again."),
        SendError::Checkpoint { .. } => say(Exit::Local, sentence(&error.to_string())),
        SendError::Local { path, source } => Failure::local(path.display(), source),
        #[expect(
            unreachable_patterns,
            reason = "the enum is non-exhaustive for other crates; a new variant lands here"
        )]
        _ => say(Exit::Bug, sentence(&error.to_string())),
    }
}

/// A text as a sentence of its own: one full stop behind, and a capital in front unless it begins with a name or a path.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    let first_word = text.split_whitespace().next().unwrap_or_default();
    let is_name = first_word.contains(['.', '/', ':', '_', '-']) || first_word.chars().any(|c| c.is_ascii_digit());
    if is_name {
        return if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") };
    }
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), characters.as_str())
}
