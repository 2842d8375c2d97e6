//! The answer to a client that wants to be let in: at once, or after work that nobody else waits for.

use super::{
    Access, Refusal,
    jwt::{TokenClaims, is_token},
    names::may_be,
    now,
    password::{KEY, SALT, Verifier, sign},
    scram::{ClientFirst, Exchange, SCRAM_SHA_256},
    users::{UserRecord, key_of},
};
use crate::{
    broker::{AuthenticationRequest, AuthenticationStep, Grants, Verdict},
    codec::{Binary, ReasonCode, Text},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{fmt, net::IpAddr, num::NonZeroU32, str, sync::Arc, time::Instant};
use tokio::{spawn, task::spawn_blocking};

/// What is known of a connection besides what its client says in MQTT.
pub(crate) struct Visitor {
    address: IpAddr,
    /// What the token says that came with the upgrade.
    token: Option<Box<Token>>,
    /// An exchange of SCRAM that waits for its last message.
    exchange: Option<Box<Begun>>,
}

/// What a token says that came with an upgrade, and was good then.
#[derive(Debug)]
pub(crate) struct Token(TokenClaims);

/// What becomes of a question.
pub(crate) enum Judgement {
    Now(Verdict),
    /// Letting in counts only while what is kept by this name is this.
    Later(BoxFuture<'static, Verdict>, Option<Basis>),
}

/// What a verdict goes by: a name, and what was kept by it.
pub(crate) type Basis = (String, Option<Bytes>);

struct Begun {
    exchange: Exchange,
    /// `None` for a user who does not exist.
    user: Option<UserRecord>,
    /// Whether the client was let in before.
    is_again: bool,
}

/// What is kept, by name.
type Kept<'kept> = &'kept dyn Fn(&str) -> Option<Bytes>;

impl Visitor {
    pub(crate) fn new(address: IpAddr) -> Self {
        Self { address, token: None, exchange: None }
    }

    /// The request that opened its WebSocket said this.
    pub(crate) fn welcome(&mut self, address: IpAddr, token: Option<Box<Token>>) {
        (self.address, self.token) = (address, token);
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Visitor").field(&self.address).finish()
    }
}

impl Access {
    /// What the token says that an upgrade to WebSocket brought; nothing where tokens are not for MQTT.
    ///
    /// # Errors
    /// When it is not good.
    pub(crate) async fn check_upgrade(&self, token: &str, address: IpAddr) -> Result<Option<Token>, Refusal> {
        if self.tokens.is_none() {
            return Ok(None);
        }
        if self.is_refused(None, address) {
            return Err(Refusal::TooManyFailures);
        }
        self.check_token(token, address).await.map(|claims| Some(Token(claims)))
    }

    /// Whether a client is let in.
    pub(crate) fn judge(
        self: &Arc<Self>,
        request: Box<AuthenticationRequest>,
        visitor: &mut Visitor,
        kept: Kept,
    ) -> Judgement {
        let user_name = request.user_name.as_ref().map(Text::as_str);
        if request.method.is_some() {
            return Judgement::Now(self.exchange(&request, visitor, kept));
        }
        let Some(password) = request.password.clone() else {
            return Judgement::Now(match visitor.token.as_deref() {
                Some(Token(claims)) => self.admit_token(claims, &request),
                None if user_name.is_some() => deny(WRONG_CREDENTIALS),
                None if self.config.anonymous => Verdict::allow(Grants::of(self.config.anonymous_grants.clone())),
                None => deny(NO_CREDENTIALS),
            });
        };
        let (access, address) = (self.clone(), visitor.address);
        let token = str::from_utf8(password.bytes()).ok().filter(|text| self.tokens.is_some() && is_token(text));
        if let Some(token) = token.map(str::to_owned) {
            let work = Box::pin(async move { access.judge_token(&token, address, &request).await });
            return Judgement::Later(work, None);
        }
        let user_name = user_name.unwrap_or_default().to_owned();
        let key = key_of(&user_name);
        let record = kept(&key);
        let user = record.as_ref().and_then(|record| UserRecord::parse(record));
        let work = async move {
            if let Some(user) = &user
                && access.comes_back(&user_name, &password, user, address)
            {
                access.succeeded(&user_name, address);
                return access.admit_user(&user_name, user.clone(), &request, None);
            }
            let Ok(turn) = access.work.clone().acquire_owned().await else { return deny(WRONG_CREDENTIALS) };
            // Work that has begun keeps its turn to the end, and counts, although its client may have gone.
            let work = async move {
                let _turn = turn;
                access.judge_password(&user_name, password, user, address, &request).await
            };
            spawn(work).await.unwrap_or_else(|_| deny(UNAVAILABLE))
        };
        Judgement::Later(Box::pin(work), Some((key, record)))
    }

    async fn judge_token(&self, token: &str, address: IpAddr, request: &AuthenticationRequest) -> Verdict {
        if self.is_refused(None, address) {
            return deny(TOO_MANY_FAILURES);
        }
        match self.check_token(token, address).await {
            Ok(claims) => self.admit_token(&claims, request),
            Err(Refusal::Unfit) => deny(UNFIT),
            Err(Refusal::Elsewhere) => deny(ELSEWHERE),
            Err(Refusal::Unavailable) => deny(UNAVAILABLE),
            Err(_) => deny(WRONG_CREDENTIALS),
        }
    }

    async fn judge_password(
        &self,
        user_name: &str,
        password: Binary,
        user: Option<UserRecord>,
        address: IpAddr,
        request: &AuthenticationRequest,
    ) -> Verdict {
        // Others may have failed while this one waited.
        if self.is_refused(Some(user_name), address) {
            return deny(TOO_MANY_FAILURES);
        }
        let was_proved = user.as_ref().is_some_and(|user| self.was_proved(user_name, &password, user));
        if !was_proved && self.failures().are_too_many(Instant::now()) {
            return deny(TOO_MANY_FAILURES);
        }
        let is_proved = was_proved || self.proves(user_name, &password, user.as_ref()).await;
        match user {
            Some(user) if is_proved => {
                self.succeeded(user_name, address);
                self.admit_user(user_name, user, request, None)
            }
            _ => {
                self.failures().failed(Some(user_name), address, Instant::now());
                deny(WRONG_CREDENTIALS)
            }
        }
    }

    /// Whether somebody need not wait for a turn, whose password was right before. Of such looks there are as few as of failures:
    /// who tries many passwords at once finds none before each has had its turn, and has counted.
    fn comes_back(&self, user_name: &str, password: &Binary, user: &UserRecord, address: IpAddr) -> bool {
        let (name, now) = (Some(user_name), Instant::now());
        if self.is_refused(name, address) || self.looks().is_refused(name, address, now) {
            return false;
        }
        let was_proved = self.was_proved(user_name, password, user);
        if !was_proved {
            self.looks().failed(name, address, now);
        }
        was_proved
    }

    fn succeeded(&self, user_name: &str, address: IpAddr) {
        self.failures().succeeded(user_name, address, Instant::now());
        self.looks().succeeded(user_name, address, Instant::now());
    }

    /// Whether this password was right before.
    fn was_proved(&self, user_name: &str, password: &Binary, user: &UserRecord) -> bool {
        self.proved().is(user_name, &user.verifier, password.bytes())
    }

    /// Does for a user who does not exist, or has no verifier that can be read, what it does for others.
    async fn proves(&self, user_name: &str, password: &Binary, user: Option<&UserRecord>) -> bool {
        let text = user.map_or("", |user| &user.verifier);
        let verifier = Verifier::parse(text);
        let is_known = verifier.is_some();
        let verifier = verifier.unwrap_or_else(|| Verifier::decoy(self.iterations(), vec![0; SALT]));
        let secret = password.clone();
        let matches = spawn_blocking(move || verifier.matches(secret.bytes())).await.unwrap_or_default();
        if matches && is_known {
            self.proved().remember(user_name, text, password.bytes());
        }
        matches && is_known
    }

    /// One step of SCRAM, which takes no work that is worth waiting for.
    fn exchange(&self, request: &AuthenticationRequest, visitor: &mut Visitor, kept: Kept) -> Verdict {
        if request.method.as_ref().map(Text::as_str) != Some(SCRAM_SHA_256) {
            return deny(BAD_METHOD);
        }
        let data = request.data.as_ref().map_or(&[][..], |data| data.bytes());
        let begun = visitor.exchange.take();
        if request.step == AuthenticationStep::Continue {
            return match begun {
                Some(begun) => self.finish(*begun, data, request, visitor.address, kept),
                None => deny(NOT_PROVED_AGAIN),
            };
        }
        let is_again = request.step == AuthenticationStep::ReAuthenticate;
        let Some(first) = ClientFirst::read(data) else {
            return if is_again { deny(NOT_PROVED_AGAIN) } else { deny(WRONG_CREDENTIALS) };
        };
        if self.is_refused(Some(&first.user_name), visitor.address) {
            return deny(TOO_MANY_FAILURES);
        }
        let user = find(&first.user_name, kept);
        let verifier = user.as_ref().and_then(|user| Verifier::parse(&user.verifier));
        let user = user.filter(|_| verifier.is_some());
        let verifier = verifier.unwrap_or_else(|| self.decoy_of(&first.user_name, kept));
        let mut nonce = [0; NONCE];
        if getrandom::fill(&mut nonce).is_err() {
            return deny(UNAVAILABLE);
        }
        let exchange = first.answer(verifier, &BASE64_STANDARD.encode(nonce));
        let data = binary(exchange.challenge());
        visitor.exchange = Some(Box::new(Begun { exchange, user, is_again }));
        Verdict::Continue { data }
    }

    fn finish(
        &self,
        begun: Begun,
        data: &[u8],
        request: &AuthenticationRequest,
        address: IpAddr,
        kept: Kept,
    ) -> Verdict {
        let Begun { exchange, user, is_again } = begun;
        let user_name = exchange.user_name.clone();
        // Who has been removed meanwhile, or has another password, has proved nothing.
        let user = find(&user_name, kept).filter(|now| user.is_some_and(|then| then.verifier == now.verifier));
        if self.is_refused(Some(&user_name), address) {
            return deny(TOO_MANY_FAILURES);
        }
        let (Some(answer), Some(user)) = (exchange.finish(data), user) else {
            self.failures().failed(Some(&user_name), address, Instant::now());
            return if is_again { deny(NOT_PROVED_AGAIN) } else { deny(WRONG_CREDENTIALS) };
        };
        self.failures().succeeded(&user_name, address, Instant::now());
        self.admit_user(&user_name, user, request, binary(&answer))
    }

    /// The same salt whenever somebody asks for this name, as users have: else it would tell that there is no such user.
    fn decoy_of(&self, user_name: &str, kept: Kept) -> Verifier {
        let salt = sign(&kept(SECRET).unwrap_or_default(), user_name.as_bytes());
        Verifier::decoy(self.iterations(), salt[..SALT].to_vec())
    }

    /// Whoever is known still needs a Client Identifier that is theirs.
    fn admit_user(
        &self,
        user_name: &str,
        user: UserRecord,
        request: &AuthenticationRequest,
        data: Option<Binary>,
    ) -> Verdict {
        let UserRecord { grants, client_ids, .. } = user;
        if !may_be(request.client_id.as_str(), user_name, client_ids.as_deref()) {
            return deny(WRONG_CLIENT_ID);
        }
        let grants = Grants::of(grants.unwrap_or_else(|| self.config.grants.clone()));
        match Text::try_from(user_name) {
            Ok(name) => Verdict::Allow { grants, data, user_name: Some(name), expires_at: None },
            Err(_) => deny(WRONG_CREDENTIALS),
        }
    }

    fn admit_token(&self, claims: &TokenClaims, request: &AuthenticationRequest) -> Verdict {
        let TokenClaims { user_name, expires_at, grants, client_ids, .. } = claims;
        if *expires_at <= now() {
            return deny(UNFIT);
        }
        if !may_be(request.client_id.as_str(), user_name, client_ids.as_deref()) {
            return deny(WRONG_CLIENT_ID);
        }
        let grants = Grants::of(grants.clone().unwrap_or_else(|| self.config.grants.clone()));
        match Text::try_from(user_name.as_str()) {
            Ok(name) => Verdict::Allow { grants, data: None, user_name: Some(name), expires_at: Some(*expires_at) },
            Err(_) => deny(UNFIT),
        }
    }

    fn iterations(&self) -> NonZeroU32 {
        NonZeroU32::new(self.config.password_iterations).unwrap_or(NonZeroU32::MIN)
    }
}

fn find(user_name: &str, kept: Kept) -> Option<UserRecord> {
    kept(&key_of(user_name)).and_then(|value| UserRecord::parse(&value))
}

fn binary(text: &str) -> Option<Binary> {
    Binary::try_from(text.as_bytes().to_vec()).ok()
}

fn deny((reason, message): Denial) -> Verdict {
    Verdict::Deny { reason, message: Some(Text::from_static(message)) }
}

/// A Reason Code, and a sentence for the client.
type Denial = (ReasonCode, &'static str);

const NO_CREDENTIALS: Denial = (ReasonCode::NotAuthorized, "bring a user name and a password, or a token");
/// Whatever was wrong with them: who tries others learns nothing.
const WRONG_CREDENTIALS: Denial = (ReasonCode::BadUserNameOrPassword, "the user name or the password is wrong");
const WRONG_CLIENT_ID: Denial = (ReasonCode::ClientIdentifierNotValid, "this user may not have this Client Identifier");
const BAD_METHOD: Denial =
    (ReasonCode::BadAuthenticationMethod, "the only method of enhanced authentication here is SCRAM-SHA-256");
const NOT_PROVED_AGAIN: Denial = (ReasonCode::NotAuthorized, "the authentication failed");
const TOO_MANY_FAILURES: Denial = (ReasonCode::ConnectionRateExceeded, "too many attempts have failed: wait a minute");
const UNFIT: Denial = (ReasonCode::NotAuthorized, "the token has expired, or is for somebody else");
const ELSEWHERE: Denial = (ReasonCode::NotAuthorized, "the token is for other rooms");
const UNAVAILABLE: Denial = (ReasonCode::ServerUnavailable, "this cannot be checked just now: try again");

/// Bytes of our part of a nonce.
const NONCE: usize = 18;
/// What the secret is kept as that salts those who do not exist.
pub(crate) const SECRET: &str = "access/secret";
/// Its bytes.
pub(crate) const SECRET_BYTES: usize = KEY;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::native::{
        access::password::create_verifier,
        settings::{AuthenticationConfig, Secrets, ServerConfig},
    };
    use futures::FutureExt;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn access() -> Arc<Access> {
        let authentication = AuthenticationConfig { failures_per_minute: 3, ..Default::default() };
        let config = ServerConfig { authentication: Some(authentication), ..Default::default() };
        Arc::new(Access::new(&config, &Secrets::default()).unwrap())
    }

    /// What becomes of somebody who says this, where `ada` alone has a password, `right`.
    fn asks(access: &Arc<Access>, user_name: &str, password: &str, address: IpAddr) -> BoxFuture<'static, Verdict> {
        let request = AuthenticationRequest {
            step: AuthenticationStep::Connect,
            client_id: Text::default(),
            user_name: Some(Text::try_from(user_name).unwrap()),
            password: binary(password),
            method: None,
            data: None,
        };
        let verifier = || create_verifier("right", NonZeroU32::new(4_096).unwrap(), [1; SALT]).unwrap();
        let kept = |key: &str| (key == key_of("ada")).then(|| format!("{{\"verifier\":\"{}\"}}", verifier()).into());
        match access.judge(Box::new(request), &mut Visitor::new(address), &kept) {
            Judgement::Later(verdict, _) => verdict,
            Judgement::Now(verdict) => panic!("{verdict:?}"),
        }
    }

    fn is_let_in(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Allow { .. })
    }

    #[tokio::test]
    async fn a_password_that_was_right_before_does_not_wait_for_guesses() {
        let access = access();
        let everybody = access.work.clone().acquire_many_owned(access.work.available_permits() as u32).await.unwrap();
        // As long as it was not proved, it waits as any other.
        let mut first = asks(&access, "ada", "right", HERE);
        assert!((&mut first).now_or_never().is_none());
        drop(everybody);
        assert!(is_let_in(&first.await));
        let _everybody = access.work.clone().acquire_many_owned(access.work.available_permits() as u32).await.unwrap();
        let again = asks(&access, "ada", "right", HERE).now_or_never();
        assert!(again.is_some_and(|verdict| is_let_in(&verdict)));
        assert!(asks(&access, "ada", "wrong", HERE).now_or_never().is_none());
        assert!(asks(&access, "eve", "right", HERE).now_or_never().is_none());
    }

    #[tokio::test]
    async fn who_guesses_many_at_once_waits_even_if_one_is_right() {
        let access = access();
        assert!(is_let_in(&asks(&access, "ada", "right", HERE).await));
        let _everybody = access.work.clone().acquire_many_owned(access.work.available_permits() as u32).await.unwrap();
        for guess in ["1", "2", "3"] {
            assert!(asks(&access, "ada", guess, THERE).now_or_never().is_none());
        }
        assert!(asks(&access, "ada", "right", THERE).now_or_never().is_none());
        assert!(asks(&access, "ada", "right", HERE).now_or_never().is_some_and(|verdict| is_let_in(&verdict)));
    }
}
