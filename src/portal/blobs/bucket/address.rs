//! What the address of a bucket says, and the file of its key.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ClientOptions};

use crate::portal::error::PortalError;
use crate::secret::Secret;

/// Reads the address of a bucket, and the key if it lies in a file.
pub(super) fn builder(address: &str, key: Option<&std::path::Path>) -> Result<(AmazonS3Builder, Path), PortalError> {
    let (builder, prefix) = read(address)?;
    let Some(file) = key else { return Ok((builder, prefix)) };
    let text = read_key(file)?;
    let mut lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    let (Some(key), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(PortalError::BlobsAddress("the key's file has two lines, the access key and its secret"));
    };
    Ok((builder.with_access_key_id(key).with_secret_access_key(secret), prefix))
}

/// Reads the address: the bucket, the prefix, and the settings of `object_store` that are no secrets.
fn read(address: &str) -> Result<(AmazonS3Builder, Path), PortalError> {
    let url = url::Url::parse(address).map_err(|_| PortalError::BlobsAddress("it is no URL"))?;
    let (Some(bucket), "s3") = (url.host_str().filter(|name| !name.is_empty()), url.scheme()) else {
        return Err(PortalError::BlobsAddress("it begins s3:// and the bucket's name"));
    };
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.fragment().is_some() {
        return Err(PortalError::BlobsAddress("behind s3:// stand a bucket, a prefix and settings"));
    }
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    for (name, value) in url.query_pairs() {
        let key: AmazonS3ConfigKey = name
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| PortalError::BlobsAddress("it has a setting nobody knows"))?;
        if matches!(key, AmazonS3ConfigKey::AccessKeyId | AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token)
        {
            return Err(PortalError::BlobsAddress(
                "keys come from the environment, not from an address that others see",
            ));
        }
        if key == AmazonS3ConfigKey::Endpoint && value.starts_with("http://") {
            builder = builder.with_allow_http(true);
        }
        builder = builder.with_config(key, value);
    }
    let prefix = Path::from_url_path(url.path()).map_err(|_| PortalError::BlobsAddress("its prefix is no path"))?;
    Ok((builder, prefix))
}

/// How the bucket is spoken to, for at most `patience` at once: as the address and the environment say, plain HTTP only when they say so.
pub(super) fn client(builder: &AmazonS3Builder, patience: Duration) -> ClientOptions {
    let told = [
        ClientConfigKey::AllowHttp,
        ClientConfigKey::ProxyUrl,
        ClientConfigKey::ProxyCaCertificate,
        ClientConfigKey::ProxyExcludes,
        ClientConfigKey::UserAgent,
    ];
    let options = told.into_iter().fold(ClientOptions::new(), |options, key| {
        match builder.get_config_value(&AmazonS3ConfigKey::Client(key)) {
            Some(value) => options.with_config(key, value),
            None => options,
        }
    });
    options.with_timeout(patience).with_connect_timeout(Duration::from_secs(5))
}

/// Reads the file of a key, which must be its owner's alone.
fn read_key(file: &std::path::Path) -> Result<Secret<String>, PortalError> {
    if std::fs::metadata(file).map_err(PortalError::Data)?.mode() & 0o077 != 0 {
        return Err(PortalError::BlobsAddress("the key's file can be read by others; chmod 600 it"));
    }
    std::fs::read_to_string(file).map(Secret::new).map_err(PortalError::Data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret() {
        assert!(read("s3://bucket/some/where?region=eu-central-1&endpoint=https://s3.example").is_ok());
        for bad in [
            "bucket",
            "https://bucket",
            "s3://",
            "s3://key:secret@bucket",
            "s3://bucket?secret_access_key=x",
            "s3://bucket?AWS_SECRET_ACCESS_KEY=x",
            "s3://bucket?aws_session_token=x",
            "s3://bucket?colour=red",
        ] {
            let refused = read(bad).err().unwrap();
            assert!(matches!(refused, PortalError::BlobsAddress(_)), "{bad}");
            assert!(!refused.to_string().contains("secret@"), "{bad}");
        }
    }
}
