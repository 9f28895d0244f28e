//! TLS, with a certificate that `openssl` makes for the occasion. Where there is no `openssl` the test says on standard error
//! that it was skipped; with `TARSEAL_REQUIRE_PEERS=1` it fails instead.

use std::process::Command;
use std::sync::Arc;

use tarseal::clock::SystemClock;
use tarseal::portal::{Config, Portal, PortalError};

#[test]
fn the_portal_speaks_tls_with_its_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=portal.example", "-addext", "subjectAltName=IP:127.0.0.1", "-addext"])
        .args(["basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        assert!(std::env::var("TARSEAL_REQUIRE_PEERS").as_deref() != Ok("1"), "openssl made no certificate");
        eprintln!("skipped: openssl made no certificate");
        return;
    }
    let mut config = Config::new(directory.path().join("data"), ([127, 0, 0, 1], 0).into());
    config.tls = Some((certificate.clone(), key));
    let portal = Portal::start(config.clone(), Arc::new(SystemClock)).unwrap();
    assert!(portal.url().starts_with("https://127.0.0.1:"));
    let trusted = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let health = format!("{}/healthz", portal.url());
    let client = reqwest::blocking::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let answer = client.get(&health).send().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let stranger = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(&health).send().is_err(), "a certificate nobody trusts");
    let plain = health.replace("https://", "http://");
    assert!(client.get(plain).send().is_err(), "no plain HTTP beside it");
    drop(portal);

    config.tls = Some((certificate.clone(), certificate));
    assert!(matches!(Portal::start(config, Arc::new(SystemClock)), Err(PortalError::Certificate(_))), "no key in it");
}
