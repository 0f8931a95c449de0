//! Certificates that only the tests trust: a CA with a server and a client, and another CA with a client.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Writes them into a folder of this process, and gives it.
pub(super) fn make() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let ca = Ca::new(&folder, "ca");
    ca.sign(&folder, "server", &["localhost"]);
    ca.sign(&folder, "client", &[]);
    let other = Ca::new(&folder, "other-ca");
    other.sign(&folder, "other-client", &[]);
    folder
}

struct Ca(Issuer<'static, KeyPair>);

impl Ca {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        write(folder, &format!("{name}.pem"), &certificate.pem());
        Self(Issuer::new(params, key))
    }

    fn sign(&self, folder: &Path, name: &str, hosts: &[&str]) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(name, hosts).signed_by(&key, &self.0).expect("a certificate");
        write(folder, &format!("{name}.pem"), &certificate.pem());
        write(folder, &format!("{name}.key"), &key.serialize_pem());
    }
}

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::write(&file, text).expect("written");
    // PostgreSQL takes no key that others may read.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
}
