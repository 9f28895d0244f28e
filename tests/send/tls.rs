//! TLS: whom the client trusts, and what it says when it does not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use tarseal::send::{Client, ClientOptions, FileUrl, RangedFile, SendError, SystemPace};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

/// Serves `answer` to every connection over TLS, as `localhost`; `damage` changes what goes over the wire.
fn serve(damage: impl Fn(&mut TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let chain = vec![CertificateDer::from_pem_file(fixture("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    // The thread ends with the test process; it holds a socket and nothing else.
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n");
                let _ = stream.flush();
                damage(stream.sock);
                let _ = stream.write_all(b"Connection: close\r\n\r\na key");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

fn ask(host: &str, port: u16, ca_file: Option<&str>) -> Result<String, SendError> {
    let options = ClientOptions { ca_file: ca_file.map(fixture), ..ClientOptions::default() };
    Client::new(format!("https://{host}:{port}").parse().unwrap(), None, &options)?.receipt_key()
}

fn distrusted(outcome: Result<String, SendError>) -> String {
    match outcome {
        Err(SendError::Tls { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_given_authority_is_trusted_and_no_other() {
    let port = serve(|_| {});
    assert_eq!(ask("localhost", port, Some("ca.pem")).unwrap(), "a key");
    let what = distrusted(ask("localhost", port, Some("server.pem")));
    assert!(what.contains("authority") || what.contains("not accepted"), "{what}");
}

#[test]
fn a_file_is_read_in_parts_only_from_whom_the_authority_knows() {
    let port = serve(|_| {});
    let read = |host: &str| {
        let url: FileUrl = format!("https://{host}:{port}/snapshots/4711").parse().unwrap();
        let options = ClientOptions { ca_file: Some(fixture("ca.pem")), ..ClientOptions::default() };
        let client = Client::new(url.origin(), None, &options)?;
        let rng = Box::new(StdRng::seed_from_u64(1));
        let mut text = String::new();
        RangedFile::open(client, url, None, Box::new(SystemPace::new()), rng)?.read_to_string(&mut text).unwrap();
        Ok(text)
    };
    assert_eq!(read("localhost").unwrap(), "a key");
    assert!(distrusted(read("127.0.0.1")).contains("another name"));
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let port = serve(|_| {});
    let what = distrusted(ask("127.0.0.1", port, Some("ca.pem")));
    assert!(what.contains("another name"), "{what}");
}

#[test]
fn a_port_that_speaks_no_tls_is_told_as_that() {
    let speaking = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = speaking.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = speaking.accept().unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = socket.read(&mut [0; 4096]);
    });
    let what = distrusted(ask("localhost", plain, Some("ca.pem")));
    assert!(what.contains("does not speak TLS"), "{what}");
}

#[test]
fn a_damaged_record_is_a_broken_line_and_no_attack_to_stop_for() {
    let port = serve(|socket| {
        // A record that no key opens.
        socket.write_all(&[23, 3, 3, 0, 32]).unwrap();
        socket.write_all(&[7; 32]).unwrap();
    });
    let error = ask("localhost", port, Some("ca.pem")).unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}
