//! Reads the forms of our own pages. Enough of HTML for those, and no more.

/// A form with its fields and buttons.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    fields: Vec<(String, String)>,
    asks_for_decision: bool,
}

/// What a user fills forms with.
pub(super) struct Answers<'a> {
    pub(super) email: &'a str,
    pub(super) password: &'a str,
    /// What the user's device shows.
    pub(super) user_code: Option<&'a str>,
    pub(super) decision: &'a str,
}

impl Form {
    pub(super) fn first_of(page: &str) -> Option<Form> {
        let form = &page[page.find("<form")?..];
        let form = &form[..form.find("</form>")?];
        let fields = form.split('<').filter(|tag| tag.starts_with("input"));
        let fields = fields
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())));
        let action = attribute(form, "action")?;
        let asks_for_decision = form.contains("name=\"decision\"");
        Some(Form { action, fields: fields.collect(), asks_for_decision })
    }

    /// The user code that the page shows, if it does.
    pub(super) fn user_code(&self) -> Option<&str> {
        let (_, code) = self.fields.iter().find(|(name, _)| name == "user_code")?;
        (!code.is_empty()).then_some(code)
    }

    /// What is sent: hidden fields as they are, the account, the code, and the button that was pressed.
    pub(super) fn filled(self, answers: &Answers<'_>) -> Vec<(String, String)> {
        let fill = |(name, value): (String, String)| match name.as_str() {
            "email" => (name, answers.email.to_owned()),
            "password" => (name, answers.password.to_owned()),
            "user_code" => (name, answers.user_code.map_or(value, str::to_owned)),
            _ => (name, value),
        };
        let decision = ("decision".to_owned(), answers.decision.to_owned());
        let decision = self.asks_for_decision.then_some(decision);
        self.fields.into_iter().map(fill).chain(decision).collect()
    }
}

/// The text of the page's heading.
pub(super) fn title(page: &str) -> Option<&str> {
    text_after(page, "<h1>")
}

/// What the page complains about.
pub(super) fn alert(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("role=\"alert\"")?;
    text_after(rest, ">")
}

fn text_after<'a>(page: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(start)?;
    Some(rest.split_once('<')?.0)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}

/// The four characters that the templates escape.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_hidden_fields() {
        let page = r#"<h1>Hi</h1><form method="post" action="/a?b=1&amp;c=2">
            <input type="hidden" name="csrf" value="&quot;x&quot;"><input name="password"></form>"#;
        let form = Form::first_of(page).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        assert_eq!(filled(form), [("csrf", "\"x\""), ("password", "p")].map(owned));
        assert_eq!(title(page), Some("Hi"));
    }

    fn owned((name, value): (&str, &str)) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn filled(form: Form) -> Vec<(String, String)> {
        let answers = Answers { email: "e", password: "p", user_code: Some("c"), decision: "allow" };
        form.filled(&answers)
    }

    #[test]
    fn a_button_is_pressed_where_there_is_a_choice() {
        let page = r#"<form action="/"><button name="decision" value="deny">Deny</button></form>"#;
        assert_eq!(filled(Form::first_of(page).unwrap()), [owned(("decision", "allow"))]);
    }

    #[test]
    fn a_user_code_is_read_where_one_is_shown_and_typed() {
        let empty = Form::first_of(r#"<form action="/"><input name="user_code" value=""></form>"#).unwrap();
        assert_eq!(empty.user_code(), None);
        assert_eq!(filled(empty), [owned(("user_code", "c"))]);
        let shown = Form::first_of(r#"<form action="/"><input name="user_code" value="x"></form>"#).unwrap();
        assert_eq!(shown.user_code(), Some("x"));
    }

    #[test]
    fn a_complaint_is_read() {
        assert_eq!(alert(r#"<p class="alert" role="alert" id="a">Wrong.</p>"#), Some("Wrong."));
        assert_eq!(alert("<h1>Hi</h1>"), None);
    }

    #[test]
    fn a_page_without_form_has_none() {
        assert_eq!(Form::first_of("<h1>No</h1><form"), None);
    }
}
