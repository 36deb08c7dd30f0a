//! Starting and stopping.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::watch;

use crate::builder::Builder;
use crate::config::Config;
use crate::endpoints;
use crate::listener::{Connection, CountingListener};
use crate::robot::{Robot, Visit};
use crate::state::App;
use crate::state::journal::Journal;
use crate::state::keys::Keys;

/// A running development server. It ends when this is dropped.
///
/// It runs on a thread of its own, so it may be used inside and outside of an asynchronous runtime.
///
/// ```
/// let server = hallpass_dev::DevServer::start()?;
/// assert_eq!(server.issuer(), format!("http://127.0.0.1:{}", server.port()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DevServer {
    app: Arc<App>,
    port: u16,
    stopper: Stopper,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Stops a server from elsewhere, such as a signal handler's thread.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Tells the server to stop; [`DevServer::wait`] tells when it has. A second call does nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl DevServer {
    /// Starts with all defaults: a free port of 127.0.0.1, the client `demo`, the user
    /// `test@example.com` with the password `password`.
    ///
    /// # Errors
    ///
    /// Where the machine gives no socket or no thread.
    pub fn start() -> io::Result<DevServer> {
        DevServer::builder().start()
    }

    /// A server with other settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// `http://127.0.0.1:PORT`: what clients are configured with.
    pub fn issuer(&self) -> &str {
        &self.app.issuer
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it was sent.
    pub fn journal(&self) -> Journal {
        self.app.journal.clone()
    }

    /// A user who signs in as the first account and allows everything.
    pub fn robot(&self) -> Robot {
        let user = self.app.config.first_user();
        Robot::new(&self.app.issuer, &user.email, &user.password)
    }

    /// Sends the [robot](DevServer::robot) to an authorization URL. It ends at the client's redirect URI.
    ///
    /// # Errors
    ///
    /// See [`Robot::visit`].
    pub fn visit(&self, url: &str) -> io::Result<Visit> {
        self.robot().visit(url)
    }

    /// A handle that stops the server.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Blocks until a [`Stopper`] was used.
    pub fn wait(&self) {
        // A second caller waits for the lock, and so for the same end.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic of that thread was reported by its own hook.
            let _ = thread.join();
        }
    }

    /// Stops the server: connections are closed, and the port is free when this returns.
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

impl std::fmt::Debug for DevServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevServer").field("issuer", &self.app.issuer).finish_non_exhaustive()
    }
}

/// Binds before it returns, so that a port in use is an error here and the first request finds a listener.
pub(crate) fn start(
    port: u16,
    config: Config,
    on_event: Option<crate::state::OnEvent>,
) -> io::Result<DevServer> {
    let socket = std::net::TcpListener::bind(("127.0.0.1", port))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let app = Arc::new(App::new(port, config, Keys::generate()?, on_event));
    let (stopper, stopped) = watch::channel(false);
    let served = app.clone();
    let thread = thread::Builder::new().name("hallpass-dev".to_owned()).spawn(move || {
        runtime.block_on(serve(socket, served, stopped));
        // Connections are dropped, not waited for: a client may hold one open for ever.
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
