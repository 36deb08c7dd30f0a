//! What all tests need: requests without redirects or proxy, and the usual sign-in.

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

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// The `error` of a JSON answer.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn location(&self) -> Option<Url> {
        self.header("location").map(|location| Url::parse(location).expect("an absolute location"))
    }

    /// A parameter of the authorization response in the `Location`.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let location = self.location()?;
        location.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }

    /// The first cookie as it is sent back.
    pub(crate) fn cookie(&self) -> Option<String> {
        Some(self.header("set-cookie")?.split(';').next()?.to_owned())
    }
}

pub(crate) fn get(url: &str, headers: Pairs<'_>) -> Answer {
    let request = headers.iter().fold(agent().get(url), |request, (n, v)| request.header(*n, *v));
    read(request.call())
}

pub(crate) fn post(url: &str, headers: Pairs<'_>, form: Pairs<'_>) -> Answer {
    let request = headers.iter().fold(agent().post(url), |request, (n, v)| request.header(*n, *v));
    read(request.send_form(form.iter().copied()))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false).build().new_agent()
}

fn read(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = sent.expect("the server answers");
    let body = response.body_mut().read_to_string().expect("a text body");
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

/// Sends bytes as they are and returns the head and body of the answer.
pub(crate) fn raw(server: &DevServer, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is read");
    answer
}

/// The parameters of a good authorization request, to be spoilt.
#[derive(Clone)]
pub(crate) struct Authorization(Vec<(String, String)>);

impl Authorization {
    pub(crate) fn good() -> Authorization {
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

    /// Adds a parameter, also one that is there already.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Authorization {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn url(&self, server: &DevServer) -> String {
        let query = Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{}/authorize?{query}", server.issuer())
    }

    pub(crate) fn get(&self, server: &DevServer) -> Answer {
        get(&self.url(server), &[])
    }

    /// A code that the robot was given.
    pub(crate) fn code(&self, server: &DevServer) -> String {
        let visit = server.robot().without_landing().visit(&self.url(server)).expect("the robot signs in");
        visit.param("code").expect("a code")
    }
}

/// The value of a hidden field.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split_once('"').unwrap().0.to_owned()
}

pub(crate) fn token(server: &DevServer, form: Pairs<'_>) -> Answer {
    post(&format!("{}/token", server.issuer()), &[], form)
}

pub(crate) fn redeem(server: &DevServer, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    token(server, &form)
}

pub(crate) fn refresh(server: &DevServer, refresh_token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", refresh_token)];
    token(server, &form)
}

/// A device authorization request of `demo`.
pub(crate) fn begin_device(server: &DevServer) -> Value {
    let url = format!("{}/device_authorization", server.issuer());
    let answer = post(&url, &[], &[("client_id", "demo"), ("scope", SCOPE)]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// One poll of `demo`.
pub(crate) fn poll(server: &DevServer, device_code: &str) -> Answer {
    let form = [("grant_type", DEVICE_CODE), ("client_id", "demo"), ("device_code", device_code)];
    token(server, &form)
}

/// The user allows what a device asked for, and the device gets its answer.
pub(crate) fn approved(server: &DevServer, device: &Value) -> Value {
    let visit = server.robot().approve_device(text(device, "verification_uri"), text(device, "user_code"));
    visit.expect("the robot signs in");
    let answer = poll(server, text(device, "device_code"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// The answer of a whole sign-in.
pub(crate) fn sign_in(server: &DevServer) -> Value {
    redeem(server, &Authorization::good().code(server)).json()
}

pub(crate) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}"))
}

pub(crate) fn userinfo(server: &DevServer, access_token: &str) -> Answer {
    let authorization = format!("Bearer {access_token}");
    get(&format!("{}/userinfo", server.issuer()), &[("Authorization", &authorization)])
}

pub(crate) fn is_live(server: &DevServer, access_token: &str) -> bool {
    userinfo(server, access_token).status == 200
}
