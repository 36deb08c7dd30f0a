//! The running server.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io, thread};

use tokio::sync::watch;

use crate::builder::Builder;
use crate::config::Config;
use crate::endpoints;
use crate::event::OnEvent;
use crate::listener::{Connection, CountingListener};
use crate::robot::{Robot, Visit};
use crate::state::App;
use crate::state::journal::Journal;
use crate::state::keys::Keys;

/// A running development server. It stops when it is dropped.
///
/// The server runs on a thread of its own, so it works inside and outside of an asynchronous runtime.
///
/// ```
/// let server = hallpass_dev::DevServer::start()?;
/// assert_eq!(server.issuer(), format!("http://127.0.0.1:{}", server.port()));
///
/// // Point the client under test at `server.issuer()`, with the client ID `demo`. Then check its requests:
/// assert_eq!(server.journal().count("/token"), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DevServer {
    app: Arc<App>,
    port: u16,
    stopper: Stopper,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A handle that stops a server from another thread, such as that of a signal handler.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Tells the server to stop, without waiting for it. [`DevServer::wait`] returns once it has stopped.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl DevServer {
    /// Starts a server with the default settings: a free port on 127.0.0.1, the client `demo`, and the user
    /// `test@example.com` with the password `password`.
    ///
    /// # Errors
    ///
    /// The same as for [`Builder::start`].
    pub fn start() -> io::Result<DevServer> {
        DevServer::builder().start()
    }

    /// Returns the default settings, to be changed before the server starts.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns the issuer identifier to configure clients with: `http://127.0.0.1:PORT`.
    pub fn issuer(&self) -> &str {
        &self.app.issuer
    }

    /// Returns the port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the record of all requests to the server.
    pub fn journal(&self) -> Journal {
        self.app.journal.clone()
    }

    /// Returns a robot that signs in with the first account and allows every request.
    pub fn robot(&self) -> Robot {
        let user = self.app.config.first_user();
        Robot::new(&self.app.issuer, &user.email, &user.password)
    }

    /// Sends the [robot](DevServer::robot) to an authorization URL. It ends at the client's redirect URI.
    ///
    /// # Errors
    ///
    /// The same as for [`Robot::visit`].
    pub fn visit(&self, url: &str) -> io::Result<Visit> {
        self.robot().visit(url)
    }

    /// Returns a handle that stops the server.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Blocks until a [`Stopper`] has stopped the server.
    pub fn wait(&self) {
        // The lock is held while waiting, so that a second caller returns no sooner.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic on that thread has already been reported by the panic hook.
            let _ = thread.join();
        }
    }

    /// Stops the server, closes its connections and frees its port before returning.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.stopper.stop();
        self.wait();
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevServer").field("issuer", &self.app.issuer).finish_non_exhaustive()
    }
}

/// Starts the server. The port is bound before this returns, so that a port in use is an error here and no request
/// comes too early.
pub(crate) fn start(port: u16, config: Config, on_event: Option<OnEvent>) -> io::Result<DevServer> {
    let socket = std::net::TcpListener::bind(("127.0.0.1", port))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let app = Arc::new(App::new(port, config, Keys::generate()?, on_event));
    let (stopper, stopped) = watch::channel(false);
    let served = app.clone();
    let thread = thread::Builder::new().name("hallpass-dev".to_owned()).spawn(move || {
        runtime.block_on(serve(socket, served, stopped));
        // A client may keep its connection open forever, so open connections are dropped.
        runtime.shutdown_timeout(Duration::ZERO);
    })?;
    Ok(DevServer { app, port, stopper: Stopper(Arc::new(stopper)), thread: Mutex::new(Some(thread)) })
}

async fn serve(socket: std::net::TcpListener, app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(socket) else { return };
    let service = endpoints::router(app).into_make_service_with_connect_info::<Connection>();
    let server = axum::serve(CountingListener::new(listener), service);
    tokio::select! {
        _ = server.into_future() => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}
