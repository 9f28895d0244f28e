//! Listening, with and without TLS.

use std::fs::File;
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::JoinHandle;

use super::config::Config;
use super::error::PortalError;

/// How long the headers of a request may take to arrive.
const HEADER_PATIENCE: Duration = Duration::from_secs(20);

/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// A server that listens.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    handle: Handle<SocketAddr>,
}

impl Listening {
    /// Takes no new connections; those that are open have `grace` to end.
    pub(crate) fn stop(&self, grace: Duration) {
        self.handle.graceful_shutdown(Some(grace));
    }
}

/// What serves until it is stopped.
type Serving = JoinHandle<std::io::Result<()>>;

/// Listens and serves. Called inside a runtime.
pub(crate) fn start(config: &Config, router: Router) -> Result<(Listening, Serving), PortalError> {
    let Some((certificate, key)) = &config.tls else { return plain(config.listen, router) };
    let failed = |fault| PortalError::Listen(config.listen, fault);
    let (listener, listening) = listen(config.listen)?;
    let tls = RustlsConfig::from_config(Arc::new(tls(certificate, key)?));
    let mut server = axum_server::from_tcp(listener).map_err(failed)?.handle(listening.handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
    let acceptor = axum_server::tls_rustls::RustlsAcceptor::new(tls).handshake_timeout(HANDSHAKE_PATIENCE);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(server.acceptor(acceptor).http1_only().serve(service));
    Ok((listening, serving))
}

/// Listens and serves without TLS. Called inside a runtime.
pub(crate) fn plain(address: SocketAddr, router: Router) -> Result<(Listening, Serving), PortalError> {
    let failed = |fault| PortalError::Listen(address, fault);
    let (listener, listening) = listen(address)?;
    let mut server = axum_server::from_tcp(listener).map_err(failed)?.handle(listening.handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(server.http1_only().serve(service));
    Ok((listening, serving))
}

fn listen(address: SocketAddr) -> Result<(TcpListener, Listening), PortalError> {
    let failed = |fault| PortalError::Listen(address, fault);
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, Listening { address, handle: Handle::new() }))
}

/// TLS 1.3 and 1.2 with the given certificate; hybrid post-quantum key exchange first.
fn tls(certificate: &Path, key: &Path) -> Result<ServerConfig, PortalError> {
    let unusable = |fault: &dyn std::fmt::Display| PortalError::Certificate(fault.to_string());
    let open = |path: &Path| File::open(path).map(BufReader::new).map_err(|fault| unusable(&fault));
    let chain = CertificateDer::pem_reader_iter(open(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| unusable(&fault))?;
    let key = PrivateKeyDer::from_pem_reader(open(key)?).map_err(|fault| unusable(&fault))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| unusable(&fault))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|fault| unusable(&fault))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
