//! What a person may ask for who stands behind a stand-in, on its way through the portal (GDPR Art. 12 and 15–21;
//! Regulation (EU) 2018/1725 Art. 14 and 17–23).
//!
//! The portal cannot read snapshots, so a request names them by ticket and id, and people by stand-in. The sender's program
//! finds both (`tarseal subject find`) and writes the body that is lodged here.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Moment, SnapshotState};
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};

/// The most snapshots of one request, named one by one or by their tickets.
pub const MOST_SNAPSHOTS: usize = 1000;

/// The longest stand-in in bytes.
pub const LONGEST_STAND_IN: usize = 64;

/// The most stand-ins beside one snapshot or ticket.
pub const MOST_STAND_INS: usize = 100;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in JSON, in databases and on the command line.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What a word names.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What is asked for.
    SubjectKind {
        /// What is kept, for what, who had it and for how long (Art. 15; Art. 17 of the Regulation).
        Information = "information",
        /// That a statement stands beside what is wrong (Art. 16; Art. 18).
        Correction = "correction",
        /// That it goes now (Art. 17; Art. 19).
        Deletion = "deletion",
        /// That nobody works with it for the time being (Art. 18; Art. 20).
        Blocking = "blocking",
        /// What is kept, in a form that other programs read (Art. 20; Art. 22).
        Portability = "portability",
        /// That consent is taken back: nobody reads it from now on (Art. 7(3); Art. 7(3)).
        Revocation = "revocation",
    }
}

impl SubjectKind {
    /// The article of the GDPR, and that of Regulation (EU) 2018/1725.
    #[must_use]
    pub const fn articles(self) -> (&'static str, &'static str) {
        match self {
            Self::Information => ("15", "17"),
            Self::Correction => ("16", "18"),
            Self::Deletion => ("17", "19"),
            Self::Blocking => ("18", "20"),
            Self::Portability => ("20", "22"),
            Self::Revocation => ("7(3)", "7(3)"),
        }
    }

    /// Whether nobody reads the snapshots any more once it is decided.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Deletion | Self::Blocking | Self::Revocation)
    }
}

words! {
    /// How far a request is.
    SubjectState {
        /// Lodged; somebody has to decide.
        Received = "received",
        /// Granted; what follows from it is being done.
        Decided = "decided",
        /// Done, and the person was answered.
        Done = "done",
        /// Refused on a legal ground, and the person was told which.
        Refused = "refused",
    }
}

words! {
    /// Why a request is refused. Articles are those of the GDPR; the Regulation has the same in its counterparts.
    Ground {
        /// Who asks cannot be identified (Art. 11(2), 12(2) and (6)).
        NotIdentified = "not-identified",
        /// Nothing about the person is there.
        NotConcerned = "not-concerned",
        /// It is manifestly unfounded (Art. 12(5)).
        Unfounded = "unfounded",
        /// It is excessive, above all by repetition (Art. 12(5)).
        Excessive = "excessive",
        /// The rights of others would suffer (Art. 15(4), 20(4)).
        RightsOfOthers = "rights-of-others",
        /// What is kept is right (Art. 16).
        Accurate = "accurate",
        /// Another law demands that it is kept (Art. 17(3)(b)).
        LegalObligation = "legal-obligation",
        /// It is needed for legal claims (Art. 17(3)(e)).
        LegalClaim = "legal-claim",
        /// It is still needed for what it was collected for, and nothing of Art. 17(1) applies.
        StillNeeded = "still-needed",
        /// None of the four cases of Art. 18(1) applies.
        NoCaseOfBlocking = "no-case-of-blocking",
        /// It does not rest on consent or contract, or did not come from the person (Art. 20(1)).
        NotPortable = "not-portable",
        /// It does not rest on consent (Art. 7(3)).
        NoConsent = "no-consent",
        /// A law of the Union or a member state restricts the right (Art. 23; Art. 25 of the Regulation).
        RestrictedByLaw = "restricted-by-law",
    }
}

impl Ground {
    /// Whether requests of that kind can be refused on this ground.
    #[must_use]
    pub const fn fits(self, kind: SubjectKind) -> bool {
        use SubjectKind::{Blocking, Correction, Deletion, Information, Portability, Revocation};
        match self {
            Self::NotIdentified | Self::NotConcerned | Self::Unfounded | Self::Excessive | Self::RestrictedByLaw => {
                true
            }
            Self::RightsOfOthers => matches!(kind, Information | Portability),
            Self::Accurate => matches!(kind, Correction),
            Self::LegalObligation | Self::LegalClaim | Self::StillNeeded => matches!(kind, Deletion),
            Self::NoCaseOfBlocking => matches!(kind, Blocking),
            Self::NotPortable => matches!(kind, Portability),
            Self::NoConsent => matches!(kind, Revocation),
        }
    }

    /// The article of the GDPR that it rests on.
    #[must_use]
    pub const fn article(self) -> &'static str {
        match self {
            Self::NotIdentified => "11(2), 12(2), 12(6)",
            Self::NotConcerned => "12(4)",
            Self::Unfounded | Self::Excessive => "12(5)",
            Self::RightsOfOthers => "15(4), 20(4)",
            Self::Accurate => "16",
            Self::LegalObligation => "17(3)(b)",
            Self::LegalClaim => "17(3)(e)",
            Self::StillNeeded => "17(1)",
            Self::NoCaseOfBlocking => "18(1)",
            Self::NotPortable => "20(1)",
            Self::NoConsent => "7(3)",
            Self::RestrictedByLaw => "23",
        }
    }
}

words! {
    /// Why an answer takes up to three months (Art. 12(3)).
    LongerBecause {
        /// It is complex.
        Complexity = "complexity",
        /// There are many requests.
        Number = "number",
    }
}

words! {
    /// How a request stands in time.
    Standing {
        /// More than a week is left.
        InTime = "in-time",
        /// A week or less is left.
        Near = "near",
        /// The time is over.
        Late = "late",
        /// It is done or refused.
        Ended = "ended",
    }
}

/// `POST /v1/subject-requests`: lodges a request.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSubjectRequest {
    /// What is asked for.
    pub kind: SubjectKind,
    /// When it was received, wherever it came in; the present instant when absent. The time for the answer runs from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Moment>,
    /// The officer's own file number, one line of at most 200 characters. It is sealed in the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(value_type = Option<String>, min_length = 1, max_length = 200))]
    pub reference: Option<Zeroizing<String>>,
    /// Of a correction: what is to stand beside the snapshots, at most 4000 characters. It is sealed in the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(value_type = Option<String>, min_length = 1, max_length = 4000))]
    pub statement: Option<Zeroizing<String>>,
    /// Where the person occurs; at most [`MOST_SNAPSHOTS`] snapshots in all.
    #[cfg_attr(feature = "portal", schema(max_items = 1000))]
    pub about: Vec<About>,
}

/// Where a person occurs: in one snapshot, or in all that a ticket has when the request is lodged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The ticket.
    pub ticket: TicketId,
    /// One snapshot of it; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<FileId>,
    /// What stands for the person there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "portal", schema(value_type = Vec<StandIn>, max_items = 100))]
    pub stand_ins: Vec<Zeroizing<String>>,
}

/// What stands for a person, as the description of the API has it.
#[cfg(feature = "portal")]
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.:+@\\[\\]/-]{1,64}$")]
pub struct StandIn(#[expect(dead_code, reason = "it is described here and never made")] String);

/// Whether a text can be a stand-in: letters, digits and what addresses are written with.
#[must_use]
pub fn is_stand_in(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+@[]/".contains(&byte);
    (1..=LONGEST_STAND_IN).contains(&text.len()) && text.bytes().all(allowed)
}

/// `POST /v1/subject-requests/{id}/refuse`: refuses it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// On which ground.
    pub ground: Ground,
}

/// `POST /v1/subject-requests/{id}/extend`: takes up to three months for the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LongerAnswer {
    /// Why.
    pub because: LongerBecause,
}

/// What the portal tells of a request.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct SubjectRequest {
    /// Names it in paths.
    pub id: String,
    /// Counts the tenant's requests.
    pub number: i64,
    /// What is asked for.
    pub kind: SubjectKind,
    /// How far it is.
    pub state: SubjectState,
    /// How it stands in time.
    pub standing: Standing,
    /// When it was received.
    pub received_at: Timestamp,
    /// The last instant for the answer.
    pub due_at: Timestamp,
    /// Why the answer takes longer than a month, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longer: Option<LongerBecause>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// When it was done or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// On which ground it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    /// When the block was lifted, of a request that blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
    /// The officer's own file number; for the officer alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(value_type = Option<String>))]
    pub reference: Option<Zeroizing<String>>,
    /// Of a correction: the statement; for the officer alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(value_type = Option<String>))]
    pub statement: Option<Zeroizing<String>>,
    /// The snapshots concerned; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<Vec<Concerned>>,
}

/// A snapshot that a request concerns, as it stands now.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Concerned {
    /// Its file id.
    pub snapshot: FileId,
    /// Its ticket; absent in answers to acts, and when the snapshot never arrived and is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// Where it is on its way; absent when it never arrived and is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SnapshotState>,
    /// Whether this request is what nobody reads it for.
    pub blocked: bool,
    /// Whether a hold keeps it.
    pub held: bool,
    /// What stands for the person in it; for the officer alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "portal", schema(value_type = Vec<String>))]
    pub stand_ins: Vec<Zeroizing<String>>,
}

/// A statement that stands beside a snapshot, as its readers see it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Statement {
    /// The number of the request it belongs to.
    pub number: i64,
    /// Since when it stands there.
    pub since: Timestamp,
    /// What it says.
    #[cfg_attr(feature = "portal", schema(value_type = String))]
    pub statement: Zeroizing<String>,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "portal", schema(value_type = Vec<String>))]
    pub stand_ins: Vec<Zeroizing<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_json_is_the_word_everywhere() {
        fn same<T: Copy + Serialize>(all: &[T], word: impl Fn(T) -> &'static str) {
            for one in all {
                assert_eq!(serde_json::to_string(one).unwrap(), format!("\"{}\"", word(*one)));
            }
        }
        same(SubjectKind::ALL, SubjectKind::word);
        same(SubjectState::ALL, SubjectState::word);
        same(Ground::ALL, Ground::word);
        same(LongerBecause::ALL, LongerBecause::word);
        same(Standing::ALL, Standing::word);
        assert_eq!(SubjectKind::from_word("deletion"), Some(SubjectKind::Deletion));
        assert_eq!(SubjectKind::from_word("objection"), None);
    }

    #[test]
    fn every_kind_can_be_refused_on_grounds_of_its_own_and_every_ground_is_of_use() {
        for kind in SubjectKind::ALL {
            assert!(Ground::NotIdentified.fits(*kind) && Ground::RestrictedByLaw.fits(*kind));
            assert!(Ground::ALL.iter().filter(|ground| ground.fits(*kind)).count() > 5, "{kind}");
        }
        for ground in Ground::ALL {
            assert!(SubjectKind::ALL.iter().any(|kind| ground.fits(*kind)), "{ground}");
        }
        assert!(!Ground::LegalClaim.fits(SubjectKind::Information), "who is told nothing loses no evidence");
    }

    #[test]
    fn stand_ins_are_told_from_other_texts() {
        for good in
            ["person-17", "u-4@d-3.invalid", "240.3.7.9", "2001:db8:741::3e", "f2:01:02:03:04:0a", "+00297454527657"]
        {
            assert!(is_stand_in(good), "{good}");
        }
        for bad in ["", "Ottilie Habersaat", "person-17\n", "Ünal", &"a".repeat(65)] {
            assert!(!is_stand_in(bad), "{bad}");
        }
    }
}
