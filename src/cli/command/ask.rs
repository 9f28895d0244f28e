//! `ask`: a question about a stand-in to the sender, and what was answered.

use super::fetch::stored;
use super::remote::{Remote, connect, failure};
use crate::cli::Desk;
use crate::cli::args::AskArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::{count, shown};
use crate::ids::{FileId, TicketId};
use crate::wire::{NewQuestion, QuestionState, Snapshot};

/// Asks, or shows what was asked and answered.
pub fn run(arguments: &AskArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let remote = connect(&arguments.portal, desk)?;
    match &arguments.stand_in {
        Some(stand_in) => ask(stand_in, &remote, arguments, desk),
        None => tell(&remote, arguments, desk),
    }
}

fn ask(stand_in: &str, remote: &Remote, arguments: &AskArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let why = match &arguments.why {
        Some(why) => Some(why.clone()),
        None => desk.ask("Why do you need to know it? The customer reads this:")?,
    };
    let why = why
        .filter(|why| !why.trim().is_empty())
        .ok_or_else(|| Failure::usage("The customer is told why you ask.").next("Say why:  --why TEXT"))?;
    let snapshot = one_of(remote, &arguments.ticket, arguments.snapshot)?;
    let question = NewQuestion { stand_in: stand_in.to_owned(), why };
    let asked = remote.client.ask(&snapshot.id, &question).map_err(|error| failure(&error, remote.address.host()))?;
    desk.output.headline("ASKED.", "Sent to the customer. You will not see the name unless they answer.");
    desk.output.say(format!("What they answer:  tarseal ask {}", arguments.ticket));
    Ok(Outcome::done("asked")
        .with("question", asked.id)
        .with("snapshot", snapshot.id)
        .with("ticket", &arguments.ticket))
}

fn tell(remote: &Remote, arguments: &AskArguments, desk: &Desk<'_>) -> Result<Outcome, Failure> {
    let told = |error: &_| failure(error, remote.address.host());
    let mut snapshots = stored(remote, &arguments.ticket)?;
    snapshots.retain(|snapshot| arguments.snapshot.is_none_or(|wanted| wanted == snapshot.id));
    let (mut questions, mut open) = (Vec::new(), 0);
    for snapshot in &snapshots {
        for question in remote.client.questions(&snapshot.id, None).map_err(|error| told(&error))? {
            let answered = matches!(question.state, QuestionState::Told | QuestionState::Revealed);
            let question = if answered {
                remote.client.answer_to(&snapshot.id, &question.id).map_err(|error| told(&error))?
            } else {
                question
            };
            open += u64::from(question.state == QuestionState::Open);
            desk.output.data(format!(
                "{}  ({})  {}",
                shown(&question.stand_in),
                shown(&question.why),
                match question.state {
                    QuestionState::Open => "not answered yet",
                    QuestionState::Declined => "the customer does not tell",
                    QuestionState::Told => "the customer answers:",
                    QuestionState::Revealed => "the customer tells the value:",
                }
            ));
            for line in question.text.iter().flat_map(|text| text.lines()) {
                desk.output.data(format!("    {}", shown(line)));
            }
            questions.push(question);
        }
    }
    if questions.is_empty() {
        desk.output.say(format!("Nothing was asked about ticket {}.", arguments.ticket));
    } else {
        desk.output.say(format!("{}, {open} not answered yet.", count(questions.len() as u64, "question")));
    }
    Ok(Outcome::done("ok").with("questions", questions).with("open", open))
}

/// The snapshot that was named, or the newest of the ticket that can be read.
pub fn one_of(remote: &Remote, ticket: &TicketId, wanted: Option<FileId>) -> Result<Snapshot, Failure> {
    let mut snapshots = stored(remote, ticket)?;
    match wanted {
        None => Ok(snapshots.pop().expect("there is at least one, or it would be an error")),
        Some(id) => snapshots.into_iter().find(|snapshot| snapshot.id == id).ok_or_else(|| {
            Failure::new(Exit::NotFound, format_args!("Ticket {ticket} has no snapshot {id} that can be read."))
        }),
    }
}
