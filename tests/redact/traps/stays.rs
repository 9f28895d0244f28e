//! What engineers need, which looks a little like personal data: it stays byte for byte.

use super::open::CHANGED;
use crate::redact;

const PEOPLE: &str =
    "Participant=\"Ottilie Habersaat\"\nParticipant=\"Mark Will\"\nParticipant=\"Li\"\nuser=quirin7\nuser=admin\n";

const STAYS: &[&str] = &[
    // Time
    "2026-11-21T14:00:02.123456+00:00",
    "2026-11-21 14:00:02,123",
    "Nov 21 14:00:02",
    "21/Nov/2026:14:00:02 +0000",
    "uptime 12:34:56 up 3 days, 1:02",
    "t=1700000000 0, t=1700000000.123456, 1700000000000",
    "00:01:02:03 elapsed",
    "2026-W47-6 2026/11/21 21.11.2026 14:00",
    // Identifiers
    "call_uuid=3f2b8c1e-0d4a-4c5b-9e6f-112233445566",
    "Call-id=\"3f2b8c1e-0d4a-4c5b-9e6f-112233445566\" Participant-id=\"77f0a1b2-0d4a-4c5b-9e6f-aabbccddeeff\"",
    "trace=4bf92f3577b34da6a3ce929d0e0e4736 span=00f067aa0ba902b7",
    "branch=z9hG4bK77ef4c2312983.1;tag=1928301774",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b",
    "id=0000000000000000000000000000012345 request 8f14e45f",
    "job 12345 pid 4711 tid 140735512345344 fd=17 inode 1234567890",
    // Versions and products
    "version 7.2.4.3070 (68700.0.0)",
    "Pexip Infinity 33.1 (77000.0.0), kernel 5.15.0-1053.61",
    "Chrome/118.0.5993.117 Safari/537.36 Edg/118.0.2088.76",
    "OpenSSH_9.2p1 Debian-2+deb12u2, OpenSSL 3.0.11 19 Sep 2023",
    "libssl.so.1.1.1.2 python3.11 glibc-2.36-9+deb12u4",
    "1.2.3.4-rc1 v1.2.3.4 version=10.0.19045.3570",
    "oid 1.3.6.1.4.1.311.21.8 1.2.840.113549.1.1.11",
    // Media
    "codec=H264 opus/48000/2 a=rtpmap:97 H264/90000 PCMU G.722.1",
    "a=fmtp:97 profile-level-id=42e01f;max-br=1920;max-mbps=108000",
    "a=crypto-suite AES_CM_128_HMAC_SHA1_80",
    "ssrc=2864434397 ssrc 0x1234abcd seq=65535 ts=4294967295",
    "m=audio 40012 RTP/SAVPF 111 103 104 9 0 8 106 105 13 126",
    "1920x1080@30fps 2.5Mbps jitter=0.031 loss=0.2%",
    // Codes, modules, paths of the product
    "Level=\"INFO\" Name=\"administrator.conference\" Message=\"Participant has joined.\"",
    "Name=\"support.dns\" Name=\"developer.rest\" Name=\"support.participant.media\"",
    "SIP/2.0 488 Not Acceptable Here; Q.850;cause=16;text=\"Normal call clearing\"",
    "HTTP/1.1 503 Service Unavailable, errno=111, exit code 137, SIGSEGV",
    "Conference=\"Weekly Sync\" Conference-alias=\"meet.weekly\"",
    "/opt/pexip/share/history/conferencing_history.db /var/log/unified_support.log.1",
    "/usr/lib/python3/dist-packages/twisted/internet/base.py line 1234 in run",
    "at com.example.http.Server$Handler.run(Server.java:1234)",
    "Traceback (most recent call last): KeyError: 'display_name'",
    "eth0 mtu 1500 qdisc mq, wlp3s0, enp0s31f6, veth1a2b3c4",
    "127.0.0.1 ::1 0.0.0.0 :: 255.255.255.0 224.0.0.251 ff02::fb localhost",
    "/dev/sda1 /dev/mapper/vg-root /proc/1234/status /sys/class/net/eth0",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 TLSv1.3 X25519 secp256r1",
    "Content-Type: application/sdp; charset=utf-8",
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8",
    "user-agent-class=browser users=17 user_count=3 username_attribute=sAMAccountName",
    "password_policy=strict token_type=Bearer key_size=2048 keyframe=1 secret_rotation_days=90",
    // What only looks like mail's encodings, an address in another notation, a share, a list of people
    "mode=3 n=80 x=41 id=C3AB q=CASE%2D17 pattern==3D? r=?x?= crc=F612",
    "\u{1b}[1;32mINFO\u{1b}[0m \u{1b}[36mmain\u{1b}[0m ready in 12ms",
    "buf_address=c6336407 base_address=7f3c9a10 src_address=80008000 dma_addr=deadbeef",
    "d41d8cd98f00b204e9800998ecf8427e 02 40 20 chunk.bin",
    "00000000000000000000000000000001 01 80 10 80       lo",
    "counter 0049301234567 of 0049301234999, offset 0012345678901",
    r"match \\d+\w \\word\\s \\.\pipe\x and \Device\HarddiskVolume1",
    "users: 17 of 20, members:\n  3 active",
    "server = nginx.conf, Server: nginx/1.25.3",
    "backup/1-2-3-4/x.tar node@2x.png unit@1000.service.log items[0]@[1]",
    "main:*:one:two error:!:3 key:{abcdefgh}",
    // Words that are somebody's name as well
    "will mark the queue; mark 17 of li 3; this will be admin work",
    "The administrator will mark it as read",
    // Amounts
    "1,234,567 bytes (1.2 MB) copied, 0.0123 s, 97.6 MB/s",
    "Mem: 16384256 8192128 4096064 123456 2048032 7654321",
    "load average: 0.12, 0.34, 0.56; 3/512 12345",
    "x=-122.4194 y=37.7749 z=12345678",
    "[0x00007f1234567890] 0xdeadbeef ffffffff81a00123",
    "RX packets 1234567890 bytes 9876543210 (9.1 GiB)",
];

#[test]
fn what_engineers_need_stays() {
    let failed: Vec<String> =
        changed().into_iter().filter(|(line, _)| !CHANGED.contains(line)).map(|(_, text)| text).collect();
    assert!(failed.is_empty(), "{} lines changed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "lists what is open: cargo test --test redact -- --ignored open"]
fn no_line_of_the_open_changes() {
    let failed = changed();
    for (_, text) in &failed {
        println!("{text}");
    }
    assert!(failed.is_empty(), "{} lines changed", failed.len());
}

fn changed() -> Vec<(&'static str, String)> {
    STAYS
        .iter()
        .filter_map(|line| {
            let out = redact(&[PEOPLE, &format!("{line}\n")]).remove(1);
            (out.trim_end() != *line).then(|| (*line, format!("{line}\n    {out}")))
        })
        .collect()
}
