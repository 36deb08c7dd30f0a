//! Requests without Hallpass, to see a server's own responses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

/// The response of a server.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Content-Type`; empty where there is none.
    pub content_type: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The status and the body, for responses that are not JSON.
    pub fn pair(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

/// Asks for a document.
pub fn get(url: &str) -> Answer {
    answer(agent().get(url).call())
}

/// Asks with an access token.
pub fn get_as(url: &str, token: &str) -> Answer {
    answer(agent().get(url).header("authorization", format!("Bearer {token}")).call())
}

/// Posts a form.
pub fn post(url: &str, form: &[(&str, &str)]) -> Answer {
    answer(agent().post(url).send_form(form.iter().copied()))
}

/// The header and the claims of a JWT, unverified.
pub fn jwt(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    [(); 2].map(|()| serde_json::from_slice(&parts.next().expect("a part")).expect("JSON"))
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().new_agent()
}

fn answer(result: Result<Response<Body>, ureq::Error>) -> Answer {
    let mut response = result.expect("the server answers");
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    Answer {
        status: response.status().as_u16(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: response.body_mut().read_to_string().expect("a text"),
    }
}
