//! Userinfo responses (OpenID Connect Core §5.3) and profile claims.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json;
use crate::error::ServerMisbehaved;

/// Judges a userinfo response: a JSON object with a `sub`, which must be that of the ID token if there is one
/// (OpenID Connect Core §5.3.2). `names` are those of [`rename`]. Signed and encrypted responses (`application/jwt`) are
/// not supported.
///
/// # Errors
/// [`ServerMisbehaved::Userinfo`] if it is not a JSON object, and [`ServerMisbehaved::UserinfoSub`] if the `sub` is missing
/// or differs.
pub fn judge(
    body: &[u8],
    names: &BTreeMap<String, String>,
    expected_sub: Option<&str>,
) -> Result<Map<String, Value>, ServerMisbehaved> {
    let mut claims = json::object(body)
        .map_err(|_| ServerMisbehaved::Userinfo("not a JSON object with unique members".to_owned()))?;
    rename(&mut claims, names);
    match (claims.get("sub").and_then(Value::as_str), expected_sub) {
        (None | Some(""), _) => Err(ServerMisbehaved::UserinfoSub),
        (Some(sub), Some(expected)) if sub != expected => Err(ServerMisbehaved::UserinfoSub),
        _ => Ok(claims),
    }
}

/// Adds claims under their standard names if the server uses other names. `names` maps standard names to the server's.
/// Numbers are converted to text.
pub fn rename(claims: &mut Map<String, Value>, names: &BTreeMap<String, String>) {
    for (standard, own) in names {
        let value = match claims.get(own) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => continue,
        };
        claims.entry(standard.clone()).or_insert(Value::String(value));
    }
}

/// Whether a userinfo request is needed because the claims lack an email address or name that the scopes include (OpenID
/// Connect Core §5.4).
pub fn is_needed(scopes: &[String], claims: &Map<String, Value>) -> bool {
    const NAMES: [&str; 5] = ["name", "given_name", "family_name", "preferred_username", "nickname"];
    let has_scope = |scope: &str| scopes.iter().any(|s| s == scope);
    (has_scope("email") && !claims.contains_key("email"))
        || (has_scope("profile") && !NAMES.iter().any(|name| claims.contains_key(*name)))
}

/// Returns the claims about the user, without those of the protocol.
pub fn profile_claims(mut claims: Map<String, Value>) -> Map<String, Value> {
    const PROTOCOL: [&str; 15] = [
        "iss",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "azp",
        "nonce",
        "at_hash",
        "c_hash",
        "s_hash",
        "auth_time",
        "acr",
        "amr",
        "sid",
    ];
    claims.retain(|name, _| !PROTOCOL.contains(&name.as_str()));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    fn names(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn the_servers_own_names_replace_the_standard_ones() {
        let github = names(&[("sub", "id"), ("preferred_username", "login")]);
        let claims = judge(br#"{"id":583231,"login":"octocat"}"#, &github, Some("583231")).unwrap();
        assert_eq!(claims["preferred_username"], "octocat");
        let both = judge(br#"{"sub":"1","id":2}"#, &github, None).unwrap();
        assert_eq!(both["sub"], "1");
        assert_eq!(judge(br#"{"id":[1]}"#, &github, None), Err(ServerMisbehaved::UserinfoSub));
    }

    #[test]
    fn n68_the_sub_must_be_present_and_the_same() {
        assert!(judge(br#"{"sub":"1","email":"a@b"}"#, &names(&[]), Some("1")).is_ok());
        assert!(judge(br#"{"sub":"1"}"#, &names(&[]), None).is_ok());
        for body in [r#"{"sub":"2"}"#, r#"{"sub":""}"#, r#"{"sub":1}"#, "{}"] {
            assert_eq!(judge(body.as_bytes(), &names(&[]), Some("1")), Err(ServerMisbehaved::UserinfoSub));
        }
        for body in ["", "<html>", "[]", "eyJhbGciOi.x.y", r#"{"sub":"2","sub":"1"}"#] {
            assert!(matches!(judge(body.as_bytes(), &names(&[]), None), Err(ServerMisbehaved::Userinfo(_))));
        }
    }

    #[test]
    fn userinfo_is_requested_only_for_claims_that_the_id_token_lacks() {
        let scopes = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(!is_needed(&scopes("openid"), &claims("{}")));
        assert!(is_needed(&scopes("openid email"), &claims("{}")));
        assert!(!is_needed(&scopes("openid email profile"), &claims(r#"{"email":"a","given_name":"b"}"#)));
        assert!(is_needed(&scopes("openid email profile"), &claims(r#"{"email":"a"}"#)));
    }

    #[test]
    fn profile_claims_have_no_protocol_claims() {
        let shown = profile_claims(claims(
            r#"{"sub":"1","iss":"i","aud":"a","exp":1,"nonce":"n","at_hash":"h","email":"e"}"#,
        ));
        assert_eq!(Value::Object(shown), serde_json::json!({"sub":"1","email":"e"}));
    }
}
