use super::*;

fn reading(zone: &str, latest: &str) -> Reading {
    Reading { zone: TimeZone::get(zone).unwrap(), latest: latest.parse().unwrap() }
}

#[track_caller]
fn reads(line: &str, expected: &str) {
    let reading = reading("Europe/Brussels", "2026-11-21T12:00:00Z");
    let stamp = reading.stamp(line.as_bytes()).map(|seconds| Timestamp::from_seconds(seconds).to_string());
    assert_eq!(stamp.as_deref(), Some(expected), "{line}");
}

#[test]
fn the_stamps_of_common_logs_are_read() {
    let utc = "2026-11-20T10:09:51Z";
    // With an offset of their own.
    for line in [
        "2026-11-20T10:09:51Z message",
        "2026-11-20T11:09:51.123456+01:00 node1 2026-11-20 10:09:51,123 Level=\"INFO\" Name=\"support\"",
        "2026-11-20 11:09:51.123 +0100 message",
        "2026-11-20 10:09:51.123 UTC [123] LOG:  statement",
        "2026-11-20T10:09:51.123456789Z stdout F {\"x\":1}",
        "<134>1 2026-11-20T10:09:51.003Z host app - - - message",
        "<13>2026-11-20T10:09:51Z host app: message",
        "[2026-11-20T05:09:51-05:00] message",
        "20261120T100951Z message",
        "198.51.100.7 - anna [20/Nov/2026:11:09:51 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"[x]\"",
        "portal.example:443 198.51.100.7 - - [20/Nov/2026:10:09:51 +0000] \"GET\"",
        "time=\"2026-11-20T10:09:51Z\" level=info msg=x",
        "level=info ts=2026-11-20T10:09:51.1Z caller=main.go:1",
        "{\"level\":\"info\",\"ts\":1795169391.25,\"msg\":\"x\"}",
        "{\"log\":\"the \\\"time\\\": 3\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T10:09:51.5Z\"}",
        "{\"@timestamp\": \"2026-11-20T10:09:51Z\", \"message\": \"x\"}",
        "1795169391 message",
        "1795169391.123    200 198.51.100.7 TCP_MISS/200",
        "1795169391123 message",
        "[1795169391] SERVICE ALERT",
        "type=SYSCALL msg=audit(1795169391.123:456): arch=c000003e",
        "2026-11-20T10:09:51+00 short offset",
    ] {
        reads(line, utc);
    }
    // In the zone of the window: an hour before UTC in winter.
    for line in [
        "2026-11-20 11:09:51,123 INFO message",
        "2026-11-20T11:09:51 message",
        "2026/11/20 11:09:51 [error] 12#12: *3 open() failed",
        "Nov 20 11:09:51 host sshd[1]: message",
        "[Nov 20 11:09:51] VERBOSE[123][C-0001] pbx.c: message",
        "Nov 20 2026 11:09:51 asa : message",
        "[Fri Nov 20 11:09:51.123456 2026] [core:error] [pid 1] message",
        "Fri Nov 20 11:09:51 2026 message",
        "[Fri Nov 20 11:09:51 2026] usb 1-1: new device",
        "20-Nov-2026 11:09:51.123 general: info: message",
        "20 Nov 2026 11:09:51.123 * message",
        "I1120 11:09:51.123456   12345 file.go:12] message",
        "0c8d4a6e-1111-4222-8333-944455556666 2026-11-20 11:09:51.123456 98.00% [DEBUG] mod_sofia.c:1 message",
        "2026-11-20 11:09:51 CET message",
    ] {
        reads(line, utc);
    }
    reads("Nov  2 11:09:51 host app: message", "2026-11-02T10:09:51Z");
}

#[test]
fn what_is_no_stamp_is_none() {
    let reading = reading("UTC", "2026-11-21T12:00:00Z");
    for line in [
        "",
        "    at java.lang.Thread.run(Thread.java:1)",
        "[12345.678901] usb 1-1: new device",
        "10:09:51 message",
        "2026-11-20",
        "2026-13-20 10:09:51 message",
        "2026-11-20 25:09:51 message",
        "Nothing 20 10:09:51",
        "1795169391abc",
        "123456789012 message",
        "I1320 10:09:51.1 1 x]",
        "{\"uptime\":1795169391}",
        "{",
        "[",
        "<",
        "<134>",
        "\u{fffd}\u{fffd}",
        "time=",
        "audit(",
    ] {
        assert_eq!(reading.stamp(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn a_stamp_without_a_year_is_of_the_last_such_day_before_the_files_last_change() {
    for (latest, line, expected) in [
        ("2027-01-02T08:00:00Z", "Dec 31 23:59:59 host x", "2026-12-31T23:59:59Z"),
        ("2027-01-02T08:00:00Z", "Jan  2 07:00:00 host x", "2027-01-02T07:00:00Z"),
        // A clock that is an hour ahead does not make it last year's.
        ("2026-12-31T23:30:00Z", "Jan  1 00:10:00 host x", "2027-01-01T00:10:00Z"),
        ("2027-03-01T00:00:00Z", "Feb 29 10:00:00 host x", "2024-02-29T10:00:00Z"),
        ("2027-01-02T08:00:00Z", "W1231 10:00:00.5 1 x.go:1] x", "2026-12-31T10:00:00Z"),
    ] {
        let stamp = reading("UTC", latest).stamp(line.as_bytes()).unwrap();
        assert_eq!(Timestamp::from_seconds(stamp).to_string(), expected, "{line} by {latest}");
    }
}

#[test]
fn any_bytes_are_read_without_falling_over() {
    use rand::{Rng, RngExt, SeedableRng};
    let mut rng = rand::rngs::StdRng::seed_from_u64(3);
    let reading = reading("Europe/Brussels", "2026-11-21T12:00:00Z");
    let seeds = [
        "[20/Nov/2026:10:09:51 +0000]",
        "2026-11-20T10:09:51.123+01:00 ",
        "<134>1 Fri Nov 20 10:09:51 2026",
        "{\"time\":\"I1120 10:09:51",
        "level=info ts=audit(1795169391",
    ];
    for round in 0..20_000 {
        let mut line = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..line.len());
            match rng.random_range(0..3) {
                0 => line[at] = rng.next_u32().to_le_bytes()[0],
                1 => line.truncate(at.max(1)),
                _ => line.insert(at, b"0123456789:-/ []\"{Z"[rng.random_range(0..19)]),
            }
        }
        if let Some(stamp) = reading.stamp(&line) {
            assert!((-62_135_683_200..=253_402_300_800).contains(&stamp), "{line:?}");
        }
    }
}
