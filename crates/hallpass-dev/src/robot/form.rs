//! Reads the forms of the server's pages. It understands no other HTML.

/// A form with its input fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    fields: Vec<(String, String)>,
    has_decision: bool,
}

/// The values with which a user fills in forms.
pub(super) struct Input<'a> {
    pub(super) email: &'a str,
    pub(super) password: &'a str,
    /// The code that the user's device shows.
    pub(super) user_code: Option<&'a str>,
    pub(super) decision: &'a str,
}

impl Form {
    pub(super) fn first_in(page: &str) -> Option<Form> {
        let form = &page[page.find("<form")?..];
        let form = &form[..form.find("</form>")?];
        let mut fields = Vec::new();
        for tag in form.split('<').filter(|tag| tag.starts_with("input")) {
            if let Some(name) = attribute(tag, "name") {
                fields.push((name, attribute(tag, "value").unwrap_or_default()));
            }
        }
        let has_decision = form.contains("name=\"decision\"");
        Some(Form { action: attribute(form, "action")?, fields, has_decision })
    }

    /// Returns the user code that the form shows.
    pub(super) fn user_code(&self) -> Option<&str> {
        let (_, code) = self.fields.iter().find(|(name, _)| name == "user_code")?;
        if code.is_empty() { None } else { Some(code) }
    }

    /// Returns the parameters to submit. Hidden fields keep their values.
    pub(super) fn filled_in(self, input: &Input<'_>) -> Vec<(String, String)> {
        let mut fields = self.fields;
        for (name, value) in &mut fields {
            match (name.as_str(), input.user_code) {
                ("email", _) => input.email.clone_into(value),
                ("password", _) => input.password.clone_into(value),
                ("user_code", Some(code)) => code.clone_into(value),
                _ => {}
            }
        }
        if self.has_decision {
            fields.push(("decision".to_owned(), input.decision.to_owned()));
        }
        fields
    }
}

/// Returns the heading of a page.
pub(super) fn title(page: &str) -> Option<&str> {
    text_after(page, "<h1>")
}

/// Returns the error message on a page.
pub(super) fn alert(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("role=\"alert\"")?;
    text_after(rest, ">")
}

fn text_after<'a>(page: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(start)?;
    Some(rest.split_once('<')?.0)
}

/// Returns the value of an attribute without the four escapes of the templates.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_hidden_fields() {
        let page = r#"<h1>Hi</h1><form method="post" action="/a?b=1&amp;c=2">
            <input type="hidden" name="csrf" value="&quot;x&quot;"><input name="password"></form>"#;
        let form = Form::first_in(page).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        assert_eq!(filled_in(form), [("csrf", "\"x\""), ("password", "p")].map(owned));
        assert_eq!(title(page), Some("Hi"));
    }

    fn owned((name, value): (&str, &str)) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn filled_in(form: Form) -> Vec<(String, String)> {
        let input = Input { email: "e", password: "p", user_code: Some("c"), decision: "allow" };
        form.filled_in(&input)
    }

    #[test]
    fn a_decision_is_submitted_if_there_is_a_choice() {
        let page = r#"<form action="/"><button name="decision" value="deny">Deny</button></form>"#;
        assert_eq!(filled_in(Form::first_in(page).unwrap()), [owned(("decision", "allow"))]);
    }

    #[test]
    fn a_user_code_is_read_if_shown_and_entered_if_not() {
        let empty = Form::first_in(r#"<form action="/"><input name="user_code" value=""></form>"#).unwrap();
        assert_eq!(empty.user_code(), None);
        assert_eq!(filled_in(empty), [owned(("user_code", "c"))]);
        let shown = Form::first_in(r#"<form action="/"><input name="user_code" value="x"></form>"#).unwrap();
        assert_eq!(shown.user_code(), Some("x"));
    }

    #[test]
    fn an_alert_is_read() {
        assert_eq!(alert(r#"<p class="alert" role="alert" id="a">Wrong.</p>"#), Some("Wrong."));
        assert_eq!(alert("<h1>Hi</h1>"), None);
    }

    #[test]
    fn a_page_without_form_has_none() {
        assert_eq!(Form::first_in("<h1>No</h1><form"), None);
    }
}
