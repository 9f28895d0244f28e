//! On `PostgreSQL` a statement sees the rows of the tenant that its connection was lent for. The store's own tests show that; here
//! stands who may see the rows of all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files that answer requests, each with how often it asks for the rows of every tenant, and why it must.
const ACROSS: &[(&str, usize, &str)] = &[
    ("api/health.rs", 3, "the health of the whole portal, in one word"),
    ("api/invitations.rs", 2, "an invitation says whose it is"),
    ("api/log.rs", 3, "the tiles of the log, which have no tenant"),
    ("api/once.rs", 1, "the sweep forgets old answers"),
    ("api/receipts.rs", 1, "a snapshot's receipt is given to whoever knows its random id"),
    ("api/requests.rs", 1, "a code says whose it is"),
    ("auth/principal.rs", 2, "a token and a session say whose they are"),
];

/// What begins with one of these answers requests.
const ROOMS: [&str; 3] = ["api", "auth", "web"];

#[test]
fn only_these_requests_see_more_than_one_tenant() {
    let portal = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal");
    let mut found = BTreeMap::new();
    for room in ROOMS {
        for entry in fs::read_dir(portal.join(room)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{room}/{}", path.file_name().unwrap().to_str().unwrap());
            // The walk over the table of rights is a test.
            if !path.is_file() || !name.ends_with(".rs") || name == "auth/table.rs" {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let count = text.matches("_across(").count();
            if count > 0 {
                found.insert(name, count);
            }
        }
    }
    let known: BTreeMap<String, usize> = ACROSS.iter().map(|(file, count, _)| ((*file).to_owned(), *count)).collect();
    assert_eq!(found, known);
}
