//! The trusted certificate authorities, the system's and the user's, and plain words for a certificate that fails.

mod certificate_issuer;

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use super::failure::{Failure, plain};
use crate::error::NetworkErrorKind;
use certificate_issuer::Issuer;

/// On these systems the platform verifier reads `SSL_CERT_FILE` itself, instead of the system's list.
const PLATFORM_READS_SSL_CERT_FILE: bool =
    cfg!(all(unix, not(target_vendor = "apple"), not(target_os = "android")));

/// The system's list, read in addition to that file: users who add their company's authority still want to reach
/// everyone else.
const SYSTEM_LISTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",                            // SUSE
    "/etc/ssl/cert.pem",                                 // Alpine, OpenBSD
    "/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD
];

const HOW_TO_TRUST: &str = "if you trust it, pass its CA file with SSL_CERT_FILE or --ca-cert";

/// The TLS configuration, created at its first use: reading the system's list takes milliseconds, and most runs need no
/// TLS at all.
pub(super) struct Trust {
    extra_ca: Option<PathBuf>,
    config: Mutex<Option<Arc<ClientConfig>>>,
}

impl Trust {
    pub(super) fn new(extra_ca: Option<PathBuf>) -> Trust {
        Trust { extra_ca, config: Mutex::new(None) }
    }

    /// Returns the configuration. A failure is not kept: the next request reads the files again.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*config {
            return Ok(Arc::clone(config));
        }
        let built = build(self.extra_ca.as_deref())?;
        Ok(Arc::clone(config.insert(Arc::new(built))))
    }

    /// Describes the trusted authorities, once all of their files could be read.
    pub(super) fn described(&self) -> Result<String, Failure> {
        self.config()?;
        let by_option = self.extra_ca.as_ref().map(|path| format!("{} (--ca-cert)", path.display()));
        let by_variable = env::var_os("SSL_CERT_FILE")
            .map(|path| format!("{} (SSL_CERT_FILE)", Path::new(&path).display()));
        let added: Vec<String> = by_option.into_iter().chain(by_variable).collect();
        Ok(match added.as_slice() {
            [] => "the system's authorities".to_owned(),
            added => format!("the system's authorities and those in {}", added.join(" and ")),
        })
    }
}

fn build(extra_ca: Option<&Path>) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Explaining(verifier(extra_ca, Arc::clone(&provider))?);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failure(&error))?
        .dangerous() // The platform's verifier checks everything that rustls's own does.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(extra_ca: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Verifier, Failure> {
    let mut extra = Vec::new();
    if let Some(path) = extra_ca {
        extra.extend(certificates(path, "--ca-cert")?);
    }
    extra.extend(from_ssl_cert_file()?);
    Verifier::new_with_extra_roots(extra, provider).map_err(|error| unusable(&error, extra_ca))
}

fn from_ssl_cert_file() -> Result<Vec<CertificateDer<'static>>, Failure> {
    let Some(path) = env::var_os("SSL_CERT_FILE") else { return Ok(Vec::new()) };
    let path = Path::new(&path);
    if !PLATFORM_READS_SSL_CERT_FILE {
        return certificates(path, "SSL_CERT_FILE");
    }
    // The platform only logs a broken file. With SSL_CERT_DIR set, the file is one of two sources and may be missing.
    if env::var_os("SSL_CERT_DIR").is_none() {
        first_certificate(path, "SSL_CERT_FILE")?;
    }
    Ok(system_list())
}

/// The part of the system's list that can be used; the user can't repair the rest.
fn system_list() -> Vec<CertificateDer<'static>> {
    let path = SYSTEM_LISTS.iter().find(|path| Path::new(path).exists());
    let list = path.and_then(|path| CertificateDer::pem_file_iter(path).ok());
    list.into_iter().flatten().flatten().filter(is_usable).collect()
}

fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

fn certificates(path: &Path, setting: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    first_certificate(path, setting)?;
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(path, setting, &error))
}

fn first_certificate(path: &Path, setting: &str) -> Result<CertificateDer<'static>, Failure> {
    CertificateDer::from_pem_file(path).map_err(|error| unreadable(path, setting, &error))
}

fn unreadable(path: &Path, setting: &str, error: &pem::Error) -> Failure {
    let why = match error {
        pem::Error::Io(error) => format!("cannot be read: {}", plain(error)),
        pem::Error::NoItemsFound => "contains no PEM certificate".to_owned(),
        _ => "is not a PEM file".to_owned(),
    };
    Failure::new(NetworkErrorKind::CaFile, format!("the CA file {} ({setting}) {why}", path.display()))
}

fn unusable(error: &rustls::Error, extra_ca: Option<&Path>) -> Failure {
    match (error, extra_ca) {
        (rustls::Error::General(_), _) if PLATFORM_READS_SSL_CERT_FILE => Failure::tls(
            "the system has no list of trusted authorities; install one (often the package \
             ca-certificates) or pass a CA file with SSL_CERT_FILE or --ca-cert",
        ),
        (_, Some(path)) => {
            let detail = format!("the CA file {} contains an invalid certificate", path.display());
            Failure::new(NetworkErrorKind::CaFile, detail)
        }
        (error, None) => failure(error),
    }
}

/// The platform's verifier, which also notes the issuer of an untrusted certificate: behind a company's inspecting
/// proxy that name is the whole diagnosis.
#[derive(Debug)]
struct Explaining(Verifier);

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| name_issuer(error, intermediates.last().unwrap_or(end_entity)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn name_issuer(error: rustls::Error, last_of_chain: &CertificateDer<'_>) -> rustls::Error {
    match (&error, Issuer::parse(last_of_chain)) {
        (rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), Some(issuer)) => {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(issuer))))
        }
        _ => error,
    }
}

/// The TLS failure within an I/O error, if it is one.
pub(super) fn tls_failure(error: &io::Error) -> Option<Failure> {
    Some(failure(error.get_ref()?.downcast_ref()?))
}

/// A TLS failure in plain words, with a way out.
pub(super) fn failure(error: &rustls::Error) -> Failure {
    Failure::tls(match error {
        rustls::Error::InvalidCertificate(problem) => certificate_problem(problem),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        rustls::Error::PeerIncompatible(_) => {
            "the server supports neither TLS 1.2 nor TLS 1.3 with a cipher we support".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refused TLS ({alert:?})"),
        error => error.to_string(),
    })
}

fn certificate_problem(problem: &CertificateError) -> String {
    use CertificateError::*;
    match problem {
        UnknownIssuer => {
            format!("its certificate is signed by an untrusted authority; {HOW_TO_TRUST}")
        }
        Other(other) => match other.0.downcast_ref::<Issuer>() {
            Some(issuer) => format!("its certificate is {issuer}; {HOW_TO_TRUST}"),
            None => format!("its certificate is not valid: {other}"),
        },
        NotValidForName | NotValidForNameContext { .. } => {
            format!("its certificate is for another name{}", presented(problem))
        }
        Expired | ExpiredContext { .. } => {
            "its certificate has expired, or this computer's clock is wrong".to_owned()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this computer's clock is wrong".to_owned()
        }
        Revoked => "its certificate has been revoked".to_owned(),
        problem => format!("its certificate is not valid: {problem}"),
    }
}

fn presented(problem: &CertificateError) -> String {
    match problem {
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!(" ({})", presented[..presented.len().min(3)].join(", "))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p55_the_systems_list_is_found_where_it_is_installed() {
        let is_installed = SYSTEM_LISTS.iter().any(|path| Path::new(path).exists());
        assert_eq!(is_installed, system_list().len() > 10);
    }
}
