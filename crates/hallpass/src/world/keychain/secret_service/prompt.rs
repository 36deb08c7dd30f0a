//! Prompts of the Secret Service.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, OwnedVariant};

use super::failure;
use crate::error::KeychainError;

/// The service's name on the bus.
pub(super) const NAME: &str = "org.freedesktop.secrets";

const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// Shows a prompt and waits until the user completes it.
///
/// # Errors
/// [`KeychainError::Refused`] if the user dismissed it, or if it can't be shown in this session.
pub(super) async fn show(bus: &Connection, prompt: &ObjectPath<'_>) -> Result<(), KeychainError> {
    let mut messages = MessageStream::from(bus);
    watch(bus, &format!("type='signal',interface='{PROMPT}',member='Completed',path='{prompt}'")).await?;
    watch(bus, &format!("type='signal',member='NameOwnerChanged',arg0='{NAME}'")).await?;
    let no_window = "";
    // A call would have a time limit; the user may take longer.
    let request = Message::method_call(prompt, "Prompt")
        .interface(PROMPT)
        .destination(NAME)
        .build(&(no_window,))
        .map_err(failure::from_call)?;
    bus.send(&request).await.map_err(failure::from_call)?;
    loop {
        let message = next(&mut messages).await?;
        if let Some(outcome) = outcome(&request, prompt, message) {
            return outcome;
        }
    }
}

async fn watch(bus: &Connection, rule: &str) -> Result<(), KeychainError> {
    const BUS: &str = "org.freedesktop.DBus";
    let added = bus.call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &(rule,)).await;
    added.map(drop).map_err(failure::from_call)
}

async fn next(messages: &mut MessageStream) -> Result<Message, KeychainError> {
    match poll_fn(|context| Pin::new(&mut *messages).poll_next(context)).await {
        Some(message) => message.map_err(failure::from_call),
        None => Err(ended()),
    }
}

fn ended() -> KeychainError {
    KeychainError::Failed("the Secret Service exited during the prompt".to_owned())
}

/// Returns the outcome of the prompt, if a message carries one.
fn outcome(
    request: &Message,
    prompt: &ObjectPath<'_>,
    message: Message,
) -> Option<Result<(), KeychainError>> {
    let header = message.header();
    let is_ours = header.path() == Some(prompt);
    match (header.message_type(), header.member().map(|member| member.as_str())) {
        (Type::Error, _) if header.reply_serial() == Some(request.primary_header().serial_num()) => {
            Some(Err(failure::from_call(message.into())))
        }
        (Type::Signal, Some("Completed")) if is_ours => Some(completed(&message)),
        (Type::Signal, Some("NameOwnerChanged")) if has_left(&message) => Some(Err(ended())),
        _ => None,
    }
}

fn completed(message: &Message) -> Result<(), KeychainError> {
    let body = message.body();
    let (is_dismissed, _): (bool, OwnedVariant) = body.deserialize().map_err(failure::from_call)?;
    if is_dismissed { Err(KeychainError::Refused) } else { Ok(()) }
}

fn has_left(message: &Message) -> bool {
    let body = message.body();
    let change: zbus::Result<(&str, &str, &str)> = body.deserialize();
    matches!(change, Ok((NAME, _, "")))
}
