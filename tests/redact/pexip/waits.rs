//! Members that are not judged yet, with what each waits for. The list is to become empty.

pub(super) const WAITS: &[(&str, &str)] = &[
    ("var/log/unified_support.log", "fragments are joined"),
    ("var/log/unified_support.log.1", "fragments are joined"),
    ("var/log/unified_support.log.2.gz", "fragments are joined"),
    ("var/log/unified_administrator.log", "names of ordinary words"),
    ("opt/pexip/share/history/conferencing_history.db", "databases"),
    ("opt/pexip/share/history/conferencing_history.db-wal", "databases"),
    ("opt/pexip/share/status/10.47.2.6/conferencing_status.db", "databases"),
    ("opt/pexip/share/config/conferencing_configuration.db", "databases"),
    ("opt/pexip/share/config/default.db", "databases"),
    ("opt/pexip/share/status/conferences.xml", "XML"),
    ("opt/pexip/share/reports/cdr.csv", "CSV"),
    ("opt/pexip/share/reports/attendance_utf16.csv", "CSV"),
    ("home/ohaber00/.bash_history", "a password behind -u"),
    ("var/log/journal.export", "journal export"),
    ("opt/pexip/share/export/calls.zip", "archives"),
    ("opt/pexip/share/crash/previous.tar.xz", "archives"),
];
