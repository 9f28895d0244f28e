//! Tells a connection that cannot be trusted from one that broke.

use std::error::Error;
use std::io;

use rustls::{CertificateError, InvalidMessage};

use crate::causes::causes;
use crate::send::error::SendError;

/// Turns a failure below HTTP into what a caller does about it. `host` is for the words only.
pub(crate) fn network_error(error: reqwest::Error, host: &str) -> SendError {
    if let Some(what) = rustls_error(&error).and_then(distrust) {
        return SendError::Tls { host: host.to_owned(), what };
    }
    let what = if error.is_connect() && error.is_timeout() {
        format!("{host} cannot be reached (no answer)")
    } else if error.is_connect() {
        format!("{host} cannot be reached ({})", innermost(&error))
    } else if error.is_timeout() {
        format!("{host} does not answer")
    } else {
        format!("the connection to {host} broke ({})", innermost(&error))
    };
    SendError::Temporary { what, retry_after: None, source: Some(Box::new(error.without_url())) }
}

/// Why the peer cannot be trusted; `None` for what a broken line does too (damaged records, cut connections).
fn distrust(error: &rustls::Error) -> Option<String> {
    let words = match error {
        rustls::Error::InvalidCertificate(certificate) => certificate_words(certificate),
        rustls::Error::NoCertificatesPresented => "it shows no certificate".to_owned(),
        rustls::Error::PeerIncompatible(_) => format!("no common version of TLS ({error})"),
        rustls::Error::AlertReceived(alert) => format!("it broke off the TLS handshake ({alert:?})"),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS at this port".to_owned()
        }
        _ => return None,
    };
    Some(words)
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate was issued by an authority that this computer does not know \
             (a company's own one is given with --ca-file)"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired (or this computer's clock is wrong)".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet (or this computer's clock is wrong)".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().take(3).map(|name| name.escape_debug().to_string()).collect();
            format!("its certificate is for another name ({})", names.join(", "))
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        other => format!("its certificate is not accepted ({other:?})").chars().take(300).collect(),
    }
}

fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>())
}

/// What went wrong at the very bottom: in words a clerk knows where there are such, else in its own.
fn innermost(error: &reqwest::Error) -> String {
    let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => return "nothing answers there".to_owned(),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            return "this computer has no way to it".to_owned();
        }
        _ => {}
    }
    causes(error).last().map(ToString::to_string).unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_is_no_reason_for_distrust_and_a_bad_certificate_is() {
        assert!(distrust(&rustls::Error::DecryptError).is_none());
        assert!(distrust(&rustls::Error::InvalidMessage(InvalidMessage::MessageTooShort)).is_none());
        for error in [
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
            rustls::Error::InvalidCertificate(CertificateError::BadSignature),
            rustls::Error::AlertReceived(rustls::AlertDescription::UnknownCA),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType),
        ] {
            assert!(distrust(&error).is_some(), "{error}");
        }
    }

    #[test]
    fn a_tls_error_is_found_behind_io_errors() {
        let inner = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inner.clone()));
        assert_eq!(rustls_error(&wrapped), Some(&inner));
        assert_eq!(rustls_error(&io::Error::other("no")), None);
    }
}
