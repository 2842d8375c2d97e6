//! TLS on a listener: its certificate and key from files, read anew when asked. Knows nothing of what is said inside.

use serde::{Deserialize, Serialize};
use std::{
    error, fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        crypto::ring::default_provider,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
    server::TlsStream,
};

/// Where the certificate of a server is, and its key; both in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to an authority that clients know.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The certificate that a server shows to new connections.
#[derive(Clone, Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: Arc<RwLock<Arc<rustls::ServerConfig>>>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// When one cannot be read or used, or they do not belong together.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(RwLock::new(read(&files)?));
        Ok(Self { files, current })
    }

    /// Reads both files anew, for connections that come from now on.
    ///
    /// # Errors
    /// As [`Certificate::read`]; then the old certificate stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = read(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// Begins TLS with a client.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(current).accept(stream).await
    }
}

/// Why TLS cannot be served, in one sentence that says what to do.
#[derive(Debug)]
pub struct TlsError {
    file: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Unreadable(io::Error),
    NoCertificate,
    NoKey,
    Damaged,
    DoNotMatch(PathBuf),
    Unusable(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.problem {
            Problem::Unreadable(error) => {
                write!(formatter, "{file} cannot be read ({error}): name a file that this user may read under tls")
            }
            Problem::NoCertificate => {
                write!(
                    formatter,
                    "{file} holds no certificate: tls.certificate is to name a file with BEGIN CERTIFICATE"
                )
            }
            Problem::NoKey => {
                write!(formatter, "{file} holds no private key: tls.key is to name a file with BEGIN PRIVATE KEY")
            }
            Problem::Damaged => write!(formatter, "{file} is no PEM, or damaged: name a whole file under tls"),
            Problem::DoNotMatch(key) => write!(
                formatter,
                "{file} and {} do not belong together: name the key that the certificate was made for",
                key.display()
            ),
            Problem::Unusable(error) => {
                write!(formatter, "{file} cannot be used ({error}): name another certificate and key under tls")
            }
        }
    }
}

impl error::Error for TlsError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.problem {
            Problem::Unreadable(error) => Some(error),
            Problem::Unusable(error) => Some(error),
            Problem::NoCertificate | Problem::NoKey | Problem::Damaged | Problem::DoNotMatch(_) => None,
        }
    }
}

fn read(files: &TlsFiles) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let fail = |file: &Path, problem| TlsError { file: file.to_owned(), problem };
    let explain = |file: &Path, error, none| match error {
        pem::Error::Io(error) => fail(file, Problem::Unreadable(error)),
        pem::Error::NoItemsFound => fail(file, none),
        _ => fail(file, Problem::Damaged),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| explain(certificate, error, Problem::NoCertificate))?;
    if chain.is_empty() {
        return Err(fail(certificate, Problem::NoCertificate));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| explain(key, error, Problem::NoKey))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => fail(certificate, Problem::DoNotMatch(key.clone())),
            error => fail(certificate, Problem::Unusable(error)),
        })?;
    Ok(Arc::new(config))
}
