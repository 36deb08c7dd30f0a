//! The question that only a person can answer.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, OwnedVariant};

use super::calls::NAME;
use super::failure;
use crate::error::KeychainError;

const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// Has the service ask, and waits for the answer for as long as it takes.
///
/// # Errors
/// [`KeychainError::Refused`] where the person, or a session in which nobody can be asked, dismissed it.
pub(super) async fn show(bus: &Connection, prompt: &ObjectPath<'_>) -> Result<(), KeychainError> {
    let mut messages = MessageStream::from(bus);
    watch(bus, &format!("type='signal',interface='{PROMPT}',member='Completed',path='{prompt}'")).await?;
    watch(bus, &format!("type='signal',member='NameOwnerChanged',arg0='{NAME}'")).await?;
    let no_window = "";
    // Sent and not called: a call has a limit.
    let question = Message::method_call(prompt, "Prompt")
        .interface(PROMPT)
        .destination(NAME)
        .build(&(no_window,))
        .map_err(failure::of_call)?;
    bus.send(&question).await.map_err(failure::of_call)?;
    loop {
        let message = next(&mut messages).await?;
        if let Some(answer) = answer(&question, prompt, message) {
            return answer;
        }
    }
}

async fn watch(bus: &Connection, rule: &str) -> Result<(), KeychainError> {
    const BUS: &str = "org.freedesktop.DBus";
    let added = bus.call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &(rule,)).await;
    added.map(drop).map_err(failure::of_call)
}

async fn next(messages: &mut MessageStream) -> Result<Message, KeychainError> {
    match poll_fn(|context| Pin::new(&mut *messages).poll_next(context)).await {
        Some(message) => message.map_err(failure::of_call),
        None => Err(ended()),
    }
}

fn ended() -> KeychainError {
    KeychainError::Failed("it ended before there was an answer".to_owned())
}

/// What a message means for the question, if it means anything.
fn answer(
    question: &Message,
    prompt: &ObjectPath<'_>,
    message: Message,
) -> Option<Result<(), KeychainError>> {
    let header = message.header();
    let is_ours = header.path() == Some(prompt);
    match (header.message_type(), header.member().map(|member| member.as_str())) {
        (Type::Error, _) if header.reply_serial() == Some(question.primary_header().serial_num()) => {
            Some(Err(failure::of_call(message.into())))
        }
        (Type::Signal, Some("Completed")) if is_ours => Some(completed(&message)),
        (Type::Signal, Some("NameOwnerChanged")) if has_left(&message) => Some(Err(ended())),
        _ => None,
    }
}

fn completed(message: &Message) -> Result<(), KeychainError> {
    let body = message.body();
    let (is_dismissed, _): (bool, OwnedVariant) = body.deserialize().map_err(failure::of_call)?;
    if is_dismissed { Err(KeychainError::Refused) } else { Ok(()) }
}

fn has_left(message: &Message) -> bool {
    let body = message.body();
    let change: zbus::Result<(&str, &str, &str)> = body.deserialize();
    matches!(change, Ok((NAME, _, "")))
}
