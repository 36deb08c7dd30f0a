//! The pages that a sign-in shows in the browser, as text.

use hallpass_dev::DevServer;
use hallpass_test::command::{browse, callback, param, visit};

use super::Transcript;
use crate::new_sandbox;

#[test]
fn pages_of_the_callback() {
    let mut transcript = Transcript::default();
    for query in [
        "error=access_denied&state={state}",
        "error=invalid_scope&error_description=too+much&state={state}",
        "state={state}",
    ] {
        let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
        let (_, page) = sandbox.login_at(&server, &[]).play(|url| browse(&callback(url, query)).unwrap());
        transcript.about(&format!("{} {query}", page.status));
        transcript.push(&text(&page.body));
    }
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    let (_, pages) = sandbox.login_at(&server, &[]).play(|url| {
        let redirect_uri = param(url, "redirect_uri").unwrap();
        let stray =
            ["", "?code=x&state=other", "x"].map(|end| browse(&format!("{redirect_uri}{end}")).unwrap());
        visit(&server, url);
        stray
    });
    for page in pages {
        transcript.about(&page.status.to_string());
        transcript.push(&text(&page.body));
    }
    let (_, done) = sandbox.login(&[]).play(|url| {
        let landed = server.robot().without_landing().visit(url).unwrap().landed;
        browse(landed.as_str()).unwrap()
    });
    transcript.about(&done.status.to_string());
    transcript.push(&text(&done.body));
    transcript.check("pages-callback");
}

#[test]
fn pages_of_the_development_server() {
    let (server, mut transcript) = (DevServer::start().unwrap(), Transcript::default());
    let issuer = server.issuer();
    let request = "response_type=code&client_id=demo&redirect_uri=http://127.0.0.1:5/callback&scope=openid%20email\
                   &state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    for path in [
        "/".to_owned(),
        "/nothing".to_owned(),
        format!("/authorize?{request}"),
        "/device".to_owned(),
        "/authorize".to_owned(),
        "/authorize?client_id=nobody".to_owned(),
        "/authorize?client_id=demo&redirect_uri=https://evil.example".to_owned(),
    ] {
        let page = browse(&format!("{issuer}{path}")).unwrap();
        transcript.about(&format!("{} {}", page.status, path.split('&').next().unwrap()));
        transcript.push(&text(&page.body));
    }
    transcript.check("pages-dev");
}

/// The visible text of a page, an element a line.
fn text(html: &str) -> String {
    let html = ["style", "svg"].iter().fold(html.to_owned(), |html, tag| without(&html, tag));
    let mut text = String::new();
    for part in html.split('<').skip(1) {
        let (_, behind) = part.split_once('>').unwrap_or((part, ""));
        if !behind.trim().is_empty() {
            text.push_str(behind.trim());
            text.push('\n');
        }
    }
    if text.is_empty() { html } else { text.trim_end().to_owned() }
}

fn without(html: &str, tag: &str) -> String {
    let mut rest = html;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(&format!("<{tag}")) {
        kept.push_str(before);
        rest = after.split_once(&format!("</{tag}>")).map_or("", |(_, behind)| behind);
    }
    kept + rest
}
