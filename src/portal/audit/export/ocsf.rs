//! Records as events of the Open Cybersecurity Schema Framework 1.5 (<https://schema.ocsf.io/1.5.0>).
//!
//! Snapshots are files that are hosted (File Hosting Activity, 6006), signing in and out is Authentication (3002), accounts are
//! Account Change (3001); everything else is a call of the API (API Activity, 6003).

use serde_json::{Value, json};

use super::{opened, succeeded};
use crate::track::log::{Exported, Field};

const VERSION: &str = "1.5.0";

/// The class of an event and its activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// 6006: 1 upload, 2 download, 4 delete, 12 share.
    FileHosting(u32),
    /// 3002: 1 logon, 2 logoff.
    Authentication(u32),
    /// 3001: 1 create, 6 delete, 99 other.
    Account(u32),
    /// 6003: 1 create, 2 read, 3 update, 4 delete.
    Api(u32),
}

/// The class of an act on a kind of object.
fn class(act: &str, kind: &str) -> Class {
    let verb = act.split('-').next().unwrap_or(act);
    match (act, verb, kind) {
        ("store", ..) => Class::FileHosting(1),
        ("read-content", ..) => Class::FileHosting(2),
        ("delete" | "remove-bytes", ..) => Class::FileHosting(4),
        ("give-share", ..) => Class::FileHosting(12),
        ("sign-in" | "show-factor", ..) => Class::Authentication(1),
        ("sign-out" | "end-sessions", ..) => Class::Authentication(2),
        (_, "make" | "add" | "accept", "user") => Class::Account(1),
        (_, "remove" | "delete", "user") => Class::Account(6),
        (_, _, "user") => Class::Account(99),
        (_, "add" | "make" | "open" | "announce" | "begin" | "invite", _) => Class::Api(1),
        (_, "read" | "list" | "verify" | "show", _) => Class::Api(2),
        (_, "destroy" | "scrub" | "erase" | "end" | "expire" | "revoke" | "remove" | "lift" | "withdraw", _) => {
            Class::Api(4)
        }
        _ => Class::Api(3),
    }
}

/// The event.
pub(super) fn event(exported: &Exported, portal: &str) -> Value {
    let record = &exported.record;
    let (category, class_uid, activity) = match class(&record.act, &record.kind) {
        Class::FileHosting(activity) => (6, 6006, activity),
        Class::Authentication(activity) => (3, 3002, activity),
        Class::Account(activity) => (3, 3001, activity),
        Class::Api(activity) => (6, 6003, activity),
    };
    let success = succeeded(exported);
    // 1 user, 2 administrator, 3 system.
    let user_type = match record.role.as_str() {
        "worker" => 3,
        "operator" | "admin" => 2,
        _ => 1,
    };
    let mut user = json!({ "uid": record.actor, "type_id": user_type });
    if let Some(name) = opened(exported, Field::Name) {
        user["name"] = name.into();
    }
    let source = match opened(exported, Field::Address) {
        Some(address) => json!({ "ip": address }),
        // The schema wants one of several names; an address that was erased has none.
        None => json!({ "name": "unknown" }),
    };
    let mut event = json!({
        "activity_id": activity,
        "category_uid": category,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity,
        "time": record.at.seconds() * 1000,
        "severity_id": if success { 1 } else { 2 },
        "status_id": if success { 1 } else { 2 },
        "status_code": record.outcome,
        "metadata": {
            "version": VERSION,
            "uid": record.id,
            "tenant_uid": record.tenant,
            "event_code": record.act,
            "sequence": record.number,
            "log_name": "audit",
            "log_provider": portal,
            "product": { "name": "tarseal", "vendor_name": "tarseal", "version": env!("CARGO_PKG_VERSION") },
        },
        "src_endpoint": source,
        "unmapped": {
            "purpose": record.purpose, "role": record.role, "tool": record.tool, "kind": record.kind,
            "object": record.object, "ticket": record.ticket, "reason": opened(exported, Field::Reason),
            "receipt": record.receipt, "index": exported.index,
        },
    });
    if let Some(request) = &record.request {
        event["metadata"]["correlation_uid"] = request.as_str().into();
    }
    match class_uid {
        6006 => {
            event["actor"] = json!({ "user": user });
            event["file"] = json!({ "name": format!("{}.tarseal", record.object), "uid": record.object, "type_id": 1 });
        }
        3002 => {
            event["user"] = user;
            event["service"] = json!({ "name": "tarseal portal" });
            event["is_remote"] = true.into();
        }
        3001 => {
            event["actor"] = json!({ "user": user });
            event["user"] = json!({ "uid": record.object, "type_id": 1 });
        }
        _ => {
            event["actor"] = json!({ "user": user });
            event["api"] = json!({ "operation": record.act });
            event["resources"] = json!([{ "uid": record.object, "type": record.kind }]);
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::super::tests::exported;
    use super::*;

    #[test]
    fn each_act_has_its_class_and_what_the_class_requires() {
        for (act, kind, uid, required) in [
            ("store", "snapshot", 600_601, "file"),
            ("read-content", "snapshot", 600_602, "file"),
            ("delete", "snapshot", 600_604, "file"),
            ("give-share", "snapshot", 600_612, "file"),
            ("sign-in", "user", 300_201, "service"),
            ("make-user", "user", 300_101, "user"),
            ("open-ticket", "ticket", 600_301, "api"),
            ("read-audit", "tenant", 600_302, "api"),
            ("close-ticket", "ticket", 600_303, "api"),
            ("revoke-token", "token", 600_304, "api"),
        ] {
            let mut exported = exported(act, "done", "why");
            exported.record.kind = kind.into();
            let event = event(&exported, "support.vendor.example");
            assert_eq!(event["type_uid"], uid, "{act}");
            assert!(event[required].is_object(), "{act}");
            assert!(event["metadata"]["product"]["vendor_name"].is_string());
            assert_eq!(event["src_endpoint"]["ip"], "192.0.2.7");
        }
        let denied = event(&exported("read-content", "denied", "why"), "support.vendor.example");
        assert_eq!((denied["status_id"].as_u64(), denied["severity_id"].as_u64()), (Some(2), Some(2)));
    }
}
