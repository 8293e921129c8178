//! The five sockets of a kernel, as channels of [`Message`]s: a task for each socket owns it.

use super::envelope::{Message, Signer, frames, new_message, parse};
use jupyter_protocol::ConnectionInfo;
use jupyter_zmq_client::{
    RuntimeError, create_kernel_control_connection, create_kernel_heartbeat_connection, create_kernel_iopub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection,
};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeromq::{RouterSocket, SocketRecv, SocketSend};

/// One request channel: what comes in, and the way back.
pub struct Requests {
    /// Requests in the order of their arrival.
    pub incoming: UnboundedReceiver<Message>,
    /// Replies; their identities say to whom.
    pub replies: UnboundedSender<Message>,
}

/// All channels of a running kernel.
pub struct Sockets {
    /// Execution and questions about code.
    pub shell: Requests,
    /// Interrupt and shutdown.
    pub control: Requests,
    /// Everything that all clients see.
    pub iopub: Publisher,
}

/// The broadcast side. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    session: String,
    outgoing: UnboundedSender<Message>,
}

impl Publisher {
    /// Broadcasts a message that belongs to the request `parent`.
    pub fn publish(&self, kind: &str, parent: &Value, content: Value) {
        let mut message = new_message(kind, &self.session, parent, content);
        message.identities = vec![bytes::Bytes::from(kind.to_owned())];
        // The socket's task ends with the process, so there is no later to send to.
        let _ = self.outgoing.send(message);
    }

    /// The session id that all messages of this kernel carry.
    pub fn session(&self) -> &str {
        &self.session
    }
}

/// Binds every socket that `connection` names.
///
/// # Errors
/// When a port is taken.
pub async fn bind(connection: &ConnectionInfo) -> Result<Sockets, RuntimeError> {
    let session = uuid::Uuid::new_v4().to_string();
    let signer = Signer::new(&connection.key);
    let mut heartbeat = create_kernel_heartbeat_connection(connection).await?;
    tokio::spawn(async move { while heartbeat.single_heartbeat().await.is_ok() {} });

    let mut iopub = create_kernel_iopub_connection(connection, &session).await?.socket;
    let (outgoing, mut messages) = unbounded_channel::<Message>();
    let signing = signer.clone();
    tokio::spawn(async move {
        while let Some(message) = messages.recv().await {
            if let Err(error) = iopub.send(frames(&message, &signing)).await {
                eprintln!("haetae-kernel: iopub: {error}");
            }
        }
    });
    let shell = create_kernel_shell_connection(connection, &session).await?.socket;
    let control = create_kernel_control_connection(connection, &session).await?.socket;
    // Bound so that clients can connect to it; cells do not read from the front end yet.
    let stdin = create_kernel_stdin_connection(connection, &session).await?.socket;
    requests(stdin, signer.clone());
    Ok(Sockets {
        shell: requests(shell, signer.clone()),
        control: requests(control, signer),
        iopub: Publisher { session, outgoing },
    })
}

fn requests(socket: RouterSocket, signer: Signer) -> Requests {
    let (mut sender, mut receiver) = socket.split();
    let (incoming_in, incoming) = unbounded_channel();
    let (replies, mut replies_out) = unbounded_channel::<Message>();
    let signing = signer.clone();
    tokio::spawn(async move {
        loop {
            match receiver.recv().await {
                Ok(message) => match parse(message, &signer) {
                    Ok(message) => {
                        if incoming_in.send(message).is_err() {
                            return;
                        }
                    }
                    // A stranger's or a broken message is dropped, as the protocol asks.
                    Err(error) => eprintln!("haetae-kernel: dropped: {error}"),
                },
                Err(error) => {
                    eprintln!("haetae-kernel: receive: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    });
    tokio::spawn(async move {
        while let Some(message) = replies_out.recv().await {
            if let Err(error) = sender.send(frames(&message, &signing)).await {
                eprintln!("haetae-kernel: reply: {error}");
            }
        }
    });
    Requests { incoming, replies }
}
