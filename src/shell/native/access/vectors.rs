//! Holds this host to the vectors that every host is held to.

use super::{
    jwks::Jwks,
    jwt::{TokenFault, Tokens},
    keys::{JwtAlgorithm, Key, Keys},
    names::may_be,
    password::Verifier,
    scope::Scope,
    scram::ClientFirst,
};
use crate::{broker::Grant, codec::QoS, time::Timestamp};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

fn vectors() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/access.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn list<'all>(vectors: &'all Value, name: &str) -> &'all [Value] {
    let list = vectors[name].as_array().unwrap();
    assert!(list.len() > 10);
    list
}

#[tokio::test]
async fn tokens_are_as_good_as_the_vectors_say() {
    let vectors = vectors();
    let now = Timestamp(vectors["now"].as_u64().unwrap() * 1_000);
    for vector in list(&vectors, "tokens") {
        let (name, settings) = (&vector["name"], &vector["jwt"]);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let secret = vector["secret"].as_str().map(|secret| Key::secret(secret.as_bytes()).unwrap());
        let public_key = vector["publicKey"].as_str().map(|key| Key::public(key).unwrap());
        let jwks = (vector["jwks"] == true).then(|| {
            let set: JwkSet = serde_json::from_value(vectors["jwks"].clone()).unwrap();
            Jwks::holding(set.keys)
        });
        // The settings refuse an algorithm that they do not know.
        let algorithms = settings["algorithms"].as_array().map(|names| {
            names.iter().filter_map(|name| serde_json::from_value::<JwtAlgorithm>(name.clone()).ok()).collect()
        });
        let tokens = Tokens {
            keys: Keys::new(secret, public_key, jwks),
            algorithms,
            issuer: text(&settings["issuer"]),
            audience: text(&settings["audience"]),
            leeway_seconds: settings["leewaySeconds"].as_u64().map_or(5, |seconds| seconds as u32),
        };
        let found = tokens.verify(vector["token"].as_str().unwrap(), vector["room"].as_str().unwrap(), now).await;
        let outcome = match found {
            Err(TokenFault::Forged) => json!({ "reason": "0x86" }),
            Err(TokenFault::Unfit | TokenFault::Elsewhere) => json!({ "reason": "0x87" }),
            Err(fault) => panic!("{name}: {fault:?}"),
            Ok(claims) => {
                let expected = &vector["outcome"];
                assert_eq!(expected["userName"], claims.user_name, "{name}");
                let expires_at = (expected["expiresAt"].as_f64().unwrap() * 1_000.0) as u64;
                assert_eq!(claims.expires_at, Timestamp(expires_at), "{name}");
                let grants =
                    expected.get("grants").map(|grants| serde_json::from_value::<Vec<Grant>>(grants.clone()).unwrap());
                assert_eq!(claims.grants, grants, "{name}");
                let client_ids = expected.get("clientIds").map(|ids| serde_json::from_value(ids.clone()).unwrap());
                assert_eq!(claims.client_ids, client_ids, "{name}");
                let scopes = expected["scopes"].as_array().map_or(&[][..], Vec::as_slice);
                let scopes = scopes.iter().map(|name| *Scope::ALL.iter().find(|scope| *name == scope.name()).unwrap());
                assert_eq!(claims.scopes, scopes.collect::<BTreeSet<_>>(), "{name}");
                continue;
            }
        };
        assert_eq!(vector["outcome"], outcome, "{name}");
    }
}

#[test]
fn what_a_grant_leaves_out_is_allowed() {
    let exact: super::names::ExactGrant = serde_json::from_str(r##"{"filter":"#"}"##).unwrap();
    let grant = Grant { filter: "#".try_into().unwrap(), ..Grant::default() };
    assert_eq!(Grant::from(exact), grant);
    assert!(grant.publish && grant.subscribe && grant.retain && grant.maximum_qos == QoS::ExactlyOnce);
}

#[test]
fn passwords_match_as_the_vectors_say() {
    for vector in list(&vectors(), "verifiers") {
        let verifier = Verifier::parse(vector["verifier"].as_str().unwrap());
        let password = vector["password"].as_str().unwrap();
        let matches = verifier.is_some_and(|verifier| verifier.matches(password.as_bytes()));
        assert_eq!(vector["matches"], matches, "{}", vector["name"]);
    }
}

#[test]
fn scram_goes_as_the_vectors_say() {
    for vector in list(&vectors(), "scram") {
        let name = &vector["name"];
        let text = |key: &str| vector[key].as_str();
        let verifier = Verifier::parse(text("verifier").unwrap()).unwrap();
        let Some(first) = ClientFirst::read(text("clientFirst").unwrap().as_bytes()) else {
            assert_eq!(vector["refused"], "first", "{name}");
            continue;
        };
        assert_eq!(first.user_name, text("userName").unwrap_or("user"), "{name}");
        let exchange = first.answer(verifier, text("serverNonce").unwrap());
        assert_eq!(Some(exchange.challenge()), text("serverFirst"), "{name}");
        match exchange.finish(text("clientFinal").unwrap().as_bytes()) {
            Some(answer) => assert_eq!(Some(answer.as_str()), text("serverFinal"), "{name}"),
            None => assert_eq!(vector["refused"], "final", "{name}"),
        }
    }
}

#[test]
fn client_identifiers_are_allowed_as_the_vectors_say() {
    for vector in list(&vectors(), "clientIds") {
        let patterns: Option<Vec<String>> =
            vector.get("patterns").map(|list| serde_json::from_value(list.clone()).unwrap());
        let allowed =
            may_be(vector["clientId"].as_str().unwrap(), vector["userName"].as_str().unwrap(), patterns.as_deref());
        assert_eq!(vector["allowed"], allowed, "{}", vector["name"]);
    }
}
