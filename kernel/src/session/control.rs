//! The control channel: answered at once, whatever the shells do.

use super::shell::Subshells;
use super::{Kernel, reply, text_of};
use crate::protocol::envelope::Message;
use crate::protocol::sockets::Requests;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// What the control channel acts on.
pub(super) struct Control {
    pub(super) kernel: Arc<Kernel>,
    pub(super) requests: Requests,
    pub(super) subshells: Subshells,
    pub(super) stop: Arc<Notify>,
}

impl Control {
    /// Serves until a shutdown.
    pub(super) async fn serve(mut self) {
        while let Some(request) = self.requests.incoming.recv().await {
            self.kernel.status(&request, "busy");
            let last = request.kind() == "shutdown_request";
            self.handle(&request).await;
            self.kernel.status(&request, "idle");
            if last {
                self.stop.notify_one();
                return;
            }
            self.kernel.still_busy();
        }
    }

    async fn handle(&self, request: &Message) {
        match request.kind() {
            "interrupt_request" => {
                self.kernel.interrupt();
                self.answer(request, "interrupt_reply", json!({"status": "ok"}));
            }
            "shutdown_request" => {
                let restart = request.content["restart"].as_bool().unwrap_or(false);
                let content = json!({"status": "ok", "restart": restart});
                self.kernel.iopub.publish("shutdown_reply", &request.header, content.clone());
                self.answer(request, "shutdown_reply", content);
                self.kernel.evaluator.kill();
            }
            "kernel_info_request" => self.answer(request, "kernel_info_reply", self.kernel.info.clone()),
            "create_subshell_request" => {
                let id = self.subshells.create(&self.kernel);
                self.answer(request, "create_subshell_reply", json!({"status": "ok", "subshell_id": id}));
            }
            "delete_subshell_request" => {
                let id = text_of(request, "subshell_id");
                let content = if self.subshells.delete(id) {
                    json!({"status": "ok"})
                } else {
                    json!({
                        "status": "error", "ename": "NoSubshell", "traceback": [],
                        "evalue": format!("there is no subshell {id:?}; open are {:?}", self.subshells.ids()),
                    })
                };
                self.answer(request, "delete_subshell_reply", content);
            }
            "list_subshell_request" => {
                let content = json!({"status": "ok", "subshell_id": self.subshells.ids()});
                self.answer(request, "list_subshell_reply", content);
            }
            "debug_request" => {
                let content = self.debug(&request.content).await;
                self.answer(request, "debug_reply", content);
            }
            // Messages without a reply, and those of later protocols.
            _ => {}
        }
    }

    /// The part of the debug adapter protocol that front ends use to list variables.
    async fn debug(&self, asked: &Value) -> Value {
        let command = asked["command"].as_str().unwrap_or("");
        let done = |success: bool, body: Value| {
            json!({
                "type": "response", "request_seq": asked["seq"], "seq": asked["seq"],
                "command": command, "success": success, "body": body,
            })
        };
        match command {
            "inspectVariables" => {
                let variables = self.kernel.evaluator.variables_at_once();
                let entry = |(name, of): &(String, String)| json!({"name": name, "type": of, "value": of, "variablesReference": 0});
                done(true, json!({"variables": variables.iter().map(entry).collect::<Vec<_>>()}))
            }
            "debugInfo" => done(
                true,
                json!({
                    "isStarted": false, "hashMethod": "Murmur2", "hashSeed": 0, "tmpFilePrefix": "",
                    "tmpFileSuffix": ".rs", "breakpoints": [], "stoppedThreads": [], "richRendering": false,
                    "exceptionPaths": [],
                }),
            ),
            _ => {
                let mut answer = done(false, json!({}));
                answer["message"] = json!(format!("this kernel lists variables and does not debug: no {command:?}"));
                answer
            }
        }
    }

    fn answer(&self, request: &Message, kind: &str, content: Value) {
        reply(&self.requests.replies, self.kernel.iopub.session(), request, kind, content);
    }
}
