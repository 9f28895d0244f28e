//! Every file in `fixtures/redact`: input lines begin with `<`, the redacted ones with `>`, others are remarks.

use crate::redact_one;

#[test]
fn every_case_is_redacted_as_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/redact");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "case") {
            continue;
        }
        let case = std::fs::read_to_string(&path).unwrap();
        let lines = |mark: &str| -> String {
            case.lines()
                .filter_map(|line| line.strip_prefix(mark))
                .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
                .collect()
        };
        assert_eq!(redact_one(&lines("<")), lines(">"), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
}
