//! `%sqlplot`: the server counts and adds up, and a cell that the kernel writes draws what it answers.

use super::Kernel;
use super::shell::{Done, Request};
use crate::magics::Plot;
use crate::outcome;
use crate::plot::{self, Found};
use haetae_display::channel::Failure;

impl Kernel {
    /// Draws a plot.
    pub(super) async fn plot(&self, request: &Request<'_>, plot: Plot) -> Done {
        let mut interrupts = request.interrupts.clone();
        let found = tokio::select! {
            Ok(()) = interrupts.changed() => return Done::failed(outcome::interrupted_query()),
            found = self.data(&plot) => match found {
                Ok(found) => found,
                Err(failure) => return Done::failed(failure),
            },
        };
        let path = self.folder.join(format!("plot-{}.json", uuid::Uuid::new_v4().simple()));
        if let Err(error) = std::fs::write(&path, found.drawing.encode()) {
            return Done::failed(outcome::file(&path.display().to_string(), &error));
        }
        if !found.note.is_empty() {
            self.say(request, &found.note);
        }
        self.rust(request, format!("::haetae::drawing::drawn({:?})?", path.display().to_string())).await
    }

    /// What a plot shows. The types of its columns are asked for first: the statement depends on them.
    async fn data(&self, plot: &Plot) -> Result<Found, Failure> {
        let sql = |error: haetae_client::Error| outcome::sql(&error);
        let probed = self.whole(&plot::probe(plot)).await.map_err(sql)?;
        let types = plot::types(plot, &probed.schema).map_err(|error| outcome::plot(&error))?;
        let result = self.whole(&plot::statement(plot, types)).await.map_err(sql)?;
        plot::found(plot, types, &result.batches).map_err(|error| outcome::plot(&error))
    }
}
