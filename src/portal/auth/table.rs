//! Walks `table.txt` through the real router: every route, every role, the own tenant and another, every state of what it is
//! done to. A route without a row fails.
//!
//! For a new route add its rows to the table; for a new kind of object also a line in [`Thing::fill`].

use std::collections::BTreeSet;

use axum::http::Method;

use super::Role;
use crate::portal::router::{Route, routes};

mod thing;
mod world;

use thing::Thing;
use world::World;

const TABLE: &str = include_str!("table.txt");

const START: &str = "2026-11-21T14:20:00Z";

/// One who asks: what they are, and whether they are on the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    /// The token of the ticket.
    Upload,
    /// A person; the numbers tell those of one role apart.
    Person(Role, u8),
    /// An automation token for the whole tenant.
    Token(Role),
}

/// The columns of the table.
const COLUMNS: [Who; 18] = {
    use Role::{Admin, Auditor, Dpo, Lead, Staff, Technician};
    use Who::{Nobody, Person, Token, Upload};
    [
        Nobody,
        Upload,
        Person(Staff, 0),
        Person(Staff, OFF),
        Person(Technician, 0),
        Person(Technician, OFF),
        Person(Technician, STALE),
        Person(Lead, 0),
        Person(Lead, OFF),
        Person(Admin, 0),
        Person(Dpo, 0),
        Person(Auditor, 0),
        Token(Staff),
        Token(Technician),
        Token(Lead),
        Token(Admin),
        Token(Dpo),
        Token(Auditor),
    ]
};

/// Somebody who is not on the ticket.
const OFF: u8 = 1;
/// Somebody whose second factor is too old.
const STALE: u8 = 2;

struct Row {
    line: &'static str,
    method: Method,
    path: &'static str,
    state: &'static str,
    body: &'static str,
    expected: Vec<u16>,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.splitn(4, '|').map(str::trim);
            let (method, path) = fields.next().unwrap().split_once(' ').unwrap();
            let (state, body) = (fields.next().unwrap(), fields.next().unwrap());
            let statuses = fields.next().unwrap().split(['|', ' ']).filter(|word| !word.is_empty());
            let expected: Vec<u16> = statuses.map(|status| status.parse().unwrap()).collect();
            assert!(matches!(expected.len(), 1 | 18), "{line}");
            Row { line, method: method.parse().unwrap(), path: path.trim(), state, body, expected }
        })
        .collect()
}

#[test]
fn every_route_has_its_rows() {
    let rows = rows();
    let routes = routes();
    let routes: Vec<_> = routes.list.into_iter().chain(routes.pages).collect();
    for Route { method, path, .. } in &routes {
        let states: BTreeSet<_> =
            rows.iter().filter(|row| row.method == *method && row.path == *path).map(|row| row.state).collect();
        assert!(!states.is_empty(), "{method} {path} has no row in table.txt");
        if path.contains("{ticket}") || path.contains("/snapshots/{id}") {
            assert!(states.len() > 1, "{method} {path} has a row for one state alone");
        }
    }
    for row in rows {
        let is_there = routes.iter().any(|route| row.method == route.method && row.path == route.path);
        assert!(is_there, "there is no such route: {}", row.line);
    }
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for row in rows() {
        let mut thing = world.thing(row.state).await;
        let public = row.expected.len() == 1;
        for (column, who) in COLUMNS.into_iter().enumerate() {
            if public && !matches!(who, Who::Nobody | Who::Token(Role::Technician)) {
                continue;
            }
            let expected = row.expected[if public { 0 } else { column }];
            let (status, _) = world.ask(&world.own, who, &row, &thing).await;
            if status != expected {
                wrong.push(format!("{} {} ({}) as {who:?}: {status}, not {expected}", row.method, row.path, row.state));
            }
            if status < 400 && !row.method.is_safe() {
                thing = world.thing(row.state).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_another_tenant_has_is_not_there() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows().iter().filter(|row| row.expected.len() > 1 && row.path.contains('{')) {
        let thing = world.thing(row.state).await;
        let nothing = Thing::nothing();
        for who in COLUMNS.into_iter().filter(|who| !matches!(who, Who::Nobody)) {
            let (status, answer) = world.ask(&world.other, who, row, &thing).await;
            let none = world.ask(&world.other, who, row, &nothing).await;
            if (status, &answer) != (none.0, &none.1) || !matches!(status, 401 | 403 | 404) {
                wrong.push(format!("{} as {who:?}: {status} {answer}, for nothing {} {}", row.line, none.0, none.1));
            }
            seen.insert(status);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.contains(&404), "somebody was let into their own tenant");
}
