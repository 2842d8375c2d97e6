//! The secrets of a server. They come from files and the environment, and go nowhere.

use super::{ServerConfig, SettingError};
use std::{env, fmt, fs, path::Path};

/// What nobody but the server may know.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The token of the operator, who may do all over HTTP: at least 32 characters.
    pub admin_token: Option<String>,
    /// What tokens of HS256 are signed with: at least 32 bytes.
    pub jwt_secret: Option<String>,
    /// The public key for tokens of RS256, ES256 or EdDSA, in PEM or as a JWK.
    pub jwt_public_key: Option<String>,
}

impl Secrets {
    /// What the environment says: `MQLITE_ADMIN_TOKEN`, `MQLITE_JWT_SECRET`, `MQLITE_JWT_PUBLIC_KEY`.
    pub fn from_environment() -> Self {
        let find = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
        let [admin_token, jwt_secret, jwt_public_key] =
            ["MQLITE_ADMIN_TOKEN", "MQLITE_JWT_SECRET", "MQLITE_JWT_PUBLIC_KEY"].map(find);
        Self { admin_token, jwt_secret, jwt_public_key }
    }

    /// Those of `config`; where it has none, what the files say that it names.
    ///
    /// # Errors
    /// For each file that cannot be read.
    pub(crate) fn read(config: &ServerConfig) -> Result<Self, Vec<SettingError>> {
        let jwt = config.authentication.as_ref().and_then(|authentication| authentication.jwt.as_ref());
        let secret_file = jwt.and_then(|jwt| jwt.secret_file.as_deref());
        let public_key_file = jwt.and_then(|jwt| jwt.public_key_file.as_deref());
        let mut mistakes = Vec::new();
        let mut find = |own: &Option<String>, file: Option<&Path>, key| {
            let Some(file) = file.filter(|_| own.is_none()) else { return own.clone() };
            match fs::read_to_string(file) {
                Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => {
                    let sentence =
                        format!("names {}, which cannot be read ({error}): name another file", file.display());
                    mistakes.push(SettingError::new(key, sentence));
                    None
                }
            }
        };
        let own = &config.secrets;
        let secrets = Self {
            admin_token: find(&own.admin_token, config.admin_token_file.as_deref(), "adminTokenFile"),
            jwt_secret: find(&own.jwt_secret, secret_file, "authentication.jwt.secretFile"),
            jwt_public_key: find(&own.jwt_public_key, public_key_file, "authentication.jwt.publicKeyFile"),
        };
        if mistakes.is_empty() { Ok(secrets) } else { Err(mistakes) }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secrets").finish_non_exhaustive()
    }
}
