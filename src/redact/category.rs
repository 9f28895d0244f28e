//! What kinds of personal value there are, and what is done with each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of a personal value. As text it is in kebab-case: `national-id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Category {
    /// A person's name: display name, caller id, organiser, a name of the watch list.
    Person,
    /// A login or account name, also as part of a path or a directory entry.
    User,
    /// An e-mail address.
    Email,
    /// A SIP, SIPS or H.323 address.
    Uri,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A hardware address.
    Mac,
    /// IMEI, serial number and the like, found by key.
    DeviceId,
    /// A computer or domain name.
    Host,
    /// A telephone number.
    Phone,
    /// A number a state or an insurance gave to a person.
    NationalId,
    /// A passport number.
    Passport,
    /// A driving licence number.
    Licence,
    /// A number plate or vehicle identification number.
    Vehicle,
    /// A bank account.
    Bank,
    /// A payment card.
    Card,
    /// A date of birth.
    BirthDate,
    /// Sex or gender.
    Sex,
    /// Nationality.
    Nationality,
    /// A postal address.
    Address,
    /// Employer or organisation.
    Employer,
    /// Job title or form of address.
    Title,
    /// Health, religion, politics, union, orientation, biometrics.
    Special,
    /// Password, token, cookie, key.
    Secret,
    /// A conference's name or alias.
    Conference,
}

/// How many values were replaced, by category.
pub type Counts = BTreeMap<Category, u64>;

impl Category {
    /// Every category, in the order of reports.
    pub const ALL: [Self; 24] = [
        Self::Person,
        Self::User,
        Self::Email,
        Self::Uri,
        Self::Ip,
        Self::Mac,
        Self::DeviceId,
        Self::Host,
        Self::Phone,
        Self::NationalId,
        Self::Passport,
        Self::Licence,
        Self::Vehicle,
        Self::Bank,
        Self::Card,
        Self::BirthDate,
        Self::Sex,
        Self::Nationality,
        Self::Address,
        Self::Employer,
        Self::Title,
        Self::Special,
        Self::Secret,
        Self::Conference,
    ];

    /// The name users see, and write in a profile.
    #[must_use]
    pub const fn word(self) -> &'static str {
        let dropped = self.dropped();
        dropped.split_at(dropped.len() - 1).0.split_at(1).1
    }

    /// What stands for a value that is dropped: the category in square brackets.
    #[must_use]
    pub const fn dropped(self) -> &'static str {
        match self {
            Self::Person => "[person]",
            Self::User => "[user]",
            Self::Email => "[email]",
            Self::Uri => "[uri]",
            Self::Ip => "[ip]",
            Self::Mac => "[mac]",
            Self::DeviceId => "[device-id]",
            Self::Host => "[host]",
            Self::Phone => "[phone]",
            Self::NationalId => "[national-id]",
            Self::Passport => "[passport]",
            Self::Licence => "[licence]",
            Self::Vehicle => "[vehicle]",
            Self::Bank => "[bank]",
            Self::Card => "[card]",
            Self::BirthDate => "[birth-date]",
            Self::Sex => "[sex]",
            Self::Nationality => "[nationality]",
            Self::Address => "[address]",
            Self::Employer => "[employer]",
            Self::Title => "[title]",
            Self::Special => "[special]",
            Self::Secret => "[secret]",
            Self::Conference => "[conference]",
        }
    }

    /// What is done with a value of this category unless a profile says otherwise.
    #[must_use]
    pub const fn default_action(self) -> Action {
        match self {
            Self::Person
            | Self::User
            | Self::Email
            | Self::Uri
            | Self::Ip
            | Self::Mac
            | Self::DeviceId
            | Self::Host
            | Self::Phone => Action::StandIn,
            Self::Conference => Action::Keep,
            _ => Action::Drop,
        }
    }
}

/// A word that names no category, or no action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such word")]
pub struct UnknownWord;

impl FromStr for Category {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|category| category.word() == word).ok_or(UnknownWord)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The same stand-in everywhere in a ticket; the sender's vault knows the way back.
    StandIn,
    /// The category in square brackets; there is no way back.
    Drop,
    /// It stays as it is.
    Keep,
    /// A stand-in that begins with the country's code; of telephone numbers only.
    KeepCountry,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::StandIn, Self::Drop, Self::Keep, Self::KeepCountry];

    /// The name users see, and write in a profile.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::StandIn => "stand-in",
            Self::Drop => "drop",
            Self::Keep => "keep",
            Self::KeepCountry => "keep-country",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|action| action.word() == word).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_has_one_name_in_reports_and_profiles() {
        for category in Category::ALL {
            assert_eq!(serde_json::to_string(&category).unwrap(), format!("\"{category}\""));
            assert_eq!(category.word().parse(), Ok(category));
        }
        for action in Action::ALL {
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{}\"", action.word()));
            assert_eq!(action.word().parse(), Ok(action));
        }
        assert_eq!("[person]".parse::<Category>(), Err(UnknownWord));
    }
}
