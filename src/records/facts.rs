//! What no program can know: who is responsible, who receives what, where it goes.
//!
//! ```toml
//! schema = 1
//! legal_basis = "GDPR Article 6(1)(f): a service that works"
//! persons = ["Users of the service", "Staff of the agency"]
//! measures = ["Technicians are trained once a year."]
//! transfers = []                      # none; left out, it is missing
//!
//! [controller]
//! name = "Agency for Examples"
//! address = "1 Example Square, 1000 Brussels"
//! contact = "+32 2 555 01 00, office@agency.example"
//! officer = "dpo@agency.example"
//!
//! [processor]
//! name = "Vendor Ltd"
//!
//! [[sub_processors]]
//! name = "Hosting Ltd"
//! country = "DE"
//! purpose = "runs the machines"
//! ```

use serde::{Deserialize, Serialize};

/// The longest text in characters, and the longest list.
const LONGEST_TEXT: usize = 1000;
const LONGEST_LIST: usize = 100;

/// What people say about themselves. What is absent is missing; an empty list says that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// 1.
    #[serde(default = "schema")]
    pub schema: u8,
    /// Who decides about the processing.
    pub controller: Option<Party>,
    /// Who works for them.
    pub processor: Option<Party>,
    /// What allows it.
    pub legal_basis: Option<String>,
    /// Whose data it is, in categories; the program's own words when absent.
    pub persons: Option<Vec<String>>,
    /// Who receives personal data besides.
    pub recipients: Option<Vec<Recipient>>,
    /// Who works for the processor.
    pub sub_processors: Option<Vec<Recipient>>,
    /// Where it goes outside the Union.
    pub transfers: Option<Vec<Transfer>>,
    /// What is done to protect it besides.
    pub measures: Option<Vec<String>>,
    /// What else is to be said.
    pub notes: Option<String>,
}

const fn schema() -> u8 {
    1
}

/// Somebody who is responsible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The name.
    pub name: Option<String>,
    /// The postal address.
    pub address: Option<String>,
    /// How to reach them.
    pub contact: Option<String>,
    /// Their representative in the Union, where they need one (Art. 27).
    pub representative: Option<String>,
    /// How to reach their data-protection officer; best an office, not a person.
    pub officer: Option<String>,
}

/// Somebody who receives personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The name, or what they are.
    pub name: String,
    /// What for.
    pub purpose: Option<String>,
    /// In which country.
    pub country: Option<String>,
}

/// A transfer outside the Union, or to an international organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// To whom.
    pub to: String,
    /// To which country or organisation.
    pub country: String,
    /// What safeguards it (Art. 45, 46 or 49).
    pub safeguard: Option<String>,
}

/// Facts that cannot be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadFacts {
    /// They are not written as they must be.
    #[error("line {line}: {what}")]
    Toml {
        /// Which line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// Another version wrote them.
    #[error("schema {0} is not known; this version knows schema 1")]
    Schema(u8),
    /// A text is empty, too long or holds control characters, or a list is too long.
    #[error("{0} is empty, longer than it may be, or holds control characters")]
    Text(&'static str),
}

impl Facts {
    /// Reads facts as TOML.
    pub fn read(text: &str) -> Result<Self, BadFacts> {
        let facts: Self = toml::from_str(text).map_err(|error| BadFacts::Toml {
            line: error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1),
            what: error.message().to_owned(),
        })?;
        facts.check()?;
        Ok(facts)
    }

    /// Refuses texts that cannot stand in a record.
    pub fn check(&self) -> Result<(), BadFacts> {
        if self.schema != schema() {
            return Err(BadFacts::Schema(self.schema));
        }
        let text = |name: &'static str, text: Option<&String>| match text {
            Some(text) if !is_good(text) => Err(BadFacts::Text(name)),
            _ => Ok(()),
        };
        let length = |name: &'static str, length: usize| {
            if length > LONGEST_LIST { Err(BadFacts::Text(name)) } else { Ok(()) }
        };
        for (name, party) in [("controller", &self.controller), ("processor", &self.processor)] {
            let Some(party) = party else { continue };
            for field in [&party.name, &party.address, &party.contact, &party.representative, &party.officer] {
                text(name, field.as_ref())?;
            }
        }
        text("legal_basis", self.legal_basis.as_ref())?;
        text("notes", self.notes.as_ref())?;
        for (name, list) in [("persons", &self.persons), ("measures", &self.measures)] {
            length(name, list.as_ref().map_or(0, Vec::len))?;
            list.iter().flatten().try_for_each(|one| text(name, Some(one)))?;
        }
        for (name, list) in [("recipients", &self.recipients), ("sub_processors", &self.sub_processors)] {
            length(name, list.as_ref().map_or(0, Vec::len))?;
            for one in list.iter().flatten() {
                for field in [Some(&one.name), one.purpose.as_ref(), one.country.as_ref()] {
                    text(name, field)?;
                }
            }
        }
        length("transfers", self.transfers.as_ref().map_or(0, Vec::len))?;
        for one in self.transfers.iter().flatten() {
            for field in [Some(&one.to), Some(&one.country), one.safeguard.as_ref()] {
                text("transfers", field)?;
            }
        }
        Ok(())
    }

    /// These facts, and what they leave out from the others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            schema: self.schema,
            controller: self.controller.or(others.controller),
            processor: self.processor.or(others.processor),
            legal_basis: self.legal_basis.or(others.legal_basis),
            persons: self.persons.or(others.persons),
            recipients: self.recipients.or(others.recipients),
            sub_processors: self.sub_processors.or(others.sub_processors),
            transfers: self.transfers.or(others.transfers),
            measures: self.measures.or(others.measures),
            notes: self.notes.or(others.notes),
        }
    }
}

fn is_good(text: &str) -> bool {
    let length = text.chars().count();
    !text.trim().is_empty() && length <= LONGEST_TEXT && !text.chars().any(|c| c.is_control() && c != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str =
        "schema = 1\ntransfers = []\n[controller]\nname = \"Agency\"\n[[sub_processors]]\nname = \"Hosting\"\n";

    #[test]
    fn facts_are_read_and_what_they_leave_out_comes_from_others() {
        let facts = Facts::read(FACTS).unwrap();
        assert_eq!(facts.controller.as_ref().unwrap().name.as_deref(), Some("Agency"));
        assert_eq!((facts.transfers.as_deref(), facts.recipients.as_deref()), (Some([].as_slice()), None));
        let others = Facts::read("schema = 1\nnotes = \"x\"\n[controller]\nname = \"Other\"").unwrap();
        let both = facts.clone().or(others);
        assert_eq!(both.controller, facts.controller, "the nearer ones hold");
        assert_eq!(both.notes.as_deref(), Some("x"));
    }

    #[test]
    fn the_example_above_is_understood() {
        let source = include_str!("facts.rs");
        let example: Vec<&str> =
            source.lines().filter_map(|line| line.strip_prefix("//! ").or_else(|| line.strip_prefix("//!"))).collect();
        let example = example.join("\n");
        let (_, example) = example.split_once("```toml\n").unwrap();
        let facts = Facts::read(example.split("```").next().unwrap()).unwrap();
        assert_eq!(facts.sub_processors.unwrap()[0].country.as_deref(), Some("DE"));
        assert!(facts.processor.is_some() && facts.persons.is_some());
    }

    #[test]
    fn what_cannot_stand_in_a_record_is_refused() {
        for (text, expected) in [
            ("schema = 1\n\ncontroler = 3", "line 3: unknown field"),
            ("schema = 2", "schema 2"),
            ("notes = \"\"", "notes"),
            ("measures = [\"a\\u0007b\"]", "measures"),
            ("[controller]\nname = \"  \"", "controller"),
            ("[[transfers]]\nto = \"x\"\ncountry = \"\"", "transfers"),
        ] {
            let told = Facts::read(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
        let long = format!("notes = \"{}\"", "ä".repeat(LONGEST_TEXT + 1));
        assert!(Facts::read(&long).is_err());
        assert!(Facts::read(&format!("persons = [{}]", "\"x\",".repeat(LONGEST_LIST + 1))).is_err());
    }
}
