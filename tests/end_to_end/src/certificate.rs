//! A self-signed certificate.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The files of a certificate and its key.
pub struct Certificate {
    dir: TempDir,
}

impl Certificate {
    /// A new one for these hosts.
    pub fn of(hosts: &[&str]) -> Certificate {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(hosts).expect("a certificate");
        let certificate = Certificate { dir: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(certificate.path("cert.pem"), made.cert.pem()).expect("written");
        std::fs::write(certificate.path("key.pem"), made.signing_key.serialize_pem()).expect("written");
        certificate
    }

    /// The certificate's file, for the server and for `--ca-cert`.
    pub fn cert(&self) -> String {
        text(&self.path("cert.pem"))
    }

    /// The key's file.
    pub fn key(&self) -> String {
        text(&self.path("key.pem"))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}
