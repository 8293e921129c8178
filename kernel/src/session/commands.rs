//! `%`-commands: what the kernel does for the analyst without compiling or querying by hand.

use super::Kernel;
use super::shell::{Done, Request};
use crate::magics::{self, Command};
use crate::outcome;
use haetae_display::{Bundle, Table};
use serde_json::json;

impl Kernel {
    /// Carries out a command.
    pub(super) async fn command(&self, request: &Request<'_>, command: Command) -> Done {
        match command {
            Command::Help => self.shown(request, magics::help()),
            Command::Variables => {
                let variables = self.variables(request).await;
                let rows = variables.into_iter().map(|(name, of)| vec![Some(name), Some(of)]).collect();
                self.shown(request, Table::of_texts(&["name", "type"], rows).bundle())
            }
            Command::Tables(schema) => self.tables(request, schema.as_deref()).await,
            Command::Describe(name) => self.describe(request, &name).await,
            Command::Connect => match self.sql.lock().await.connect().await {
                Ok(url) => {
                    self.catalogue.forget();
                    self.shown(request, Bundle::text(format!("connected to {url}")))
                }
                Err(error) => Done::failed(outcome::sql(&error)),
            },
            Command::Load(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Done {
                    payload: vec![json!({"source": "set_next_input", "text": text, "replace": true})],
                    ..Done::default()
                },
                Err(error) => Done::failed(outcome::file(&path, &error)),
            },
            Command::Inspect(name) => {
                let variables = self.variables(request).await;
                match self.oracle.described(&name, &variables) {
                    Some(text) => Done {
                        payload: vec![json!({"source": "page", "start": 0, "data": {"text/plain": text}})],
                        ..Done::default()
                    },
                    None => Done::failed(outcome::unknown_name(&name)),
                }
            }
            Command::Opt(level) => self.optimise(request, level).await,
            Command::Progress(shown) => {
                shown.inspect(|shown| self.settings.set_progress(*shown));
                let state = if self.settings.progress() { "shown" } else { "not shown" };
                self.shown(request, Bundle::text(format!("progress bars are {state}")))
            }
            Command::Dependency(wanted) => self.dependency(request, wanted).await,
            Command::Plot(plot) => self.plot(request, plot).await,
            Command::Bash(script) => self.bash(request, &script).await,
            Command::Time(cell) => Box::pin(self.run_cell(request, *cell)).await,
        }
    }

    /// Sets how far later cells are optimised; says what is in force.
    async fn optimise(&self, request: &Request<'_>, level: Option<u8>) -> Done {
        if let Some(level) = level {
            if let Err(error) = self.evaluator.configure(level).await {
                return Done::failed(outcome::failure(error, ""));
            }
            self.settings.set_level(level);
        }
        let level = self.settings.level();
        self.shown(request, Bundle::text(format!("cells are compiled at optimisation level {level}")))
    }

    /// The variables; as they were before the cell, where another shell runs one.
    async fn variables(&self, request: &Request<'_>) -> Vec<(String, String)> {
        if self.running().iter().any(|header| *header != request.message.header) {
            return self.evaluator.variables_at_once();
        }
        // A result that an SQL cell has just handed over may still be on its way.
        let _rust = self.rust.lock().await;
        self.evaluator.variables().await
    }

    pub(super) fn shown(&self, request: &Request<'_>, bundle: Bundle) -> Done {
        let done = Done::shown(&bundle);
        self.result(request, bundle);
        done
    }
}
