//! Questions about stand-ins, and what the sender answers.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// `POST /v1/snapshots/{id}/questions`: asks the sender about a stand-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// The stand-in, as it stands in the snapshot: one line of at most 200 characters.
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 200))]
    pub stand_in: String,
    /// Why the technician needs to know: one line of at most 500 characters.
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 500))]
    pub why: String,
}

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Asked {
    /// Names it.
    pub id: String,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// A question as those are told who may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Question {
    /// Names it.
    pub id: String,
    /// The stand-in that it is about.
    pub stand_in: String,
    /// Why it was asked.
    pub why: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Whether and how it was answered.
    pub state: QuestionState,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// What was answered, where that one question was asked for; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How far a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum QuestionState {
    /// The sender has not answered yet.
    Open,
    /// The sender does not tell.
    Declined,
    /// The sender answered in words of their own.
    Told,
    /// The sender told the value that the stand-in stands for.
    Revealed,
}

impl QuestionState {
    /// The state in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Declined => "declined",
            Self::Told => "told",
            Self::Revealed => "revealed",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Declined, Self::Told, Self::Revealed].into_iter().find(|state| state.word() == word)
    }
}

/// `POST /v1/snapshots/{id}/questions/{question}/answers`: answers. Told again, the newer answer takes the place of the older.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// `declined`, `told` or `revealed`.
    pub answer: QuestionState,
    /// What is answered, at most 2000 characters; absent when the sender does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "portal", schema(min_length = 1, max_length = 2000))]
    pub text: Option<String>,
}

/// What the portal says to an answer. The text is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "portal", derive(utoipa::ToSchema))]
pub struct Answered {
    /// The question.
    pub id: String,
    /// How it was answered.
    pub state: QuestionState,
    /// When.
    pub answered_at: Timestamp,
}
