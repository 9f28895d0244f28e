//! The record of processing activities: which version is in force, what is missing in it, and what only people can say.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::answer::{Refusal, accepting, done, kept, told};
use super::form::{Form, encoded, query};
use super::frame::{Frame, page};
use super::visitor::Visitor;
use super::words::When;
use crate::clock::Timestamp;
use crate::portal::api::records;
use crate::portal::app::App;
use crate::portal::auth::{Action, Object};
use crate::portal::error::ApiError;
use crate::records::{Facts, Party, Recipient, Transfer, Version};
use crate::wire::List;

const HERE: &str = "/records";

/// What says that there is none, where nothing says that nobody knows.
const NONE: &str = "none";

/// What stands between the parts of a line.
const BETWEEN: char = ';';

#[derive(Template)]
#[template(path = "records.html")]
struct RecordsPage {
    frame: Frame,
    version: u32,
    since: When,
    name: String,
    digest: String,
    missing: Vec<String>,
    versions: Vec<Row>,
    next: Option<String>,
    zone: String,
    can_say: bool,
    parties: Vec<(&'static str, Vec<Field>)>,
    lists: Vec<Field>,
    legal_basis: String,
    notes: String,
}

struct Row {
    version: i64,
    since: When,
    digest: String,
}

/// A field of the form.
struct Field {
    name: String,
    label: &'static str,
    hint: &'static str,
    value: String,
}

#[derive(Deserialize)]
struct Listed {
    version: i64,
    since: Timestamp,
    digest: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let principal = || visitor.0.clone();
    let latest = records::show(State(app.clone()), principal(), query(NOTHING)?, accepting(false)).await;
    let (latest, _) = told::<Version>(latest).await?;
    let after: Vec<_> = form.filled("after").map(|after| ("after", after)).into_iter().collect();
    let versions = records::versions(State(app.clone()), principal(), query(&after)?).await;
    let (versions, _) = told::<List<Listed>>(versions).await?;
    let (facts, _) = told::<Facts>(records::facts(State(app.clone()), principal()).await).await?;
    let zone = visitor.policy(&app).await?.zone;
    let rows = versions.items.into_iter().map(|row| Row {
        version: row.version,
        since: When::new(row.since, &zone),
        digest: row.digest,
    });
    Ok(page(&RecordsPage {
        frame: Frame::of(&visitor, HERE, "Record of processing").after(form.text("done")),
        version: latest.version,
        since: When::new(latest.since, &zone),
        name: latest.record.name,
        digest: latest.digest,
        missing: latest.record.missing.iter().map(|path| missing(path)).collect(),
        versions: rows.collect(),
        next: versions.next.map(|after| format!("{HERE}?after={}", encoded(&after))),
        can_say: visitor.may(Action::SetRecords, Object::Tenant),
        parties: vec![
            ("Who decides about the processing", party_fields("controller", facts.controller.as_ref())),
            ("Who works for them", party_fields("processor", facts.processor.as_ref())),
        ],
        lists: list_fields(&facts),
        legal_basis: facts.legal_basis.unwrap_or_default(),
        notes: facts.notes.unwrap_or_default(),
        zone: zone.to_string(),
    })?)
}

const NOTHING: &[(&str, &str)] = &[];

/// Gives a version as a page to read and print, or as JSON to take along.
pub(super) async fn document(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refusal> {
    let form = Form::of_query(asked.as_deref());
    let wanted: Vec<_> = form.filled("version").map(|version| ("version", version)).into_iter().collect();
    let is_json = form.text("as") == "json";
    let answer = records::show(State(app), visitor.0, query(&wanted)?, accepting(!is_json)).await?;
    kept(answer.into_response(), is_json.then(|| String::from("records-of-processing.json")))
}

/// Takes what the organisation says.
pub(super) async fn say(State(app): State<Arc<App>>, visitor: Visitor, body: Body) -> Result<Response, Refusal> {
    let facts = facts_of(&Form::read(body).await?)?;
    let facts = Body::from(serde_json::to_vec(&facts).map_err(ApiError::fault)?);
    done(records::set_facts(State(app), visitor.0, facts).await)?;
    Ok(Redirect::to("/records?done=records").into_response())
}

/// What is missing, for people: `controller.contact` is "who decides: contact".
fn missing(path: &str) -> String {
    let (whole, part) = path.split_once('.').unwrap_or((path, ""));
    let whole = match whole {
        "controller" => "who decides",
        "processor" => "who works for them",
        "recipients" => "who receives personal data besides",
        "sub_processors" => "who works for the processor",
        "transfers" => "where data goes outside the Union",
        "legal_basis" => "what allows it",
        other => other,
    };
    if part.is_empty() { whole.to_owned() } else { format!("{whole}: {part}") }
}

/// The parts of a party with what each is, in the order of the form.
const PARTS: [(&str, &str); 5] = [
    ("name", "Name"),
    ("address", "Postal address"),
    ("contact", "How to reach them"),
    ("representative", "Representative in the Union, where one is needed"),
    ("officer", "Data-protection officer: an office rather than a person"),
];

fn party_fields(who: &str, party: Option<&Party>) -> Vec<Field> {
    let value = |part: &str| {
        let party = party?;
        match part {
            "name" => party.name.clone(),
            "address" => party.address.clone(),
            "contact" => party.contact.clone(),
            "representative" => party.representative.clone(),
            _ => party.officer.clone(),
        }
    };
    let field = |(part, label): (&str, &'static str)| Field {
        name: format!("{who}_{part}"),
        label,
        hint: "",
        value: value(part).unwrap_or_default(),
    };
    PARTS.into_iter().map(field).collect()
}

fn list_fields(facts: &Facts) -> Vec<Field> {
    let recipient = |one: &Recipient| joined(&[Some(&one.name), one.country.as_ref(), one.purpose.as_ref()]);
    let transfer = |one: &Transfer| joined(&[Some(&one.to), Some(&one.country), one.safeguard.as_ref()]);
    let field = |name: &str, label, hint, value| Field { name: name.to_owned(), label, hint, value };
    vec![
        field("persons", "Whose data it is", "Categories of persons.", lines(facts.persons.as_deref(), Clone::clone)),
        field(
            "recipients",
            "Who receives personal data besides",
            "Name; country; what for.",
            lines(facts.recipients.as_deref(), recipient),
        ),
        field(
            "sub_processors",
            "Who works for the processor",
            "Name; country; what for.",
            lines(facts.sub_processors.as_deref(), recipient),
        ),
        field(
            "transfers",
            "Where it goes outside the Union",
            "To whom; country; what safeguards it.",
            lines(facts.transfers.as_deref(), transfer),
        ),
        field(
            "measures",
            "What else is done to protect it",
            "A measure on each line.",
            lines(facts.measures.as_deref(), Clone::clone),
        ),
    ]
}

/// A list as lines: nothing when nobody has said, [`NONE`] when there is none.
fn lines<T>(list: Option<&[T]>, line: impl Fn(&T) -> String) -> String {
    match list {
        None => String::new(),
        Some([]) => NONE.to_owned(),
        Some(list) => list.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

/// The parts of a line; parts that are absent at its end are left out.
fn joined(parts: &[Option<&String>]) -> String {
    let parts: Vec<&str> = parts.iter().map(|part| part.map_or("", String::as_str)).collect();
    parts.join("; ").trim_end_matches([' ', BETWEEN]).to_owned()
}

/// The lines of a field, read one by one: `None` when it is empty, an empty list when it says [`NONE`].
fn read<T>(form: &Form, name: &str, line: impl Fn(&str) -> Option<T>) -> Result<Option<Vec<T>>, ApiError> {
    let text = form.lines(name);
    if text.is_empty() || text == NONE {
        return Ok((!text.is_empty()).then(Vec::new));
    }
    let lines = text.lines().map(str::trim).filter(|text| !text.is_empty());
    let read: Option<Vec<T>> = lines.map(line).collect();
    read.map(Some).ok_or(ApiError::bad("A line lacks a part: they stand in their order, with ; between them."))
}

/// What the form says.
fn facts_of(form: &Form) -> Result<Facts, ApiError> {
    let text = |name: &str| Some(form.lines(name)).filter(|text| !text.is_empty());
    let party = |who: &str| {
        let part = |name: &str| text(&format!("{who}_{name}"));
        let party = Party {
            name: part("name"),
            address: part("address"),
            contact: part("contact"),
            representative: part("representative"),
            officer: part("officer"),
        };
        Some(party).filter(|party| *party != Party::default())
    };
    let parts = |line: &str| {
        let mut parts =
            line.splitn(3, BETWEEN).map(|part| Some(part.trim().to_owned()).filter(|part| !part.is_empty()));
        [parts.next().flatten(), parts.next().flatten(), parts.next().flatten()]
    };
    let recipient = |line: &str| {
        let [name, country, purpose] = parts(line);
        Some(Recipient { name: name?, purpose, country })
    };
    let transfer = |line: &str| {
        let [to, country, safeguard] = parts(line);
        Some(Transfer { to: to?, country: country?, safeguard })
    };
    let whole = |line: &str| Some(line.to_owned());
    Ok(Facts {
        schema: 1,
        controller: party("controller"),
        processor: party("processor"),
        legal_basis: text("legal_basis"),
        persons: read(form, "persons", whole)?,
        recipients: read(form, "recipients", recipient)?,
        sub_processors: read(form, "sub_processors", recipient)?,
        transfers: read(form, "transfers", transfer)?,
        measures: read(form, "measures", whole)?,
        notes: text("notes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(facts: &Facts) -> Form {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (who, party) in [("controller", &facts.controller), ("processor", &facts.processor)] {
            for field in party_fields(who, party.as_ref()) {
                pairs.append_pair(&field.name, &field.value.replace('\n', "\r\n"));
            }
        }
        for field in list_fields(facts) {
            pairs.append_pair(&field.name, &field.value.replace('\n', "\r\n"));
        }
        pairs.append_pair("legal_basis", facts.legal_basis.as_deref().unwrap_or_default());
        pairs.append_pair("notes", facts.notes.as_deref().unwrap_or_default());
        Form::of_query(Some(&pairs.finish()))
    }

    #[test]
    fn what_was_said_comes_back_out_of_the_form_as_it_was() {
        let facts = r#"
            schema = 1
            legal_basis = "GDPR Article 6(1)(f)"
            persons = ["Users", "Staff of the agency"]
            recipients = []
            measures = ["Technicians are trained once a year."]
            transfers = [{ to = "Far Ltd", country = "CH", safeguard = "Article 45; a decision" }]
            [controller]
            name = "Agency for Examples"
            address = "1 Example Square\n1000 Brussels"
            [[sub_processors]]
            name = "Hosting Ltd"
            purpose = "runs the machines"
        "#;
        let facts = Facts::read(facts).unwrap();
        assert_eq!(facts_of(&form(&facts)).unwrap(), facts);
        assert_eq!(facts_of(&form(&Facts::default())).unwrap(), Facts { schema: 1, ..Facts::default() });
    }

    #[test]
    fn a_line_that_lacks_a_part_is_refused() {
        for wrong in ["transfers=Far+Ltd", "recipients=%3B+DE", "sub_processors=a%0A%3B"] {
            assert!(facts_of(&Form::of_query(Some(wrong))).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_is_said_in_words() {
        assert_eq!(missing("controller.contact"), "who decides: contact");
        assert_eq!(missing("transfers"), "where data goes outside the Union");
    }
}
