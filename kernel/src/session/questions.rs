//! Questions about code, history and comms: answered at once, whatever cell runs.

use super::{Kernel, text_of};
use crate::complete::{self, Oracle, Variables};
use crate::history::Wanted;
use crate::protocol::envelope::Message;
use serde_json::{Map, Value, json};

/// Whether a request can be answered beside the cell that runs.
pub(super) fn is_question(request: &Message) -> bool {
    matches!(
        request.kind(),
        "kernel_info_request"
            | "is_complete_request"
            | "complete_request"
            | "inspect_request"
            | "history_request"
            | "comm_info_request"
            | "interrupt_request"
    )
}

impl Kernel {
    /// Answers a question.
    pub(super) async fn question(&self, request: &Message) {
        self.status(request, "busy");
        let content = self.reply_to(request).await;
        self.status(request, "idle");
        self.still_busy();
        // Last: what the client asks next cannot come between these.
        self.answer(request, &request.kind().replace("_request", "_reply"), content);
    }

    async fn reply_to(&self, request: &Message) -> Value {
        let code = text_of(request, "code");
        let cursor = || {
            let cursor = request.content["cursor_pos"].as_u64().and_then(|at| usize::try_from(at).ok());
            cursor.unwrap_or_else(|| code.chars().count())
        };
        match request.kind() {
            "is_complete_request" => complete::is_complete(code),
            "complete_request" => match self.catalogue.complete(code, cursor()).await {
                Some(of_sql) => of_sql,
                None => self.ask_oracle(code, cursor(), Oracle::complete).await,
            },
            "inspect_request" => match self.catalogue.inspect(code, cursor()).await {
                Some(of_sql) => of_sql,
                None => self.ask_oracle(code, cursor(), Oracle::inspect).await,
            },
            "history_request" => {
                let with_output = request.content["output"].as_bool().unwrap_or(false);
                let entries = self.history.entries(Wanted::of(&request.content), with_output).await;
                json!({"status": "ok", "history": entries})
            }
            "comm_info_request" => {
                let wanted = request.content["target_name"].as_str();
                let comms = self.comms();
                let open =
                    comms.open.iter().filter(|(_, target)| wanted.is_none_or(|wanted| wanted == target.as_str()));
                let open: Map<String, Value> =
                    open.map(|(id, target)| (id.clone(), json!({"target_name": target}))).collect();
                json!({"status": "ok", "comms": open})
            }
            "interrupt_request" => json!({"status": "ok"}),
            _ => self.info.clone(),
        }
    }

    /// The oracle may have to wait for the compiler, which must not hold up other answers.
    async fn ask_oracle(
        &self,
        code: &str,
        cursor: usize,
        question: fn(&Oracle, &str, usize, &Variables) -> Value,
    ) -> Value {
        let (oracle, code, variables) = (self.oracle.clone(), code.to_owned(), self.evaluator.variables_at_once());
        let answer = tokio::task::spawn_blocking(move || question(&oracle, &code, cursor, &variables)).await;
        answer.unwrap_or_else(
            |error| json!({"status": "error", "ename": "Defect", "evalue": error.to_string(), "traceback": []}),
        )
    }
}
