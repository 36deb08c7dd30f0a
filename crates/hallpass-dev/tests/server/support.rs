//! Helpers for all tests: requests without redirects or proxies, and the usual sign-in.

use std::io::{Read, Write};
use std::net::TcpStream;

use hallpass_dev::DevServer;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:50123/callback";
pub(crate) const SCOPE: &str = "openid profile email offline_access";

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn server() -> DevServer {
    DevServer::start().expect("the server starts")
}

pub(crate) struct Response {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }

    /// Returns the `error` of a JSON response.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn location(&self) -> Option<Url> {
        self.header("location").map(|location| Url::parse(location).expect("an absolute location"))
    }

    /// Returns a parameter of the authorization response in the `Location` header.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let location = self.location()?;
        location.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }

    /// Returns the first cookie, as a browser sends it back.
    pub(crate) fn cookie(&self) -> Option<String> {
        Some(self.header("set-cookie")?.split(';').next()?.to_owned())
    }
}

pub(crate) fn get(url: &str, headers: Pairs<'_>) -> Response {
    let request = headers.iter().fold(agent().get(url), |request, (n, v)| request.header(*n, *v));
    read(request.call())
}

pub(crate) fn post(url: &str, headers: Pairs<'_>, form: Pairs<'_>) -> Response {
    let request = headers.iter().fold(agent().post(url), |request, (n, v)| request.header(*n, *v));
    read(request.send_form(form.iter().copied()))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false).build().new_agent()
}

fn read(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Response {
    let mut response = sent.expect("the server responds");
    let body = response.body_mut().read_to_string().expect("a text body");
    Response { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

/// Sends a request as it is and returns the whole response.
pub(crate) fn raw(server: &DevServer, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the server responds");
    response
}

/// The parameters of an authorization request, valid at first, to be modified by tests.
#[derive(Clone)]
pub(crate) struct Authorization(Vec<(String, String)>);

impl Authorization {
    pub(crate) fn valid() -> Authorization {
        let pairs = [
            ("response_type", "code"),
            ("client_id", "demo"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", SCOPE),
            ("state", "s t+a/t=e"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Authorization(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec())
    }

    pub(crate) fn without(mut self, name: &str) -> Authorization {
        self.0.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn with(self, name: &str, value: &str) -> Authorization {
        self.without(name).and(name, value)
    }

    /// Adds a parameter, even if it repeats another one.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Authorization {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn url(&self, server: &DevServer) -> String {
        let query = Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{}/authorize?{query}", server.issuer())
    }

    pub(crate) fn get(&self, server: &DevServer) -> Response {
        get(&self.url(server), &[])
    }

    /// Signs in with the robot and returns its code.
    pub(crate) fn code(&self, server: &DevServer) -> String {
        let visit = server.robot().without_landing().visit(&self.url(server)).expect("the robot signs in");
        visit.param("code").expect("a code")
    }
}

/// Returns the value of a hidden field.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split_once('"').unwrap().0.to_owned()
}

pub(crate) fn token(server: &DevServer, form: Pairs<'_>) -> Response {
    post(&format!("{}/token", server.issuer()), &[], form)
}

pub(crate) fn redeem(server: &DevServer, code: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    token(server, &form)
}

pub(crate) fn refresh(server: &DevServer, refresh_token: &str) -> Response {
    let form = [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", refresh_token)];
    token(server, &form)
}

/// Sends a device authorization request as `demo` and returns the response.
pub(crate) fn begin_device(server: &DevServer) -> Value {
    let url = format!("{}/device_authorization", server.issuer());
    let response = post(&url, &[], &[("client_id", "demo"), ("scope", SCOPE)]);
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

/// Polls once as `demo`.
pub(crate) fn poll(server: &DevServer, device_code: &str) -> Response {
    let form = [("grant_type", DEVICE_CODE), ("client_id", "demo"), ("device_code", device_code)];
    token(server, &form)
}

/// Signs in the device with the robot and returns the token response.
pub(crate) fn approved(server: &DevServer, device: &Value) -> Value {
    let visit = server.robot().approve_device(text(device, "verification_uri"), text(device, "user_code"));
    visit.expect("the robot signs in");
    let response = poll(server, text(device, "device_code"));
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

/// Signs in with the robot and returns the token response.
pub(crate) fn sign_in(server: &DevServer) -> Value {
    redeem(server, &Authorization::valid().code(server)).json()
}

pub(crate) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}"))
}

pub(crate) fn userinfo(server: &DevServer, access_token: &str) -> Response {
    let authorization = format!("Bearer {access_token}");
    get(&format!("{}/userinfo", server.issuer()), &[("Authorization", &authorization)])
}

pub(crate) fn is_live(server: &DevServer, access_token: &str) -> bool {
    userinfo(server, access_token).status == 200
}
