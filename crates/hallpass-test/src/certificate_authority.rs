//! A certificate authority, and server configurations with its certificates.

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tempfile::NamedTempFile;

pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl CertificateAuthority {
    pub fn new(name: &str) -> CertificateAuthority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(params.self_signed(&key).unwrap().pem().as_bytes()).unwrap();
        CertificateAuthority { issuer: Issuer::new(params, key), file }
    }

    /// The authority's certificate as a PEM file.
    pub fn file(&self) -> &Path {
        self.file.path()
    }

    /// Configures a server with a certificate for this name.
    pub fn server(&self, name: &str, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        self.server_by(named(name), version)
    }

    /// Configures a server whose certificate is valid in these years only.
    pub fn server_of_years(&self, name: &str, years: Range<i32>) -> Arc<ServerConfig> {
        let mut params = named(name);
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        self.server_by(params, &TLS13)
    }

    fn server_by(
        &self,
        params: CertificateParams,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(&certificate, &key, version)
    }
}

/// Configures a server with a self-signed certificate.
pub fn self_signed(name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    config(&named(name).self_signed(&key).unwrap(), &key, &TLS13)
}

fn named(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

fn config(
    certificate: &Certificate,
    key: &KeyPair,
    version: &'static SupportedProtocolVersion,
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}
