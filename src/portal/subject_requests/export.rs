//! What the portal knows about the snapshots in which a person occurs, for the person: what is kept, for what, who had it and
//! why, and for how long (GDPR Art. 15 and 20; Regulation (EU) 2018/1725 Art. 17 and 22).
//!
//! The content is sealed and the portal has no key to it: what is in it, the sender says.

use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{place, rows};
use crate::clock::Timestamp;
use crate::ids::{FileId, TenantId, TicketId};
use crate::portal::app::App;
use crate::portal::error::ApiError;
use crate::portal::store::snapshots::Snapshot;
use crate::portal::store::subject_requests::Request;
use crate::portal::store::{Connection, grants, holds, questions, receipts};
use crate::track::RetentionPolicy;
use crate::track::receipt::Kind;
use crate::wire::subject::SubjectKind;
use crate::wire::{QuestionState, SnapshotState};

/// The most acts of one snapshot that are listed, and of all of them together.
const MOST_ACTS: usize = 5000;
const MOST_ACTS_IN_ALL: usize = 50_000;

/// Everything that is told. Its keys do not change their meaning; what is added later is a new key.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExport)]
pub(crate) struct Export {
    /// Counts the changes of this form.
    pub(crate) export: u8,
    pub(crate) portal: String,
    pub(crate) tenant: TenantId,
    pub(crate) number: i64,
    pub(crate) kind: SubjectKind,
    pub(crate) received_at: Timestamp,
    pub(crate) made_at: Timestamp,
    pub(crate) articles: Articles,
    pub(crate) purposes: Vec<&'static str>,
    pub(crate) source: &'static str,
    pub(crate) content: &'static str,
    pub(crate) recipients: Vec<&'static str>,
    pub(crate) time_limits: TimeLimits,
    pub(crate) rights: Vec<&'static str>,
    pub(crate) automated_decisions: bool,
    /// Whether every act is listed; otherwise ask for fewer tickets at once.
    pub(crate) complete: bool,
    pub(crate) snapshots: Vec<Told>,
}

/// What it is told by.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportArticles)]
pub(crate) struct Articles {
    pub(crate) gdpr: &'static str,
    pub(crate) regulation_2018_1725: &'static str,
}

/// For how long what is kept, by the policy in force.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportLimits)]
pub(crate) struct TimeLimits {
    pub(crate) policy_version: u32,
    pub(crate) days_after_closing: u16,
    pub(crate) days_at_most: u16,
    pub(crate) days_in_backups: u16,
    pub(crate) days_of_audit: u16,
    pub(crate) days_of_this_request: u16,
    pub(crate) zone: String,
}

/// One snapshot.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportSnapshot)]
pub(crate) struct Told {
    pub(crate) snapshot: FileId,
    pub(crate) ticket: Option<TicketId>,
    pub(crate) state: Option<SnapshotState>,
    /// What stands for the person in it.
    #[schema(value_type = Vec<String>)]
    pub(crate) stand_ins: Vec<Zeroizing<String>>,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<String>,
    pub(crate) uploaded_at: Option<Timestamp>,
    pub(crate) ticket_closed_at: Option<Timestamp>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) withdrawn_at: Option<Timestamp>,
    pub(crate) blocked_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) extended: i64,
    pub(crate) hold: Option<Held>,
    /// Whether the portal keeps a part of the file's key.
    pub(crate) share: bool,
    pub(crate) reads: u64,
    pub(crate) acts: Vec<Act>,
    /// To whom it was passed on besides.
    pub(crate) grants: Vec<Granted>,
    /// What was asked about the person by those stand-ins, and answered.
    pub(crate) questions: Vec<Asked>,
    /// The portal's signed statements: that it came, and that it is gone.
    pub(crate) upload_receipt: Option<String>,
    pub(crate) deletion_receipt: Option<String>,
}

/// Why it is kept longer.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportHold)]
pub(crate) struct Held {
    pub(crate) basis: &'static str,
    pub(crate) review_at: Timestamp,
}

/// Something that was done with it.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportAct)]
pub(crate) struct Act {
    pub(crate) at: Timestamp,
    pub(crate) act: String,
    pub(crate) role: String,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// A subcontractor to whom it was passed on.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportGrant)]
pub(crate) struct Granted {
    pub(crate) granted_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// A question about the person.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportQuestion)]
pub(crate) struct Asked {
    pub(crate) stand_in: String,
    pub(crate) asked_at: Timestamp,
    pub(crate) why: String,
    pub(crate) state: QuestionState,
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) text: Option<String>,
}

impl Export {
    /// The one way in which it is written as JSON (RFC 8785).
    pub(crate) fn json(&self) -> Result<String, ApiError> {
        serde_json_canonicalizer::to_string(self).map_err(ApiError::fault)
    }
}

/// Puts together what is told. Those who read stand in it by their role; by their names only if `names` is set, and only until
/// the audit log forgets them.
pub(crate) async fn export(
    app: &App,
    connection: &mut Connection,
    request: &Request,
    names: bool,
) -> Result<Export, ApiError> {
    let (gdpr, regulation_2018_1725) = request.kind.articles();
    let policy = app.policy(connection, &request.tenant).await?;
    let mut export = Export {
        export: 1,
        portal: app.key.name().to_owned(),
        tenant: request.tenant.clone(),
        number: request.number,
        kind: request.kind,
        received_at: request.received_at,
        made_at: app.clock.now(),
        articles: Articles { gdpr, regulation_2018_1725 },
        purposes: vec!["Finding and mending faults in the support case that the ticket names."],
        source: "The sender of the ticket collected it on its own computers and replaced what it found of personal data.",
        content: "Sealed by the sender before it came here. The portal has no key that opens it; what stands in it, and who \
                  stands behind a stand-in, the sender knows.",
        recipients: vec![
            "Technicians and leads who are on the ticket, each reading with a reason and a second factor; listed under acts.",
            "Those whom the record of processing activities names as recipients and sub-processors.",
        ],
        time_limits: limits(&policy),
        rights: vec![
            "To ask for correction, deletion or blocking, and for what is kept in a form that other programs read.",
            "To take consent back where it rests on consent.",
            "To complain to the supervisory authority: of your country, or the European Data Protection Supervisor.",
        ],
        automated_decisions: false,
        complete: true,
        snapshots: Vec::new(),
    };
    let mut listed = 0;
    for (link, known) in rows::concerned(connection, request).await? {
        let sealed = link.stand_ins.as_deref();
        let opened = sealed.and_then(|sealed| {
            app.authority.unseal_text(sealed, &request.tenant, &place(request.number, &link.snapshot.to_string()))
        });
        let mut told = match &known {
            Some(snapshot) => one(connection, snapshot, export.made_at).await?,
            None => nothing(link.snapshot),
        };
        told.stand_ins =
            opened.map(|text| text.lines().map(|line| Zeroizing::new(line.to_owned())).collect()).unwrap_or_default();
        if let Some(snapshot) = &known {
            let most = MOST_ACTS.min(MOST_ACTS_IN_ALL - listed);
            let limit = i64::try_from(most).unwrap_or(i64::MAX) + 1;
            let mut acts = rows::acts_on(connection, snapshot, limit).await?;
            export.complete &= acts.len() <= most;
            acts.truncate(most);
            listed += acts.len();
            let passed_on = grants::page(connection, &snapshot.tenant, &snapshot.id, (0, i64::MAX)).await?;
            let granted = |grants::Row { grant, .. }: grants::Row| Granted {
                granted_at: grant.granted_at,
                revoked_at: grant.revoked_at,
                name: Some(grant.name).filter(|_| names),
            };
            told.grants = passed_on.into_iter().map(granted).collect();
            told.questions = asked(connection, snapshot, &told.stand_ins).await?;
            told.acts = acts
                .into_iter()
                .map(|done| Act {
                    at: done.at,
                    act: done.act,
                    role: done.role,
                    outcome: done.outcome,
                    reason: done.reason,
                    name: done.name.filter(|_| names),
                })
                .collect();
        }
        export.snapshots.push(told);
    }
    Ok(export)
}

fn limits(policy: &RetentionPolicy) -> TimeLimits {
    TimeLimits {
        policy_version: policy.version,
        days_after_closing: policy.after_close_days,
        days_at_most: policy.hard_cap_days,
        days_in_backups: policy.backup_horizon_days,
        days_of_audit: policy.audit_days,
        days_of_this_request: policy.requests_days,
        zone: policy.zone.name().to_owned(),
    }
}

async fn one(connection: &mut Connection, snapshot: &Snapshot, now: Timestamp) -> Result<Told, ApiError> {
    let mut note = async |kind| {
        let signed = receipts::of_snapshot(connection, &snapshot.id, kind).await?;
        Ok::<_, ApiError>(signed.filter(|signed| signed.tenant == snapshot.tenant).map(|signed| signed.note))
    };
    let (upload_receipt, deletion_receipt) = (note(Kind::Upload).await?, note(Kind::Deletion).await?);
    let hold = holds::in_force(connection, &snapshot.tenant, &snapshot.id).await?;
    Ok(Told {
        ticket: Some(snapshot.ticket.clone()),
        state: Some(snapshot.to_wire(now).state),
        size: Some(snapshot.size),
        sha256: Some(snapshot.sha256.clone()),
        uploaded_at: snapshot.uploaded_at,
        ticket_closed_at: snapshot.closed_at,
        due_at: snapshot.due_at,
        withdrawn_at: snapshot.keeping.withdrawn_at,
        blocked_at: snapshot.keeping.blocked_at,
        deleted_at: snapshot.deleted_at,
        extended: snapshot.keeping.extended,
        hold: hold.map(|hold| Held { basis: hold.basis.word(), review_at: hold.review_at }),
        share: snapshot.share.is_some(),
        reads: snapshot.reads,
        upload_receipt,
        deletion_receipt,
        ..nothing(snapshot.id)
    })
}

/// The questions about one person. Those about others are none of theirs.
async fn asked(
    connection: &mut Connection,
    snapshot: &Snapshot,
    stand_ins: &[Zeroizing<String>],
) -> Result<Vec<Asked>, ApiError> {
    let rows = questions::page(connection, &snapshot.tenant, &snapshot.id, None, (0, i64::MAX)).await?;
    let about = |stand_in: &str| stand_ins.iter().any(|own| own.eq_ignore_ascii_case(stand_in));
    let of_person = rows.into_iter().map(|row| row.question).filter(|question| about(&question.stand_in));
    Ok(of_person
        .map(|question| Asked {
            stand_in: question.stand_in,
            asked_at: question.asked_at,
            why: question.why,
            state: question.state,
            answered_at: question.answered_at,
            text: question.text,
        })
        .collect())
}

/// A snapshot that was announced and never arrived.
fn nothing(snapshot: FileId) -> Told {
    Told {
        snapshot,
        ticket: None,
        state: None,
        stand_ins: Vec::new(),
        size: None,
        sha256: None,
        uploaded_at: None,
        ticket_closed_at: None,
        due_at: None,
        withdrawn_at: None,
        blocked_at: None,
        deleted_at: None,
        extended: 0,
        hold: None,
        share: false,
        reads: 0,
        acts: Vec::new(),
        grants: Vec::new(),
        questions: Vec::new(),
        upload_receipt: None,
        deletion_receipt: None,
    }
}
