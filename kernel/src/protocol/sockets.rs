//! The five sockets of a kernel, as channels of [`Message`]s: a task for each socket owns it.

use super::envelope::{Message, Signer, frames, new_message, parse};
use jupyter_protocol::ConnectionInfo;
use jupyter_zmq_client::{
    RuntimeError, SubscriptionEvent, create_kernel_control_connection, create_kernel_iopub_xpub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection, parse_subscription_message,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeromq::{RepSocket, RouterSocket, Socket, SocketRecv, SocketSend, XPubSocket};

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
    /// Questions to the analyst, and what was typed.
    pub stdin: Requests,
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
    let mut heartbeat = RepSocket::new();
    heartbeat.bind(&connection.hb_url()).await?;
    tokio::spawn(echo(heartbeat));

    let iopub = create_kernel_iopub_xpub_connection(connection, &session).await?.socket;
    let (outgoing, messages) = unbounded_channel::<Message>();
    tokio::spawn(broadcast(iopub, messages, signer.clone(), session.clone()));
    let shell = create_kernel_shell_connection(connection, &session).await?.socket;
    let control = create_kernel_control_connection(connection, &session).await?.socket;
    let stdin = create_kernel_stdin_connection(connection, &session).await?.socket;
    Ok(Sockets {
        stdin: requests(stdin, signer.clone()),
        shell: requests(shell, signer.clone()),
        control: requests(control, signer),
        iopub: Publisher { session, outgoing },
    })
}

/// Gives every heartbeat back as it came; a client that is gone before its answer is no reason to stop.
async fn echo(mut socket: RepSocket) {
    loop {
        let answered = match socket.recv().await {
            Ok(beat) => socket.send(beat).await,
            Err(error) => Err(error),
        };
        if answered.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

/// Sends what is published, and greets each new subscription with `iopub_welcome` (JEP 65), from which a
/// client knows that it misses nothing from here on.
async fn broadcast(mut socket: XPubSocket, mut messages: UnboundedReceiver<Message>, signer: Signer, session: String) {
    loop {
        let message = tokio::select! {
            message = messages.recv() => match message {
                Some(message) => message,
                None => return,
            },
            subscription = socket.recv() => match subscription.ok().and_then(|event| parse_subscription_message(&event)) {
                Some(SubscriptionEvent::Subscribe(topic)) => {
                    let mut welcome = new_message("iopub_welcome", &session, &json!({}), json!({"subscription": topic}));
                    welcome.identities = vec![bytes::Bytes::from(topic)];
                    welcome
                }
                // A subscription that ended, or a client that went away.
                _ => continue,
            },
        };
        if let Err(error) = socket.send(frames(&message, &signer)).await {
            eprintln!("haetae-kernel: iopub: {error}");
        }
    }
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
