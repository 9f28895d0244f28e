//! How the portal is served.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::portal::DatabaseUrl;

/// Arguments of `portal serve`.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// The directory that holds everything; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// A database server to use instead of files in the directory; the environment can say it too
    /// (`postgres://USER@HOST/NAME`)
    #[arg(long, value_name = "URL")]
    pub database: Option<DatabaseUrl>,
    /// Another one for the portal's parts of keys alone
    #[arg(long, value_name = "URL")]
    pub shares_database: Option<DatabaseUrl>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Where people reach the portal, `https://support.example.org`: passkeys are bound to it, and there are none without
    #[arg(long, value_name = "URL")]
    pub url: Option<url::Url>,
    /// The certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A proxy in front ends TLS: allow plain HTTP on any address
    #[arg(long)]
    pub behind_proxy: bool,
    /// A proxy, by address or network (192.0.2.0/24), that is believed when it says where a request comes from
    /// (X-Forwarded-For, Forwarded); may be repeated
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<String>,
    /// Keep sealed files in a bucket: `s3://BUCKET/PREFIX?endpoint=https://…&region=…`; in the directory when not given
    #[arg(long, value_name = "URL")]
    pub blobs: Option<String>,
    /// The bucket's access key and, in the next line, its secret; without it they come from `AWS_ACCESS_KEY_ID` and the like
    #[arg(long, value_name = "FILE", requires = "blobs")]
    pub blobs_key: Option<PathBuf>,
    /// Answer GET /metrics at this address, in plain HTTP, for Prometheus and the like
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
    /// What you say for the record of processing activities: who is responsible, who receives what (TOML)
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// The ticket systems to ask when tickets were closed: a TOML file, or a directory of them
    #[arg(long, value_name = "FILE")]
    pub ticket_systems: Option<PathBuf>,
}
