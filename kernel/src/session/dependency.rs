//! `%dep`: a crate is built while a bar shows how far it is; then later cells see it.

use super::Kernel;
use super::shell::{Done, Request};
use crate::crates::Progress;
use crate::magics::Dependency;
use crate::outcome;
use haetae_display::Bundle;
use haetae_display::progress::{NAMES, bar};
use serde_json::json;
use std::time::{Duration, Instant};

/// At most ten pictures a second, as for the bars of cells.
const INTERVAL: Duration = Duration::from_millis(100);

impl Kernel {
    /// Adds a crate.
    pub(super) async fn dependency(&self, request: &Request<'_>, wanted: Dependency) -> Done {
        let mut interrupts = request.interrupts.clone();
        let mut bar = Bar { kernel: self, request, shown: None };
        let added = async {
            // Another shell may build one.
            let mut crates = self.crates.lock().await;
            crates.add(wanted, |progress| bar.show(&progress)).await
        };
        let added = tokio::select! {
            // Dropping the build ends it with all its processes.
            Ok(()) = interrupts.changed() => return Done::failed(outcome::stopped_build()),
            added = added => match added {
                Ok(added) => added,
                Err(error) => return Done::failed(outcome::dependency(&error)),
            },
        };
        if added.new
            && let Err(error) = self.evaluator.configure(self.settings.level()).await
        {
            return Done::failed(outcome::failure(error, ""));
        }
        let there = if added.new { "cells now see" } else { "cells already see" };
        self.shown(request, Bundle::text(format!("{there} {} {}", added.name, added.version)))
    }
}

/// The picture of one build, replaced as it goes on.
struct Bar<'a> {
    kernel: &'a Kernel,
    request: &'a Request<'a>,
    shown: Option<Instant>,
}

impl Bar<'_> {
    fn show(&mut self, progress: &Progress) {
        let done = progress.done.min(progress.of);
        let wait = self.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) && done < progress.of;
        if self.request.silent || !self.kernel.settings.progress() || wait {
            return;
        }
        let kind = if self.shown.is_some() { "update_display_data" } else { "display_data" };
        self.shown = Some(Instant::now());
        let id = format!("{NAMES}crate-{}", self.request.count);
        let data = bar(&progress.label, done, progress.of).into_json();
        let content = json!({"data": data, "metadata": {}, "transient": {"display_id": id}});
        self.kernel.iopub.publish(kind, &self.request.message.header, content);
    }
}
