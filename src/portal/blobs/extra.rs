//! What `object_store` does not ask an S3: whether its bucket keeps old versions or locks objects, which versions and unfinished
//! multipart uploads there are, and to remove them. It signs the requests; here they are worded and the answers are read.

use std::io::{self, ErrorKind};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use object_store::ClientOptions;
use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpConnector as _, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use s3_xml::de::from_str;
use serde::Deserialize;

/// How long a signed request is good for.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// The longest answer that is read, in bytes: a page of 1000 names of 1 KiB each.
const LONGEST_ANSWER: usize = 4 << 20;

/// Asks one bucket.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    store: AmazonS3,
    client: HttpClient,
}

/// What a bucket does with what was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Habits {
    /// Old versions are kept, or there are some from a time when they were.
    pub(crate) versions: bool,
    /// New objects are locked against removal.
    pub(crate) locks: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versioning {
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectLock {
    rule: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    #[serde(default)]
    version: Vec<Version>,
    #[serde(default)]
    delete_marker: Vec<Version>,
}

/// A version of an object, or the mark that it was deleted.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Version {
    pub(crate) key: String,
    pub(crate) version_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    upload: Vec<Unfinished>,
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Unfinished {
    pub(crate) key: String,
    pub(crate) upload_id: String,
}

impl Extra {
    pub(crate) fn new(store: AmazonS3, options: &ClientOptions) -> object_store::Result<Self> {
        Ok(Self { store, client: ReqwestConnector::default().connect(options)? })
    }

    /// Asks what the bucket does with what is removed. Stores that know neither versions nor locks say so in several ways.
    pub(crate) async fn habits(&self) -> io::Result<Habits> {
        let versions = match self.ask(&Method::GET, &Path::default(), &[("versioning", "")]).await? {
            (StatusCode::OK, text) => read::<Versioning>(&text)?.status.is_some(),
            (status, _) if is_not_known(status) => false,
            (status, text) => return Err(refused("whether the bucket keeps versions", status, &text)),
        };
        let locks = match self.ask(&Method::GET, &Path::default(), &[("object-lock", "")]).await? {
            (StatusCode::OK, text) => read::<ObjectLock>(&text)?.rule.is_some(),
            (StatusCode::NOT_FOUND, text) if !text.contains("NoSuchBucket") => false,
            (status, _) if is_not_known(status) => false,
            (status, text) => return Err(refused("whether the bucket locks objects", status, &text)),
        };
        Ok(Habits { versions, locks })
    }

    /// Some versions and delete markers beneath `prefix`; none when nothing is left.
    pub(crate) async fn versions(&self, prefix: &str) -> io::Result<Vec<Version>> {
        let query = [("versions", ""), ("prefix", prefix)];
        match self.ask(&Method::GET, &Path::default(), &query).await? {
            (StatusCode::OK, text) => {
                let Versions { mut version, mut delete_marker } = read(&text)?;
                version.append(&mut delete_marker);
                Ok(version)
            }
            (status, text) => Err(refused("the versions", status, &text)),
        }
    }

    /// Removes a version for good.
    pub(crate) async fn remove_version(&self, version: &Version) -> io::Result<()> {
        let key = Path::parse(&version.key).map_err(io::Error::other)?;
        match self.ask(&Method::DELETE, &key, &[("versionId", &version.version_id)]).await? {
            (status, _) if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            (status, text) => Err(refused("to remove a version", status, &text)),
        }
    }

    /// Some multipart uploads beneath `prefix` that were neither completed nor aborted.
    pub(crate) async fn unfinished(&self, prefix: &str) -> io::Result<Vec<Unfinished>> {
        match self.ask(&Method::GET, &Path::default(), &[("uploads", ""), ("prefix", prefix)]).await? {
            (StatusCode::OK, text) => Ok(read::<Uploads>(&text)?.upload),
            (status, text) => Err(refused("the unfinished uploads", status, &text)),
        }
    }

    async fn ask(&self, method: &Method, path: &Path, query: &[(&str, &str)]) -> io::Result<(StatusCode, String)> {
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = SignedUrlOptions::new().with_query(query);
        let url =
            self.store.signed_url_opts(method.clone(), path, GOOD_FOR, &options).await.map_err(io::Error::other)?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(io::Error::other)?;
        // The cause may tell the address, and that is signed: it is left out.
        let away = || io::Error::new(ErrorKind::NetworkUnreachable, "the bucket does not answer");
        let response = self.client.execute(request).await.map_err(|_| away())?;
        let status = response.status();
        let body = http_body_util::Limited::new(response.into_body(), LONGEST_ANSWER);
        let body = http_body_util::BodyExt::collect(body).await.map_err(|_| away())?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Whether a store says in this way that it has no such thing.
fn is_not_known(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED)
}

fn refused(what: &str, status: StatusCode, text: &str) -> io::Error {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let kind = match status {
        status if status.is_server_error() => ErrorKind::NetworkUnreachable,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ErrorKind::PermissionDenied,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, format!("the bucket was asked {what} and answered {status} {}", code.escape_debug()))
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> io::Result<T> {
    from_str(text).map_err(|fault| io::Error::new(ErrorKind::InvalidData, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_stores_word_them() {
        let versions: Versions = read(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">
             <Name>b</Name><Prefix/><IsTruncated>false</IsTruncated>
             <Version><Key>a/b</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><Size>5</Size></Version>
             <DeleteMarker><Key>a/c</Key><VersionId>7</VersionId></DeleteMarker>
             <Version><Key>a/d</Key><VersionId>x</VersionId></Version></ListVersionsResult>",
        )
        .unwrap();
        let found: Vec<_> = versions.version.iter().chain(&versions.delete_marker).map(|v| v.key.as_str()).collect();
        assert_eq!(found, ["a/b", "a/d", "a/c"]);
        let none: Uploads =
            read("<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>").unwrap();
        assert!(none.upload.is_empty());
        let off: Versioning = read("<VersioningConfiguration/>").unwrap();
        assert!(off.status.is_none());
        let on: Versioning =
            read("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>").unwrap();
        assert_eq!(on.status.as_deref(), Some("Suspended"));
        let locked: ObjectLock = read(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>
             <Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
        )
        .unwrap();
        assert!(locked.rule.is_some());
    }
}
