//! Why a server could not start, in one sentence.

use super::{settings::SettingError, storage::StorageError, tls::TlsError};
use std::{error, fmt, io, net::SocketAddr};

/// Why a server could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    Address {
        /// As the configuration names it.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// An address is for TLS, and there is no certificate to show.
    NoCertificate {
        /// As the configuration names it.
        address: String,
    },
    /// A setting cannot be used.
    Setting(SettingError),
    /// The certificate cannot be used.
    Tls(TlsError),
    /// An address is not of this machine alone, and nobody would be asked who it is.
    Open {
        /// Where the server would listen.
        address: SocketAddr,
    },
    /// The system gives no random seed.
    Seed(io::Error),
    /// State cannot be kept where it should be.
    Storage(StorageError),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(error) => write!(formatter, "the system gives no random seed ({error})"),
            Self::Open { address } => {
                write!(formatter, "{address} can be reached from other machines, and everybody would be let in")
            }
            Self::NoCertificate { address } => {
                write!(formatter, "{address} is for TLS: name a certificate and its key under tls")
            }
            Self::Setting(error) => error.fmt(formatter),
            Self::Tls(error) => error.fmt(formatter),
            Self::Storage(error) => error.fmt(formatter),
            Self::Address { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => write!(formatter, "{address} is already in use"),
                io::ErrorKind::PermissionDenied => write!(formatter, "{address} is not allowed to this user"),
                io::ErrorKind::AddrNotAvailable => write!(formatter, "{address} is no address of this machine"),
                _ => write!(formatter, "{address} cannot be listened on ({source})"),
            },
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Address { source, .. } | Self::Seed(source) => Some(source),
            Self::Setting(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::Storage(error) => Some(error),
            Self::NoCertificate { .. } | Self::Open { .. } => None,
        }
    }
}
