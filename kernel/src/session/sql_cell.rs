//! An `%%sql` cell: query -> table, and the frame for the next Rust cell.

use super::Kernel;
use super::shell::{Done, Request};
use crate::magics::SqlCell;
use crate::outcome;
use crate::sql;
use haetae_display::Bundle;

impl Kernel {
    /// Runs the query of a cell.
    pub(super) async fn query(&self, request: &Request<'_>, cell: SqlCell) -> Done {
        let mut runner = self.sql.lock().await;
        let statement = runner.with_saved(&cell.query);
        let mut interrupts = request.interrupts.clone();
        let result = tokio::select! {
            // Dropping the query closes its stream, which ends it on the server too.
            Ok(()) = interrupts.changed() => return Done::failed(outcome::interrupted_query()),
            result = runner.query(&statement) => match result {
                Ok(result) => result,
                Err(error) => return Done::failed(outcome::sql(&error)),
            },
        };
        if let Some(name) = &cell.save {
            runner.save(name, &cell.query);
        }
        let table = match sql::table(&result, cell.limit) {
            Ok(table) => table,
            Err(error) => return Done::failed(outcome::arrow(&error)),
        };
        let Some(name) = cell.name else {
            let bundle = table.bundle();
            let done = Done::shown(&bundle);
            self.result(request, bundle);
            return done;
        };
        let path = match runner.hand_over(&result, &self.folder) {
            Ok(path) => path,
            Err(error) => return Done::failed(outcome::arrow(&error)),
        };
        // Other shells may ask while this one waits for its turn.
        drop(runner);
        // Locked here and not in the task, so that no later Rust cell comes before it.
        let mut rust = self.rust.clone().lock_owned().await;
        let bundle = Bundle::text(format!("{name}: DataFrame, {}", table.shape()));
        let done = Done::shown(&bundle);
        self.result(request, bundle);
        // Not waited for: the variable is made while the analyst reads.
        let evaluator = self.evaluator.clone();
        let code = format!(
            "let {name}: ::haetae::polars::frame::DataFrame = ::haetae::cell::received({:?})?;",
            path.display().to_string()
        );
        tokio::spawn(async move {
            if let Err(error) = evaluator.run(code).await {
                eprintln!("haetae-kernel: the result of an SQL cell was lost: {error:?}");
            }
            rust.output.rest().await;
            rust.warm = true;
        });
        done
    }
}
