//! Why a ticket system told nothing of use. None of these closes a ticket.

/// What went wrong at asking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
    #[error("it is not to be trusted ({0})")]
    Untrusted(String),
    #[error("it did not answer in time")]
    TimedOut,
    #[error("its answer broke off")]
    BrokeOff,
    #[error("it refuses the secret (status {0})")]
    Refused(u16),
    #[error("it asks to come less often (status {0})")]
    Busy(u16, Option<i64>),
    #[error("it failed (status {0})")]
    Failing(u16, Option<i64>),
    #[error("it points elsewhere (status {0}), which is not followed")]
    Redirected(u16),
    #[error("its status {0} means nothing here")]
    Unexpected(u16),
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("its answer is no JSON")]
    NotJson,
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    #[error("it answers with another ticket")]
    OtherTicket,
    #[error("it does not show what must be there, so a ticket that it does not know tells nothing")]
    NothingThere,
}

impl Fault {
    /// It in one word, for the database and for machines.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Untrusted(_) => "untrusted",
            Self::TimedOut => "timed-out",
            Self::BrokeOff => "broke-off",
            Self::Refused(_) => "refused",
            Self::Busy(..) => "busy",
            Self::Failing(..) => "failing",
            Self::Redirected(_) => "redirected",
            Self::Unexpected(_) => "unexpected",
            Self::TooLong(_) => "too-long",
            Self::NotJson => "not-json",
            Self::Unreadable(_) => "unreadable",
            Self::OtherTicket => "other-ticket",
            Self::NothingThere => "nothing-there",
        }
    }

    /// Whether it is about the system and not about the one ticket, so that asking for the next one makes no sense now.
    pub(crate) const fn is_of_the_system(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Untrusted(_)
                | Self::TimedOut
                | Self::BrokeOff
                | Self::Refused(_)
                | Self::Busy(..)
                | Self::Failing(..)
                | Self::NothingThere
        )
    }

    /// After how many seconds the system asks to be asked again.
    pub(crate) const fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Busy(_, after) | Self::Failing(_, after) => *after,
            _ => None,
        }
    }
}
