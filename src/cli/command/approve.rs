//! Showing what will leave, and asking: nothing is sent without a yes.

use std::path::PathBuf;

use super::remote::Remote;
use super::snapshot::{Told, show_review, tell_missing};
use crate::cli::Desk;
use crate::cli::args::{Review, SendArguments};
use crate::cli::browser;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{count, shown, size};
use crate::ids::TicketId;
use crate::pack::Manifest;
use crate::pipeline::Created;

/// What was decided.
pub enum Decision {
    /// It may leave. With the place of the review page, if there is one.
    Send(Option<PathBuf>),
    /// It is to be made again without this.
    LeaveOut(String),
}

/// Shows what will leave and asks what to do; a failure when it is not to leave.
pub fn ask(
    arguments: &SendArguments,
    ticket: &TicketId,
    created: &Created,
    told: &Told,
    remote: &Remote,
    desk: &mut Desk<'_>,
) -> Result<Decision, Failure> {
    let manifest = &created.manifest;
    tell_missing(manifest, desk);
    if arguments.review == Review::Html {
        tell_review(manifest, created.size, remote, desk);
    }
    let portal = remote.address.as_str();
    let page = show_review(arguments.review, created, told, Some(portal), desk)?;
    if desk.manner.yes {
        return Ok(Decision::Send(page));
    }
    if let Some(page) = page.as_deref().filter(|_| !desk.manner.no_input)
        && browser::open(page, desk)
    {
        desk.output.say("(opened in your browser; or type v to read it here)");
    }
    desk.output.insist("\nNOTHING HAS LEFT THIS COMPUTER.");
    loop {
        let question =
            format!("[s] send   [x] leave something out   [v] view   [q] stop      (or type {ticket} to send)");
        let Some(answer) = desk.ask(&question)? else { return Err(declined()) };
        match answer.as_str() {
            "s" | "S" => {
                let typed = desk.ask(&format!("Type the ticket number to send: {ticket}"))?;
                if typed.as_deref() == Some(ticket.as_str()) {
                    return Ok(Decision::Send(page));
                }
                desk.output.insist("That is not the ticket number. NOTHING HAS LEFT THIS COMPUTER.");
            }
            typed if typed == ticket.as_str() => return Ok(Decision::Send(page)),
            "v" | "V" => {
                show_review(Review::Text, created, told, Some(portal), desk)?;
            }
            "x" | "X" => match leave_out(arguments, desk)? {
                Some(place) => return Ok(Decision::LeaveOut(place)),
                None => desk.output.insist("NOTHING HAS LEFT THIS COMPUTER."),
            },
            _ => return Err(declined()),
        }
    }
}

fn leave_out(arguments: &SendArguments, desk: &mut Desk<'_>) -> Result<Option<String>, Failure> {
    if arguments.snapshot.paths.iter().any(|path| path == "-") {
        desk.output.insist("Standard input was read and is gone: stop, and send again with  --leave-out PATH");
        return Ok(None);
    }
    let typed = desk.ask("Leave out which file or directory? (a path from the list, or a glob such as *.log)")?;
    Ok(typed.filter(|typed| !typed.is_empty()))
}

fn declined() -> Failure {
    Failure::new(Exit::NotApproved, "You did not approve it.")
        .left("The sealed file was removed; nothing has left this computer.")
}

fn tell_review(manifest: &Manifest, length: u64, remote: &Remote, desk: &Desk<'_>) {
    let say = |line: String| desk.output.say(line);
    say(format!(
        "\nTo {} for ticket {}:  {}, {} sealed",
        remote.address.host(),
        manifest.ticket.as_ref().map_or("", TicketId::as_str),
        count(manifest.entries.len() as u64, "file"),
        size(length)
    ));
    let most = 12;
    for entry in manifest.entries.iter().take(most) {
        say(format!("  {:>10}  {}", size(entry.size), shown(entry.path.as_str())));
    }
    if manifest.entries.len() > most {
        say(format!("  … and {}", count((manifest.entries.len() - most) as u64, "more file")));
    }
    if !manifest.redacted {
        say("WITHOUT redaction: it holds personal data as it was.".into());
        return;
    }
    if manifest.findings.is_empty() {
        say("Replaced: nothing was found.".into());
    } else {
        say("Replaced:".into());
    }
    for (category, number) in &manifest.findings {
        say(format!("  {:<18} {number:>9}", category.word()));
    }
}
