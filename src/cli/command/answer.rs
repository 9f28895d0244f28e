//! `answer`: what a technician asks about stand-ins. Who stands behind one is shown on this computer alone; what leaves is what
//! the sender decides for each question.

use std::collections::HashMap;

use serde_json::json;

use super::ledger::{self, remote_of};
use super::remote::{self, Remote};
use crate::cli::args::AnswerArguments;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::output::shown;
use crate::cli::settings::Settings;
use crate::cli::{Desk, keeping};
use crate::format::Identity;
use crate::ids::{FileId, TicketId};
use crate::send::SendError;
use crate::track::Phase;
use crate::track::ledger::Entry;
use crate::wire::{NewAnswer, Question, QuestionState};

/// How often a person is asked again who types none of the letters.
const TRIES: usize = 3;

/// A question, and where it comes from.
struct Waiting {
    remote: usize,
    ticket: TicketId,
    snapshot: FileId,
    question: Question,
    /// What the vault says the stand-in stands for.
    value: Option<String>,
}

/// Shows what is asked and answers as the flags, or the person at the terminal, say.
pub fn run(arguments: &AnswerArguments, desk: &mut Desk<'_>) -> Result<Outcome, Failure> {
    let (remotes, waiting) = find(arguments, desk)?;
    let flag = match (arguments.decline, &arguments.text, arguments.reveal) {
        (true, ..) => Some(Wish::Decline),
        (_, Some(text), _) => Some(Wish::Tell(text.clone())),
        (.., true) => Some(Wish::Reveal),
        _ => None,
    };
    if let (Some(wanted), true) = (&arguments.question, waiting.is_empty()) {
        return Err(Failure::new(Exit::NotFound, format_args!("There is no question {}.", shown(wanted))));
    }
    if flag.is_some() && waiting.len() > 1 {
        let mut failure = Failure::usage(format_args!("{} wait for an answer; say which is meant.", waiting.len()));
        for one in &waiting {
            failure =
                failure.next(format!("--question {}   {}", shown(&one.question.id), shown(&one.question.stand_in)));
        }
        return Err(failure);
    }
    let person = desk.world.interactive && !desk.manner.no_input;
    let (mut answered, mut open) = (0_u64, 0_u64);
    for one in &waiting {
        tell(one, person, desk);
        let wish = match &flag {
            Some(wish) => Some(wish.clone()),
            None if person => asked(one, desk)?,
            None => None,
        };
        match wish {
            Some(wish) => {
                reply(one, &wish, &remotes[one.remote], desk)?;
                answered += 1;
            }
            None => open += 1,
        }
    }
    if waiting.is_empty() {
        desk.output.say("No question waits for an answer.");
    } else if flag.is_none() && !person {
        desk.output.say("Answer with:  tarseal answer --question ID --decline | --text TEXT | --reveal");
    }
    let status = if answered > 0 { "answered" } else { "ok" };
    Ok(Outcome::done(status).with("answered", answered).with("open", open))
}

/// What the sender wants.
#[derive(Clone)]
enum Wish {
    Decline,
    Tell(String),
    Reveal,
}

/// Asks the portals what waits, and the vaults who is meant.
fn find(arguments: &AnswerArguments, desk: &mut Desk<'_>) -> Result<(Vec<Remote>, Vec<Waiting>), Failure> {
    let mut settings = Settings::resolve(&arguments.portal, &desk.home, desk.world)?;
    let entries = ledger::entries(arguments.ticket.as_ref(), desk)?;
    if let (true, Some(ticket)) = (entries.is_empty(), &arguments.ticket) {
        return Err(Failure::new(Exit::NotFound, format_args!("Nothing was sent for ticket {ticket} from here.")));
    }
    let open = |entry: &Entry| entry.sent_at().is_some() && entry.phase() < Phase::Due;
    let entries: Vec<Entry> = entries.into_iter().filter(open).collect();
    remote::aim(&mut settings, ledger::portals(&entries))?;
    let own = keeping::own_identity(desk)?;
    let (mut remotes, mut waiting, mut refused) = (Vec::new(), Vec::new(), None);
    for entry in &entries {
        let remote = match remote_of(entry, &settings, desk) {
            Ok(Some(remote)) => remote,
            Ok(None) => continue,
            // No token is for that portal; the others are asked.
            Err(failure) if arguments.ticket.is_none() && matches!(failure.exit, Exit::Refused | Exit::Usage) => {
                refused = Some(failure);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        // With an id, one that was answered already is meant as well.
        let state = arguments.question.is_none().then_some(QuestionState::Open);
        let questions = match remote.client.questions(&entry.snapshot, state) {
            Ok(questions) => questions,
            // A token is for one ticket; what it is not for is not asked. What is gone has no questions.
            Err(error @ (SendError::NotFound(_) | SendError::Refused(_))) if arguments.ticket.is_none() => {
                refused = Some(remote::failure(&error, remote.address.host()));
                continue;
            }
            Err(SendError::Expired(_)) => continue,
            Err(error) => return Err(remote::failure(&error, remote.address.host())),
        };
        let wanted = |question: &Question| arguments.question.as_ref().is_none_or(|id| *id == question.id);
        let questions: Vec<Question> = questions.into_iter().filter(wanted).collect();
        let mut values = values(&entry.snapshot, &questions, &own, desk)?;
        for question in questions {
            let value = values.remove(&question.stand_in.to_lowercase());
            let (ticket, snapshot) = (entry.ticket.clone(), entry.snapshot);
            waiting.push(Waiting { remote: remotes.len(), ticket, snapshot, question, value });
        }
        remotes.push(remote);
    }
    match refused {
        Some(failure) if remotes.is_empty() => Err(failure),
        _ => Ok((remotes, waiting)),
    }
}

/// What the vault of a snapshot says about the stand-ins that are asked for.
fn values(
    snapshot: &FileId,
    questions: &[Question],
    own: &Identity,
    desk: &Desk<'_>,
) -> Result<HashMap<String, String>, Failure> {
    let mut values = HashMap::new();
    if questions.is_empty() {
        return Ok(values);
    }
    let asked: Vec<String> = questions.iter().map(|question| question.stand_in.to_lowercase()).collect();
    for entry in keeping::open_vault(snapshot, own, desk)?.into_iter().flatten() {
        let entry = entry?;
        let stand_in = entry.stand_in.to_lowercase();
        if asked.contains(&stand_in) {
            values.entry(stand_in).or_insert(entry.value);
        }
    }
    Ok(values)
}

/// Shows a question; who is meant only to a person at the terminal, and never where output is kept.
fn tell(one: &Waiting, person: bool, desk: &Desk<'_>) {
    let question = &one.question;
    let stand_in = shown(&question.stand_in);
    desk.output.data(format!(
        "Ticket {}: the technician asks about {stand_in} ({})   {}",
        one.ticket,
        shown(&question.why),
        shown(&question.id)
    ));
    let fields = json!({
        "ticket": one.ticket, "snapshot": one.snapshot, "question": question.id, "stand_in": question.stand_in,
        "why": question.why, "asked_at": question.asked_at, "state": question.state, "known": one.value.is_some(),
    });
    desk.output.event("question", fields.as_object().cloned().unwrap_or_default());
    if !person || desk.manner.json {
        return;
    }
    match &one.value {
        Some(value) => desk.output.insist(format!("  {stand_in} is:  {}     (only you see this line)", shown(value))),
        None => desk.output.insist(format!("  This computer does not know who {stand_in} is.")),
    }
}

/// Asks the person at the terminal; `None` leaves the question open.
fn asked(one: &Waiting, desk: &mut Desk<'_>) -> Result<Option<Wish>, Failure> {
    let reveal = if one.value.is_some() { "   [r] reveal" } else { "" };
    let menu = format!("[n] do not tell   [t] answer in your own words{reveal}   [Enter] later");
    for _ in 0..TRIES {
        let Some(letter) = desk.ask(&menu)? else { return Ok(None) };
        match letter.as_str() {
            "" => return Ok(None),
            "n" => return Ok(Some(Wish::Decline)),
            "r" if one.value.is_some() => return Ok(Some(Wish::Reveal)),
            "t" => {
                let text = desk.ask("Your answer; the technician reads it:")?;
                return Ok(text.filter(|text| !text.is_empty()).map(Wish::Tell));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn reply(one: &Waiting, wish: &Wish, remote: &Remote, desk: &Desk<'_>) -> Result<(), Failure> {
    let answer = match (wish, &one.value) {
        (Wish::Decline, _) => NewAnswer { answer: QuestionState::Declined, text: None },
        (Wish::Tell(text), _) => NewAnswer { answer: QuestionState::Told, text: Some(text.clone()) },
        (Wish::Reveal, Some(value)) => NewAnswer { answer: QuestionState::Revealed, text: Some(value.clone()) },
        (Wish::Reveal, None) => {
            return Err(Failure::new(
                Exit::NotFound,
                format_args!("This computer does not know who {} is.", shown(&one.question.stand_in)),
            )
            .left("Nothing was told.")
            .next("The vault is on the computer that the snapshot was sent from. In your own words:  --text TEXT"));
        }
    };
    remote
        .client
        .answer(&one.snapshot, &one.question.id, &answer)
        .map_err(|error| remote::failure(&error, remote.address.host()).left("Nothing was told."))?;
    let what = match answer.answer {
        QuestionState::Declined => "You do not tell; the technician sees that.",
        QuestionState::Revealed => "The value was told. It is stored with the snapshot, and deleted with it.",
        _ => "Stored with the snapshot, deleted with it.",
    };
    desk.output.headline("ANSWERED.", what);
    if answer.answer != QuestionState::Declined {
        desk.output.say(format!(
            "Take it back:  tarseal answer {} --question {} --decline",
            one.ticket,
            shown(&one.question.id)
        ));
    }
    let fields = json!({ "question": one.question.id, "answer": answer.answer });
    desk.output.event("answered", fields.as_object().cloned().unwrap_or_default());
    Ok(())
}
