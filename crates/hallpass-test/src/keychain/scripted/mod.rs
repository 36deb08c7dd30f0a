//! A Secret Service that does what a real one cannot be made to do.

mod habit;
mod reaction;
mod service;
mod vault;

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::{future::poll_fn, pin::Pin};

use futures_core::Stream;
use tempfile::TempDir;
use zbus::connection::Builder;
use zbus::message::Type;
use zbus::{Connection, Guid, Message, MessageStream};

pub use self::habit::Habit;
use self::vault::Vault;
use crate::keychain::Variables;

/// The service together with the bus that it is on: each program that connects has both to itself, but all see the
/// same items.
pub struct ScriptedService {
    dir: TempDir,
    state: Arc<Mutex<State>>,
}

pub(crate) struct State {
    habit: Habit,
    vault: Vault,
    calls: Vec<String>,
    connections: usize,
}

impl ScriptedService {
    /// Starts it, open and empty.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn start(habit: Habit) -> io::Result<ScriptedService> {
        let dir = tempfile::tempdir()?;
        let listener = UnixListener::bind(socket(dir.path()))?;
        let state = State { habit, vault: Vault::default(), calls: Vec::new(), connections: 0 };
        let state = Arc::new(Mutex::new(state));
        let theirs = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                lock(&theirs).connections += 1;
                let state = theirs.clone();
                // A program may disconnect at any time, so the result does not matter.
                thread::spawn(move || zbus::block_on(serve(stream, &state)));
            }
        });
        Ok(ScriptedService { dir, state })
    }

    /// The environment variables that connect a program to it.
    pub fn variables(&self) -> Variables {
        vec![("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket(self.dir.path()).display()))]
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, habit: Habit) {
        lock(&self.state).habit = habit;
    }

    /// Locks the default collection.
    pub fn lock(&self) {
        lock(&self.state).vault.is_locked = true;
    }

    /// Unlocks it, as its own dialog does.
    pub fn unlock(&self) {
        lock(&self.state).vault.is_locked = false;
    }

    /// Empties every item, as some updates did.
    pub fn blank(&self) {
        lock(&self.state).vault.items.values_mut().for_each(|item| item.secret.clear());
    }

    /// Returns the number of items.
    pub fn items(&self) -> usize {
        lock(&self.state).vault.items.len()
    }

    /// Returns the methods of the service that were called, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.state).calls.clone()
    }

    /// Returns the number of connections to the bus.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    /// Forgets all calls and connections.
    pub fn clear(&self) {
        let mut state = lock(&self.state);
        (state.connections, state.calls) = (0, Vec::new());
    }
}

fn socket(dir: &Path) -> std::path::PathBuf {
    dir.join("socket")
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: UnixStream, state: &Mutex<State>) -> zbus::Result<()> {
    let server = Builder::unix_stream(stream).server(Guid::generate()).p2p();
    let mut messages = server.build_message_stream().await?;
    let bus = Connection::from(&messages);
    while let Some(message) = next(&mut messages).await {
        let call = message?;
        if call.message_type() != Type::MethodCall {
            continue;
        }
        let reaction = service::react(state, &call)?;
        thread::sleep(reaction.after);
        bus.send_all(&reaction.messages).await?;
        if reaction.hangs_up {
            return bus.close().await;
        }
    }
    Ok(())
}

async fn next(messages: &mut MessageStream) -> Option<zbus::Result<Message>> {
    poll_fn(|context| Pin::new(&mut *messages).poll_next(context)).await
}
