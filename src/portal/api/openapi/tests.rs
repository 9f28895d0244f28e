use std::collections::{BTreeMap, BTreeSet};

use super::*;

const TABLE: &str = include_str!("../../auth/table.txt");

/// The rows of the table of roles that are about the API: method, path and the rest. The pages are no part of it.
fn rows() -> Vec<(String, String, &'static str)> {
    let pages: BTreeSet<(String, &str)> =
        routes().pages.iter().map(|page| (page.method.to_string(), page.path)).collect();
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (route, rest) = line.split_once('|').unwrap();
            let (method, path) = route.trim().split_once(' ').unwrap();
            (method.to_owned(), path.trim().to_owned(), rest)
        })
        .filter(|(method, path, _)| !pages.contains(&(method.clone(), path.as_str())))
        .collect()
}

fn described() -> BTreeSet<(String, String)> {
    let document = document().unwrap();
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| (method.to_ascii_uppercase(), path.clone()))
    });
    each.collect()
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let routed: BTreeSet<(String, String)> =
        routes().list.iter().map(|route| (route.method.to_string(), complete::documented(route.path))).collect();
    let described = described();
    let missing: Vec<_> = routed.difference(&described).collect();
    assert!(missing.is_empty(), "not described: {missing:?}; add #[utoipa::path] and a line in openapi/mod.rs");
    let beyond: Vec<_> = described.difference(&routed).collect();
    assert!(beyond.is_empty(), "described but not routed: {beyond:?}");
    let tabled: BTreeSet<(String, String)> =
        rows().into_iter().map(|(method, path, _)| (method, complete::documented(&path))).collect();
    assert_eq!(described, tabled, "the table of roles and the description name other routes");
}

#[test]
fn every_status_of_the_table_of_roles_is_described() {
    let document = document().unwrap();
    let mut missing = BTreeSet::new();
    for (method, path, rest) in rows() {
        let pointer = complete::pointer(&complete::documented(&path), &method.to_ascii_lowercase());
        let responses = &document.pointer(&pointer).unwrap()["responses"];
        for status in rest.splitn(3, '|').last().unwrap_or_default().split(['|', ' ']).filter(|word| !word.is_empty()) {
            if responses[status].is_null() {
                missing.insert(format!("{method} {path}: {status}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_problem_that_a_handler_names_is_a_kind() {
    let written = serde_json::to_value(Described::openapi()).unwrap();
    let mut named = BTreeSet::new();
    for (path, item) in written["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for word in operation["x-problems"].as_array().into_iter().flatten() {
                let word = word.as_str().unwrap();
                let (kind, _) = complete::meant(word).unwrap_or_else(|| panic!("{method} {path}: {word}"));
                named.insert(kind.word());
            }
        }
    }
    let whole = document().unwrap().to_string();
    for kind in crate::portal::problem::KINDS {
        assert!(whole.contains(&format!("\"{}\"", kind.path)), "no route tells {}", kind.path);
    }
    assert!(!whole.contains("x-problems"));
    assert!(named.len() > 10);
}

#[test]
fn what_needs_no_proof_says_so_and_everything_else_does_not() {
    let document = document().unwrap();
    for route in routes().list {
        let pointer = complete::pointer(&complete::documented(route.path), &route.method.as_str().to_ascii_lowercase());
        let operation = document.pointer(&pointer).unwrap();
        let ways = operation["security"].as_array().unwrap();
        assert_eq!(ways.is_empty(), route.public, "{} {}", route.method, route.path);
        // A password, a passkey, or a signature over the body: neither is a proof the description has a word for.
        let proof_in_body = ["/v1/session", "/v1/session/passkey", "/hooks/{source}"].contains(&route.path);
        assert_eq!(operation["responses"]["401"].is_object(), !route.public || proof_in_body, "{}", route.path);
    }
}

#[test]
fn references_lead_somewhere_and_operations_have_names_of_their_own() {
    let document = document().unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let reference = reference.split('"').next().unwrap();
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (method, path) in described() {
        let operation = document.pointer(&complete::pointer(&path, &method.to_ascii_lowercase())).unwrap();
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{method} {path}");
        let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(plain && id.contains('_'), "{id}");
        let taken = ids.insert(id.clone(), path.clone());
        assert!(taken.is_none(), "{id}: {path} and {taken:?}");
    }
}
