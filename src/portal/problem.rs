//! What a client is told when something goes wrong: problems as RFC 9457 has them, each of one of a closed set of kinds.
//!
//! The same set is in the description of the API (`/openapi.json`) and in `docs/API.md`. A new kind is one more line of
//! [`kinds`] and an arm of `ApiError::kind`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use crate::track::extension::CannotExtend;
use crate::wire::{PROBLEM_MEDIA_TYPE, Problem, TUS_VERSION, problems as p};

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its `type`: a path below the portal's address that never changes.
    pub(crate) path: &'static str,
    /// The statuses it comes with, the usual one first.
    pub(crate) statuses: &'static [u16],
    /// The same words every time.
    pub(crate) title: &'static str,
    /// What to do, where the occurrence says nothing of its own.
    pub(crate) detail: &'static str,
}

impl Kind {
    /// The last part of its path.
    pub(crate) fn word(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

macro_rules! kinds {
    ($($name:ident = $path:expr, [$($status:literal),+], $title:literal, $detail:literal;)+) => {
        $(
            const $name: Kind = Kind { path: $path, statuses: &[$($status),+], title: $title, detail: $detail };
        )+

        /// Every kind there is.
        pub(crate) const KINDS: &[&Kind] = &[$(&$name),+];
    };
}

kinds! {
    BAD_REQUEST = p::BAD_REQUEST, [400, 405, 408, 409, 412, 413, 415, 416, 422], "the request is wrong", "";
    TOKEN_REFUSED = p::TOKEN_REFUSED, [401], "the token is refused",
        "The token is missing, unknown, expired or revoked. Ask for a new one.";
    NOT_ALLOWED = p::NOT_ALLOWED, [403], "not allowed", "The token is good, but not for this.";
    TICKET_UNKNOWN = p::TICKET_UNKNOWN, [404], "no such ticket",
        "The portal knows no ticket of this name. Ask the technician for its number.";
    SNAPSHOT_UNKNOWN = p::SNAPSHOT_UNKNOWN, [404], "no such snapshot", "The portal knows no such snapshot.";
    UPLOAD_UNKNOWN = p::UPLOAD_UNKNOWN, [404], "no such upload",
        "The upload was never begun, was ended, or waited too long. Announce the file again.";
    TOKEN_UNKNOWN = "/problems/token-unknown", [404], "no such token", "";
    RECEIPT_UNKNOWN = "/problems/receipt-unknown", [404], "no such receipt", "";
    PAGE_UNKNOWN = "/problems/page-unknown", [404], "there is nothing here", "";
    TICKET_CLOSED = p::TICKET_CLOSED, [409], "the ticket is closed",
        "Nothing can be added to a closed ticket. Ask for it to be reopened.";
    TICKET_EXISTS = p::TICKET_EXISTS, [409], "the ticket is there already", "";
    OFFSET_MISMATCH = p::OFFSET_MISMATCH, [409], "the upload stands elsewhere",
        "Ask for the offset and go on from there.";
    SNAPSHOT_DIFFERS = p::SNAPSHOT_DIFFERS, [409], "the snapshot is there with other bytes",
        "A file id names one sealed file for ever. Seal again.";
    EXPIRED = p::EXPIRED, [410], "deleted",
        "The snapshot was deleted at its deadline, and so was the portal's part of its key.";
    RESTRICTED = p::RESTRICTED, [403], "restricted",
        "A hold keeps the snapshot past its time, or a person concerned asked for a block. Nobody may read it.";
    SECOND_PERSON = p::SECOND_PERSON, [403], "a second person is needed",
        "Another person must confirm what one has asked for; who was invited or reset by an administrator, from a day later on.";
    NOT_HELD = p::NOT_HELD, [409], "no such hold",
        "No such hold is in force or waits for a second person. Look again what stands.";
    CANNOT_EXTEND = p::CANNOT_EXTEND, [409], "the deadline cannot be moved on", "";
    TICKET_MERGED = p::TICKET_MERGED, [409], "the ticket was merged",
        "The ticket was merged into another, or the other into it. That is for good.";
    POLICY_VERSION = p::POLICY_VERSION, [409], "another version of the policy",
        "A new policy has the version after the one in force; what is approved is the version that was proposed.";
    DIGEST_MISMATCH = p::DIGEST_MISMATCH, [460, 400], "the digest does not agree",
        "The bytes that came are not the bytes that were announced. None of them is kept.";
    NOT_SEALED = p::NOT_SEALED, [422], "not a sealed file",
        "The portal takes files that tarseal has sealed, each under its own file id. Nothing of this one is kept.";
    UPLOAD_BEGUN = p::UPLOAD_BEGUN, [409], "the file is being uploaded by another door",
        "Go on with the upload that has begun, or end it.";
    STORE_AWAY = p::STORE_AWAY, [503], "the portal cannot take this just now",
        "What it has acknowledged is kept; try again.";
    NO_ROOM = p::NO_ROOM, [507], "no room",
        "The portal has no room left. What it has acknowledged is kept; try again later.";
    BUSY = p::BUSY, [503], "the portal is busy",
        "The portal's database cannot be reached or is too busy. What it has acknowledged is kept; try again.";
    TOO_MANY = "/problems/too-many-requests", [429], "too many requests",
        "Try again after the seconds that Retry-After says.";
    CROSS_SITE = "/problems/cross-site", [403], "the request comes from another site",
        "A cookie is good for requests of the portal's own pages alone.";
    SIGN_IN_REFUSED = "/problems/sign-in-refused", [401], "sign-in refused",
        "Name, password or code is wrong, or the code was used before. Ask your administrator if you are locked out.";
    FACTOR_NEEDED = "/problems/second-factor-needed", [401], "show your second factor again",
        "This needs a code that was shown within the last 15 minutes: POST it to /v1/session/factor.";
    FACTOR_REFUSED = "/problems/second-factor-refused", [403], "the code is refused",
        "Password or code is wrong, or the code was used before. Wait for the next code.";
    NOT_ASSIGNED = "/problems/not-assigned", [403], "not assigned",
        "Only who is assigned to the ticket reads its snapshots. Assign yourself first.";
    USER_UNKNOWN = "/problems/user-unknown", [404], "no such user", "";
    INVITATION_UNKNOWN = "/problems/invitation-unknown", [404], "no such invitation", "";
    INVITATION_REFUSED = "/problems/invitation-refused", [403], "the invitation is refused",
        "The invitation is unknown, was used, or has expired. Ask for a new one.";
    CODE_REFUSED = p::CODE_REFUSED, [404], "the code is refused",
        "The code is wrong, was used, or has expired. Ask the technician for a new one.";
    CODE_USED = p::CODE_USED, [403], "the code is used up",
        "One snapshot is sent with one code. Ask the technician for another.";
    NAME_TAKEN = "/problems/name-taken", [409], "the name is taken", "Choose another name.";
    REQUEST_UNKNOWN = p::REQUEST_UNKNOWN, [404], "no such request", "";
    REQUEST_STATE = p::REQUEST_STATE, [409], "the request stands elsewhere",
        "It was decided, refused or ended before, has to be decided first, or something of it is not gone yet. Look again.";
    PERSON_NEEDED = "/problems/person-needed", [403], "a person must do this",
        "A token stands for a program. This takes somebody who signed in with a second factor.";
    GRANT_UNKNOWN = "/problems/grant-unknown", [404], "no such grant",
        "There is no grant of this snapshot for you and this key, or it was revoked.";
    QUESTION_UNKNOWN = "/problems/question-unknown", [404], "no such question", "";
    NO_PASSKEYS = "/problems/no-passkeys", [409], "this portal has no passkeys",
        "Its operator has not told it the address that passkeys are bound to (portal serve --url). Use your authenticator app.";
    PASSKEY_UNKNOWN = "/problems/passkey-unknown", [404], "no such passkey", "";
    PASSKEY_REFUSED = "/problems/passkey-refused", [403], "the passkey is refused",
        "It does not fit what was asked, is there already, or came too late. Begin anew.";
    FAULT = p::FAULT, [500], "a fault of the portal",
        "The portal's log says more, under the request id of this answer.";
}

impl ApiError {
    /// The kind of problem that the client is told.
    fn kind(&self) -> &'static Kind {
        match self {
            Self::Bad(..) | Self::MethodUnknown | Self::TusVersion | Self::Stalled | Self::BrokeOff => &BAD_REQUEST,
            Self::TokenRefused => &TOKEN_REFUSED,
            Self::NotAllowed => &NOT_ALLOWED,
            Self::TicketUnknown => &TICKET_UNKNOWN,
            Self::SnapshotUnknown => &SNAPSHOT_UNKNOWN,
            Self::UploadUnknown => &UPLOAD_UNKNOWN,
            Self::TokenUnknown => &TOKEN_UNKNOWN,
            Self::ReceiptUnknown => &RECEIPT_UNKNOWN,
            Self::PageUnknown => &PAGE_UNKNOWN,
            Self::TicketClosed => &TICKET_CLOSED,
            Self::TicketExists => &TICKET_EXISTS,
            Self::OffsetMismatch(_) => &OFFSET_MISMATCH,
            Self::SnapshotDiffers => &SNAPSHOT_DIFFERS,
            Self::Expired => &EXPIRED,
            Self::Restricted => &RESTRICTED,
            Self::SecondPerson => &SECOND_PERSON,
            Self::NotHeld => &NOT_HELD,
            Self::CannotExtend(_) => &CANNOT_EXTEND,
            Self::TicketMerged => &TICKET_MERGED,
            Self::PolicyVersion => &POLICY_VERSION,
            Self::DigestMismatch | Self::DigestDiffers => &DIGEST_MISMATCH,
            Self::NotSealed => &NOT_SEALED,
            Self::UploadBegun => &UPLOAD_BEGUN,
            Self::StoreAway(_) | Self::Ending => &STORE_AWAY,
            Self::NoRoom => &NO_ROOM,
            Self::Busy(_) => &BUSY,
            Self::TooMany(_) => &TOO_MANY,
            Self::CrossSite => &CROSS_SITE,
            Self::SignInRefused => &SIGN_IN_REFUSED,
            Self::FactorNeeded => &FACTOR_NEEDED,
            Self::FactorRefused => &FACTOR_REFUSED,
            Self::NotAssigned => &NOT_ASSIGNED,
            Self::UserUnknown => &USER_UNKNOWN,
            Self::InvitationUnknown => &INVITATION_UNKNOWN,
            Self::InvitationRefused => &INVITATION_REFUSED,
            Self::CodeRefused => &CODE_REFUSED,
            Self::CodeUsed => &CODE_USED,
            Self::NameTaken => &NAME_TAKEN,
            Self::RequestUnknown => &REQUEST_UNKNOWN,
            Self::RequestState => &REQUEST_STATE,
            Self::PersonNeeded => &PERSON_NEEDED,
            Self::GrantUnknown => &GRANT_UNKNOWN,
            Self::QuestionUnknown => &QUESTION_UNKNOWN,
            Self::NoPasskeys => &NO_PASSKEYS,
            Self::PasskeyUnknown => &PASSKEY_UNKNOWN,
            Self::PasskeyRefused => &PASSKEY_REFUSED,
            Self::Fault(_) => &FAULT,
        }
    }

    /// The status, where it is not the usual one of the kind.
    fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Bad(status, _) => Some(*status),
            Self::MethodUnknown => Some(StatusCode::METHOD_NOT_ALLOWED),
            Self::TusVersion => Some(StatusCode::PRECONDITION_FAILED),
            // The line broke, not the client: an answer that asks for another try.
            Self::Stalled | Self::BrokeOff => Some(StatusCode::REQUEST_TIMEOUT),
            Self::DigestDiffers => Some(StatusCode::BAD_REQUEST),
            _ => None,
        }
    }

    /// The detail, where it is not the one of the kind.
    fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Bad(_, detail) => Some(detail),
            Self::MethodUnknown => Some("This cannot be done here."),
            Self::TusVersion => Some("The header Tus-Resumable must say 1.0.0."),
            Self::Stalled => Some("Nothing came for too long. Try again."),
            Self::BrokeOff => Some("The body broke off. Try again."),
            Self::DigestDiffers => Some(
                "The bytes that came do not have the digest in Repr-Digest or Content-Digest. None of them is kept.",
            ),
            Self::CannotExtend(why) => Some(cannot_extend(*why)),
            _ => None,
        }
    }

    /// Writes down what the portal's operator should know.
    fn log(&self) {
        match self {
            Self::Busy(cause) => tracing::warn!(
                cause = &**cause as &(dyn std::error::Error + 'static),
                "the database did not answer a request"
            ),
            Self::Fault(cause) => {
                tracing::error!(
                    cause = &**cause as &(dyn std::error::Error + 'static),
                    "the portal failed at a request"
                );
            }
            Self::StoreAway(cause) => {
                tracing::error!(cause = cause as &(dyn std::error::Error + 'static), "the bucket does not answer");
            }
            _ => {}
        }
    }

    /// The headers that go with it.
    fn headers(&self) -> Option<(header::HeaderName, HeaderValue)> {
        let again = |seconds: u64| Some((header::RETRY_AFTER, HeaderValue::from(seconds)));
        match self {
            Self::TokenRefused | Self::SignInRefused => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            // RFC 9470.
            Self::FactorNeeded => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer error=\"insufficient_user_authentication\", max_age=\"900\""),
            )),
            Self::OffsetMismatch(offset) => {
                Some((header::HeaderName::from_static("upload-offset"), HeaderValue::from(*offset)))
            }
            Self::TusVersion => {
                Some((header::HeaderName::from_static("tus-version"), HeaderValue::from_static(TUS_VERSION)))
            }
            Self::StoreAway(_) | Self::Ending => again(15),
            Self::TooMany(seconds) => again(*seconds),
            Self::NoRoom => again(300),
            Self::Busy(_) => again(5),
            _ => None,
        }
    }
}

const fn cannot_extend(why: CannotExtend) -> &'static str {
    match why {
        CannotExtend::NotClosed => "The ticket is open: nothing but the hard cap is counted.",
        CannotExtend::Over => "The snapshot's time is over, or it was withdrawn.",
        CannotExtend::TooOften => "It was moved on as often as the policy allows.",
        CannotExtend::TooFar => "The policy does not allow that many days at once.",
        CannotExtend::AtCap => "It stands at the hard cap, which nothing moves.",
        CannotExtend::Past => "The ticket was closed so long ago that these days are over, too.",
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let kind = self.kind();
        let usual = kind.statuses.first().and_then(|status| StatusCode::from_u16(*status).ok());
        let status = self.status().or(usual).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        debug_assert!(kind.statuses.contains(&status.as_u16()), "{} with status {status}", kind.path);
        let problem = Problem {
            kind: kind.path.to_owned(),
            title: kind.title.to_owned(),
            status: status.as_u16(),
            detail: self.detail().unwrap_or(kind.detail).to_owned(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        headers.extend(self.headers());
        // Whoever counts answers sees which problem it was.
        response.extensions_mut().insert(kind);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_of_problem_has_a_path_of_its_own_and_words_for_people() {
        let paths: BTreeSet<&str> = KINDS.iter().map(|kind| kind.path).collect();
        assert_eq!(paths.len(), KINDS.len());
        for kind in KINDS {
            let plain = kind.word().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(plain && kind.path == format!("/problems/{}", kind.word()), "{}", kind.path);
            assert!(!kind.title.is_empty() && !kind.statuses.is_empty(), "{}", kind.path);
            assert!(kind.statuses.iter().all(|status| (400..600).contains(status)), "{}", kind.path);
        }
    }

    #[test]
    fn the_page_about_the_api_lists_them_all() {
        let page = include_str!("../../docs/API.md");
        let listed: BTreeSet<&str> = page.lines().filter(|line| line.starts_with("| `/problems/")).collect();
        let row = |kind: &&Kind| {
            let statuses: Vec<String> = kind.statuses.iter().map(u16::to_string).collect();
            format!("| `{}` | {} | {} |", kind.path, statuses.join(", "), kind.title)
        };
        let rows: BTreeSet<String> = KINDS.iter().map(row).collect();
        let rows: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
        let missing: Vec<_> = rows.difference(&listed).collect();
        assert!(missing.is_empty(), "docs/API.md lacks:\n{missing:#?}");
        assert_eq!(listed.difference(&rows).next(), None);
    }
}
