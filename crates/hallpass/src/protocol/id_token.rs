//! ID tokens (OpenID Connect Core §2) and their validation (§3.1.3.7), in two steps: [`UnverifiedIdToken::parse`] reads
//! the token, and [`verify`](UnverifiedIdToken::verify) checks signature and claims.
//!
//! The signature is always checked, although the standard lets clients skip that for tokens that come directly from the
//! token endpoint.
//!
//! ```no_run
//! use hallpass::Secret;
//! use hallpass::protocol::id_token::{Expectations, UnverifiedIdToken};
//! use hallpass::protocol::jwk::JwkSet;
//!
//! # fn main() -> Result<(), hallpass::error::ServerMisbehaved> {
//! # let (id_token, access_token, jwks) = (Secret::new(String::new()), Secret::new(String::new()), vec![]);
//! let id_token = UnverifiedIdToken::parse(&id_token)?;
//! let keys = JwkSet::parse(&jwks)?;
//! let claims = id_token.verify(&keys, &Expectations {
//!     issuer: "https://login.example",
//!     client_id: "mytool",
//!     nonce: Some("the nonce of the authorization request"),
//!     max_age: None,
//!     access_token: Some(&access_token),
//!     now: std::time::SystemTime::now(),
//! })?;
//! println!("{}", claims.sub);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::issuer::{escaped, for_tenant};
use super::json;
use crate::Secret;
use crate::crypto;
use crate::error::ServerMisbehaved;
use crate::protocol::jwk::{Alg, JwkSet};

/// The longest accepted ID token. Tokens with hundreds of group names reach 16 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// How far this computer's clock may be ahead of or behind the server's. After sleep, the clocks of laptops and virtual
/// machines are wrong by minutes, and a strict comparison would refuse a sign-in that has just succeeded. The times are
/// not needed against replay, which the nonce and the single use of the code prevent.
const LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The longest accepted `sub`, in characters (OpenID Connect Core §2).
const MAX_SUB_CHARS: usize = 255;

/// The last second of the year 9999, the latest time in RFC 3339 format. Servers that mean "never" send larger numbers,
/// which are cut to it.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The values that an ID token must match.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// The issuer of the metadata, compared byte for byte.
    pub issuer: &'a str,
    /// The client ID.
    pub client_id: &'a str,
    /// The `nonce` of the authorization request. `None` after a refresh, when the claim is not checked because many
    /// servers leave it out (OpenID Connect Core §12.2).
    pub nonce: Option<&'a str>,
    /// The `max_age` of the authorization request, if it had one.
    pub max_age: Option<Duration>,
    /// The access token of the same response, to check `at_hash`. If `None`, the claim is not checked.
    pub access_token: Option<&'a Secret>,
    /// The current time.
    pub now: SystemTime,
}

/// The claims of an ID token (OpenID Connect Core §2).
///
/// Claims from [`UnverifiedIdToken::verify`] are verified; claims from [`UnverifiedIdToken::claims`] are not. Times are cut
/// to whole seconds and to the years 1970 to 9999.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The user's identifier, of 1 to 255 characters. It is unique at the issuer and never reassigned.
    pub sub: String,
    /// The audience: the clients that the token is for. A single string counts as a list of one.
    pub aud: Vec<String>,
    /// The authorized party: the client that the token was issued to.
    pub azp: Option<String>,
    /// The expiration time.
    pub exp: SystemTime,
    /// The time of issue.
    pub iat: SystemTime,
    /// The time before which the token is not valid (RFC 7519 §4.1.5).
    pub nbf: Option<SystemTime>,
    /// The time when the user last authenticated.
    pub auth_time: Option<SystemTime>,
    /// The `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// The left half of the access token's hash, in base64url (OpenID Connect Core §3.1.3.6).
    pub at_hash: Option<String>,
    /// All claims of the token, including those above.
    pub all: Map<String, Value>,
}

impl fmt::Debug for IdTokenClaims {
    /// Leaves out `nonce`, `at_hash` and the values in `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenClaims")
            .field("iss", &self.iss)
            .field("sub", &self.sub)
            .field("aud", &self.aud)
            .field("azp", &self.azp)
            .field("exp", &self.exp)
            .field("iat", &self.iat)
            .field("nbf", &self.nbf)
            .field("auth_time", &self.auth_time)
            .field("all", &self.all.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// An ID token that was parsed but not verified. It may be forged.
#[derive(Clone)]
pub struct UnverifiedIdToken {
    alg: Alg,
    kid: Option<String>,
    claims: IdTokenClaims,
    /// The encoded header and claims, which the signature covers (RFC 7515 §5.2, step 8).
    signing_input: Secret,
    signature: Vec<u8>,
}

impl fmt::Debug for UnverifiedIdToken {
    /// Leaves out the signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedIdToken")
            .field("alg", &self.alg)
            .field("kid", &self.kid)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

impl UnverifiedIdToken {
    /// Parses a JWS in compact form (RFC 7515 §7.1) whose payload is a JSON object of claims.
    ///
    /// The header's `jku`, `jwk`, `x5u` and `x5c` are ignored: keys come only from the issuer's JWKS.
    ///
    /// # Errors
    /// - [`IdTokenMalformed`](ServerMisbehaved::IdTokenMalformed) for a token larger than 64 KiB, without exactly three
    ///   parts, with another encoding than strict base64url (RFC 7515 §2), or with duplicate members
    /// - [`IdTokenAlg`](ServerMisbehaved::IdTokenAlg) for an algorithm that is not an [`Alg`]
    /// - [`IdTokenHeader`](ServerMisbehaved::IdTokenHeader) for a `typ` of another kind of token, `crit` or `b64: false`
    /// - [`IdTokenClaim`](ServerMisbehaved::IdTokenClaim) for a required claim that is missing, or a claim of
    ///   [`IdTokenClaims`] with the wrong type, `null` included
    pub fn parse(raw: &Secret) -> Result<UnverifiedIdToken, ServerMisbehaved> {
        let raw = raw.expose();
        if raw.len() > MAX_BYTES {
            return Err(ServerMisbehaved::IdTokenMalformed("larger than 64 KiB"));
        }
        let (signing_input, [header, claims, signature]) = split(raw)?;
        let (alg, kid) = parse_header(header)?;
        Ok(UnverifiedIdToken {
            alg,
            kid,
            claims: IdTokenClaims::parse(claims)?,
            signing_input: Secret::new(signing_input.to_owned()),
            signature: decode(signature)?,
        })
    }

    /// The signature algorithm in the header.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The ID of the signing key in the header (RFC 7515 §4.1.4).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The claims. **They are not verified**: do not show them, and use them only to refuse the token, as
    /// [`contradicts`](UnverifiedIdToken::contradicts) does.
    pub fn claims(&self) -> &IdTokenClaims {
        &self.claims
    }

    /// Whether any key of the set may have signed this token. If not, fetch the JWKS again, once, before calling
    /// [`verify`](UnverifiedIdToken::verify): the server may have changed its keys (OpenID Connect Core §10.1.1).
    pub fn has_key_in(&self, keys: &JwkSet) -> bool {
        !keys.candidates(self.kid(), self.alg).is_empty()
    }

    /// Returns an error if the token of a refresh response is for another issuer, user or client than the refreshed
    /// session (OpenID Connect Core §12.2). This needs no key, so that it can be called before the new refresh token is
    /// saved. `None` does not mean that the token is valid.
    pub fn contradicts(&self, issuer: &str, sub: &str, client_id: &str) -> Option<ServerMisbehaved> {
        self.claims.judge_same_session(issuer, sub, client_id).err()
    }

    /// Verifies key, signature and claims, in this order (OpenID Connect Core §3.1.3.7). All times have a leeway of five
    /// minutes.
    ///
    /// # Errors
    /// [`IdTokenKey`](ServerMisbehaved::IdTokenKey) if no key of the set fits (see
    /// [`has_key_in`](UnverifiedIdToken::has_key_in)); for all other checks, the variant of [`ServerMisbehaved`] that is
    /// named after it.
    pub fn verify(
        self,
        keys: &JwkSet,
        expected: &Expectations<'_>,
    ) -> Result<IdTokenClaims, ServerMisbehaved> {
        self.judge_signature(keys)?;
        let claims = &self.claims;
        claims.judge_iss(expected.issuer)?;
        claims.judge_aud(expected.client_id)?;
        claims.judge_azp(expected.client_id)?;
        claims.judge_times(expected.now)?;
        claims.judge_nonce(expected.nonce)?;
        claims.judge_auth_time(expected.max_age)?;
        claims.judge_at_hash(self.alg, expected.access_token)?;
        Ok(self.claims)
    }

    fn judge_signature(&self, keys: &JwkSet) -> Result<(), ServerMisbehaved> {
        let candidates = keys.candidates(self.kid(), self.alg);
        if candidates.is_empty() {
            return Err(ServerMisbehaved::IdTokenKey);
        }
        let message = self.signing_input.expose().as_bytes();
        if !candidates.iter().any(|key| key.verify(self.alg, message, &self.signature)) {
            return Err(ServerMisbehaved::IdTokenSignature);
        }
        Ok(())
    }
}

/// Splits a token into the signing input and its three parts.
fn split(raw: &str) -> Result<(&str, [&str; 3]), ServerMisbehaved> {
    let mut parts = raw.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None) => {
            Ok((&raw[..header.len() + 1 + claims.len()], [header, claims, signature]))
        }
        _ => Err(ServerMisbehaved::IdTokenMalformed("not three parts")),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, ServerMisbehaved> {
    crypto::from_base64url(part).ok_or(ServerMisbehaved::IdTokenMalformed("not base64url"))
}

/// Parses the header into `alg` and `kid`.
fn parse_header(part: &str) -> Result<(Alg, Option<String>), ServerMisbehaved> {
    let header = json::object(&decode(part)?).map_err(|_| {
        ServerMisbehaved::IdTokenMalformed("the header is not a JSON object with unique members")
    })?;
    let text = |name| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(ServerMisbehaved::IdTokenHeader(name)),
    };
    let alg = text("alg")?.ok_or(ServerMisbehaved::IdTokenHeader("alg"))?.parse()?;
    // Media types ignore case, and `application/` may be left out (RFC 7515 §4.1.9). Every other kind of token has a type
    // of its own: `at+jwt`, `logout+jwt`, `dpop+jwt` (RFC 8725 §3.11).
    let typ = text("typ")?.unwrap_or("JWT");
    if !typ.eq_ignore_ascii_case("JWT") && !typ.eq_ignore_ascii_case("application/jwt") {
        return Err(ServerMisbehaved::IdTokenHeader("typ"));
    }
    // `crit` lists the extensions that must be understood. None is supported here.
    if header.contains_key("crit") {
        return Err(ServerMisbehaved::IdTokenHeader("crit"));
    }
    // With `b64: false`, the signature would cover the unencoded payload (RFC 7797).
    if header.get("b64").is_some_and(|b64| *b64 != true) {
        return Err(ServerMisbehaved::IdTokenHeader("b64"));
    }
    Ok((alg, text("kid")?.map(str::to_owned)))
}

impl IdTokenClaims {
    fn parse(part: &str) -> Result<IdTokenClaims, ServerMisbehaved> {
        let all = json::object(&decode(part)?).map_err(malformed_claims)?;
        Ok(IdTokenClaims {
            iss: required(&all, "iss", text)?,
            sub: required(&all, "sub", subject)?,
            aud: required(&all, "aud", audience)?,
            azp: optional(&all, "azp", text)?,
            exp: required(&all, "exp", numeric_date)?,
            iat: required(&all, "iat", numeric_date)?,
            nbf: optional(&all, "nbf", numeric_date)?,
            auth_time: optional(&all, "auth_time", numeric_date)?,
            nonce: optional(&all, "nonce", text)?,
            at_hash: optional(&all, "at_hash", text)?,
            all,
        })
    }

    fn judge_same_session(&self, issuer: &str, sub: &str, client_id: &str) -> Result<(), ServerMisbehaved> {
        self.judge_iss(issuer)?;
        if self.sub != sub {
            return Err(ServerMisbehaved::IdTokenSub);
        }
        self.judge_aud(client_id)?;
        self.judge_azp(client_id)
    }

    /// Compares the issuer byte for byte, without normalizing URLs (OpenID Connect Core §3.1.3.7, 2).
    fn judge_iss(&self, issuer: &str) -> Result<(), ServerMisbehaved> {
        let expected = for_tenant(issuer, &self.all);
        if self.iss == expected {
            return Ok(());
        }
        let found = escaped(&self.iss);
        Err(ServerMisbehaved::IdTokenIss { expected: expected.into_owned(), found })
    }

    /// Requires this client to be the only audience. Another audience could have passed its token on to us (OpenID Connect
    /// Core §3.1.3.7, 3).
    fn judge_aud(&self, client_id: &str) -> Result<(), ServerMisbehaved> {
        if self.aud.is_empty() || self.aud.iter().any(|aud| aud != client_id) {
            return Err(ServerMisbehaved::IdTokenAud);
        }
        Ok(())
    }

    /// Checks `azp` (OpenID Connect Core §3.1.3.7, 4 and 5).
    fn judge_azp(&self, client_id: &str) -> Result<(), ServerMisbehaved> {
        match &self.azp {
            Some(azp) if azp == client_id => Ok(()),
            None if self.aud.len() == 1 => Ok(()),
            _ => Err(ServerMisbehaved::IdTokenAzp),
        }
    }

    /// Checks `exp`, `iat` and `nbf` (OpenID Connect Core §3.1.3.7, 9 and 10; RFC 7519 §4.1.5).
    fn judge_times(&self, now: SystemTime) -> Result<(), ServerMisbehaved> {
        if let Some(ago) = since(self.exp, now).filter(|ago| *ago >= LEEWAY) {
            return Err(ServerMisbehaved::IdTokenExpired { ago, skew: None });
        }
        for start in [Some(self.iat), self.nbf].into_iter().flatten() {
            if let Some(ahead) = since(now, start).filter(|ahead| *ahead > LEEWAY) {
                return Err(ServerMisbehaved::IdTokenFromFuture { ahead, skew: None });
            }
        }
        Ok(())
    }

    /// Checks `nonce`, which must not be missing (OpenID Connect Core §3.1.3.7, 11).
    fn judge_nonce(&self, expected: Option<&str>) -> Result<(), ServerMisbehaved> {
        if expected.is_some() && self.nonce.as_deref() != expected {
            return Err(ServerMisbehaved::IdTokenNonce);
        }
        Ok(())
    }

    /// Checks `auth_time` against the requested `max_age` (OpenID Connect Core §3.1.3.7, 13). It is compared with `iat`,
    /// not with this computer's clock; the leeway is for the time that the user spends on the consent page.
    fn judge_auth_time(&self, max_age: Option<Duration>) -> Result<(), ServerMisbehaved> {
        let Some(max_age) = max_age else { return Ok(()) };
        let auth_time = self.auth_time.ok_or(ServerMisbehaved::IdTokenClaim("auth_time"))?;
        match since(auth_time, self.iat).filter(|ago| *ago > max_age.saturating_add(LEEWAY)) {
            Some(ago) => Err(ServerMisbehaved::IdTokenAuthTime(ago)),
            None => Ok(()),
        }
    }

    /// Checks `at_hash`, the left half of the access token's hash, if both are present (OpenID Connect Core §3.1.3.8).
    fn judge_at_hash(&self, alg: Alg, access_token: Option<&Secret>) -> Result<(), ServerMisbehaved> {
        let (Some(at_hash), Some(access_token)) = (&self.at_hash, access_token) else {
            return Ok(());
        };
        let hash = alg.sha2().hash(access_token.expose().as_bytes());
        if *at_hash != crypto::to_base64url(&hash[..hash.len() / 2]) {
            return Err(ServerMisbehaved::IdTokenAtHash);
        }
        Ok(())
    }
}

/// Returns the time from `earlier` to `later` in whole seconds, for error messages. `None` if `earlier` is the later one.
fn since(earlier: SystemTime, later: SystemTime) -> Option<Duration> {
    later.duration_since(earlier).ok().map(|time| Duration::from_secs(time.as_secs()))
}

type Claims = Map<String, Value>;

/// Reads a claim that may be missing. One with a wrong type, `null` included, is an error: to treat it as missing would
/// skip its check (CVE-2026-25537).
fn optional<T>(
    all: &Claims,
    name: &'static str,
    read: fn(&Value) -> Option<T>,
) -> Result<Option<T>, ServerMisbehaved> {
    all.get(name).map(|value| read(value).ok_or(ServerMisbehaved::IdTokenClaim(name))).transpose()
}

fn required<T>(
    all: &Claims,
    name: &'static str,
    read: fn(&Value) -> Option<T>,
) -> Result<T, ServerMisbehaved> {
    optional(all, name, read)?.ok_or(ServerMisbehaved::IdTokenClaim(name))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn subject(value: &Value) -> Option<String> {
    text(value).filter(|sub| !sub.is_empty() && sub.chars().count() <= MAX_SUB_CHARS)
}

fn audience(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        _ => Some(vec![text(value)?]),
    }
}

/// Reads a time in seconds since 1970, possibly with a fraction (RFC 7519 §2).
fn numeric_date(value: &Value) -> Option<SystemTime> {
    let seconds = value.as_f64()?.clamp(0.0, LAST_SECOND);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds as u64))
}

/// Names the claim in which parsing failed if it is a time: a number such as `1e400` is too large for the parser.
fn malformed_claims(member: Option<String>) -> ServerMisbehaved {
    const NUMBERS: [&str; 4] = ["exp", "iat", "nbf", "auth_time"];
    match NUMBERS.into_iter().find(|name| member.as_deref() == Some(name)) {
        Some(name) => ServerMisbehaved::IdTokenClaim(name),
        None => ServerMisbehaved::IdTokenMalformed("the claims are not a JSON object with unique members"),
    }
}

#[cfg(test)]
mod tests;
